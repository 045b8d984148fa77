"""The vision layer for Langfuse and Arize Phoenix.

Everything here is imported when it is first used, so that ``import vlmops`` costs nothing.

Example:
    >>> import vlmops
    >>> vlmops.Image.from_path("parts/0001.png")
    Image('parts/0001.png')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmops.datasets import Columns as Columns
    from vlmops.datasets import ImageDataset as ImageDataset
    from vlmops.datasets import Sample as Sample
    from vlmops.errors import ImageError as ImageError
    from vlmops.errors import PlatformError as PlatformError
    from vlmops.errors import PrerequisiteError as PrerequisiteError
    from vlmops.errors import SampleError as SampleError
    from vlmops.errors import UsageError as UsageError
    from vlmops.errors import VlmopsError as VlmopsError
    from vlmops.evaluators import Case as Case
    from vlmops.evaluators import Failure as Failure
    from vlmops.evaluators import FailureKind as FailureKind
    from vlmops.evaluators import Score as Score
    from vlmops.evaluators import SetScore as SetScore
    from vlmops.experiments import Experiment as Experiment
    from vlmops.experiments import ModelTask as ModelTask
    from vlmops.experiments import function_task as function_task
    from vlmops.images import Image as Image
    from vlmops.images import Preparation as Preparation
    from vlmops.platforms import collect as collect
    from vlmops.platforms import connect as connect
    from vlmops.platforms import pull as pull
    from vlmops.platforms import push as push
    from vlmops.platforms import score_executions as score_executions
    from vlmops.tracing import instrument as instrument

_HOMES = {
    "Case": "vlmops.evaluators",
    "Columns": "vlmops.datasets",
    "Experiment": "vlmops.experiments",
    "Failure": "vlmops.evaluators",
    "FailureKind": "vlmops.evaluators",
    "Image": "vlmops.images",
    "ImageDataset": "vlmops.datasets",
    "ImageError": "vlmops.errors",
    "ModelTask": "vlmops.experiments",
    "PlatformError": "vlmops.errors",
    "Preparation": "vlmops.images",
    "PrerequisiteError": "vlmops.errors",
    "Sample": "vlmops.datasets",
    "SampleError": "vlmops.errors",
    "Score": "vlmops.evaluators",
    "SetScore": "vlmops.evaluators",
    "UsageError": "vlmops.errors",
    "VlmopsError": "vlmops.errors",
    "collect": "vlmops.platforms",
    "connect": "vlmops.platforms",
    "function_task": "vlmops.experiments",
    "instrument": "vlmops.tracing",
    "pull": "vlmops.platforms",
    "push": "vlmops.platforms",
    "score_executions": "vlmops.platforms",
}

__all__ = [
    "Case",
    "Columns",
    "Experiment",
    "Failure",
    "FailureKind",
    "Image",
    "ImageDataset",
    "ImageError",
    "ModelTask",
    "PlatformError",
    "Preparation",
    "PrerequisiteError",
    "Sample",
    "SampleError",
    "Score",
    "SetScore",
    "UsageError",
    "VlmopsError",
    "collect",
    "connect",
    "function_task",
    "instrument",
    "pull",
    "push",
    "score_executions",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'vlmops' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
