"""The whole contract."""

from __future__ import annotations

from vlmops.testing.contract.datasets import DatasetContract
from vlmops.testing.contract.executions import ExecutionContract
from vlmops.testing.contract.experiments import ExperimentContract
from vlmops.testing.contract.prompts import PromptContract
from vlmops.testing.contract.reviews import ReviewContract


class PlatformContract(
    DatasetContract, ExperimentContract, ExecutionContract, PromptContract, ReviewContract
):
    """What must hold on every platform; what it does not offer is skipped."""
