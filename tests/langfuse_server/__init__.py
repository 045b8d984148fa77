"""A faithful in-memory Langfuse server for tests, built from recorded exchanges with a real 4.16.0.

`LangfuseServer` answers on a free port of its own, signed uploads on a second one. What it refuses, drops and
delays is what the recorded server refuses, drops and delays; `recordings.jsonl` holds the exchanges and
`replay` sends them again.

From the SDK's documentation rather than from a recording: the answer 207 to a list of scores, and that
servers from 4.59.0 on honour a score's timestamp. From the public API description: the former routes with
`events_only=False`. Not modelled: organisations, evaluators, models and their prices but
for one, dataset runs of the former data model, feedback, the web pages.
"""

from .faults import Fault
from .request_log import UNKNOWN_ROUTE, LoggedRequest
from .server import RECORDED_VERSION, LangfuseServer

__all__ = ["RECORDED_VERSION", "UNKNOWN_ROUTE", "Fault", "LangfuseServer", "LoggedRequest"]
