"""The contract every adapter must pass; an adapter's suite inherits it and gives a platform.

::

    class TestMyPlatform(PlatformContract):
        @pytest.fixture
        def platform(self):
            return MyPlatform(...)

Everything runs under names with a random suffix; :meth:`PlatformContract.clean_up` is called with the names
used, for platforms that outlive the tests.
"""

from __future__ import annotations

from vlmops.testing.contract.datasets import DatasetContract
from vlmops.testing.contract.executions import ExecutionContract
from vlmops.testing.contract.experiments import ExperimentContract
from vlmops.testing.contract.platform import PlatformContract
from vlmops.testing.contract.prompts import PromptContract
from vlmops.testing.contract.reading import (
    executions_on,
    fetched,
    found_on,
    ids_on,
    prompt_of,
    published,
    read_back,
    samples,
    scores_of,
    written,
)
from vlmops.testing.contract.reviews import ReviewContract

__all__ = [
    "DatasetContract",
    "ExecutionContract",
    "ExperimentContract",
    "PlatformContract",
    "PromptContract",
    "ReviewContract",
    "executions_on",
    "fetched",
    "found_on",
    "ids_on",
    "prompt_of",
    "published",
    "read_back",
    "samples",
    "scores_of",
    "written",
]
