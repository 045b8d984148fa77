"""A faithful in-memory Langfuse server for tests, built from recorded exchanges with a real one."""

from .faults import Fault
from .request_log import UNKNOWN_ROUTE, LoggedRequest
from .server import RECORDED_VERSION, LangfuseServer

__all__ = ["RECORDED_VERSION", "UNKNOWN_ROUTE", "Fault", "LangfuseServer", "LoggedRequest"]
