"""Answers as outputs of Langfuse's experiment items, and back. Pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from vlmops.datasets import Sample
from vlmops.evaluators import Case, Failure, FailureKind, Usage
from vlmops.models import ModelReply
from vlmops.platforms.records import ExperimentPlan, ScoreTarget
from vlmops_langfuse.executions import parsed
from vlmops_langfuse.items import MACHINE_KEY
from vlmops_langfuse.usage import from_machine_data, machine_data

VERSION_KEY = "dataset_version"
"""Where a run's metadata says which version of the dataset it is on."""

REPETITIONS_KEY = "repetitions"
"""Where the metadata of a run that is one of several repetitions says how many there are."""

FIRST_RUN_KEY = "repetition_of"
"""Where the metadata of a further repetition's run names the first."""

_KINDS = frozenset(kind.value for kind in FailureKind)
_KEY = "vlmops_key"
_LONGEST_NAME = 150
_LONGEST_KEY = 32
_LONGEST_VALUE = 200

_TEXT, _JSON, _FAILURE, _UNANSWERED = "text", "json", "failure", "unanswered"
"""What a prediction was: Langfuse gives the text ``7`` and the number alike."""

Answer = ModelReply | Failure
Resolve = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """One answer within an experiment.

    Attributes:
        case: What evaluators see.
        span: The observation that holds the answer, which scores are attached to.
        started: When it began.
        repetition: Counted from 1.
    """

    case: Case
    span: ScoreTarget
    started: datetime
    repetition: int = 1

    @property
    def failed(self) -> bool:
        """Whether there is a failure in the place of the answer."""
        return isinstance(self.case.output, Failure)


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What the span of an experiment's item says of an answer.

    Attributes:
        output: The prediction alone, since lists show only the first 200 characters; of a failure, kind and
            message.
        metadata: What :func:`from_row` needs besides.
        problem: Why there is no prediction.
        level: How Langfuse is to take that.
    """

    output: Any
    metadata: Mapping[str, Any] | None
    problem: str | None = None
    level: Literal["DEFAULT", "ERROR"] = "DEFAULT"


def run_name(plan: ExperimentPlan, repetition: int = 1) -> str:
    """The run's name in Langfuse: the same for the same name and key, which makes it the same experiment.

    Langfuse drops names of more than 200 characters.
    """
    key = plan.key if len(plan.key) <= _LONGEST_KEY else hashlib.sha256(plan.key.encode()).hexdigest()[:16]
    return repetition_name(f"{kept_name(plan.name)} ({key})", repetition)


def kept_name(name: str) -> str:
    """As much of a plan's name as a run's has room for."""
    return name[:_LONGEST_NAME]


def repetition_name(first: str, repetition: int) -> str:
    """The name of a repetition's run, given the first's.

    Example:
        >>> repetition_name("reader v2 (3f6a)", 1), repetition_name("reader v2 (3f6a)", 3)
        ('reader v2 (3f6a)', 'reader v2 (3f6a) #3')
    """
    return first if repetition == 1 else f"{first} #{repetition}"


def plan_name(name: str, metadata: Mapping[str, Any]) -> str:
    """The plan's name within a run's; a run that was made otherwise keeps its whole name.

    Example:
        >>> plan_name("reader v2 (3f6a90c1d2e4b587)", {"vlmops_key": "3f6a90c1d2e4b587"})
        'reader v2'
        >>> plan_name("reader (second try)", {})
        'reader (second try)'
    """
    if _KEY not in metadata:
        return name
    exact = f" ({metadata[_KEY]})"
    return name.removesuffix(exact) if name.endswith(exact) else name.rpartition(" (")[0] or name


def run_metadata(plan: ExperimentPlan, version: str, repetition: int = 1) -> dict[str, str]:
    """The plan's metadata as Langfuse takes it: texts of at most 200 characters."""
    texts = {key: _text(value) for key, value in plan.metadata.items() if value is not None}
    texts |= {VERSION_KEY: version, _KEY: plan.key[:_LONGEST_VALUE]}
    if plan.repetitions > 1:
        texts |= {"repetition": str(repetition), REPETITIONS_KEY: str(plan.repetitions)}
    return texts if repetition == 1 else {**texts, FIRST_RUN_KEY: run_name(plan)}


def shown(answer: Answer, prediction: Any) -> ShownAnswer:
    """An answer as its item shows it.

    Args:
        answer: What came.
        prediction: Its output, with references in the place of pictures.
    """
    if isinstance(answer, Failure):
        problem = f"{answer.kind.value}: {answer.message}"
        failed = {"failure": answer.kind.value, "message": answer.message}
        if answer.usage is None:
            return ShownAnswer(failed, None, problem, "ERROR")
        spent = {"form": _FAILURE, **machine_data(answer.usage, None)}
        return ShownAnswer(failed, {MACHINE_KEY: spent}, problem, "ERROR")
    form = _TEXT if isinstance(answer.output, str) else _JSON
    machine = {"form": form, "model": answer.model, **machine_data(answer.usage, answer.latency)}
    if answer.metadata:
        machine["metadata"] = dict(answer.metadata)
    return ShownAnswer(prediction, {MACHINE_KEY: machine})


def not_asked(reason: str) -> ShownAnswer:
    """An item of a run that was stopped before it was answered: nothing went wrong with it."""
    return ShownAnswer(None, {MACHINE_KEY: {"form": _UNANSWERED}}, f"not answered yet: {reason}")


def from_row(
    row: Mapping[str, Any], sample: Sample | None, resolve: Resolve, repetition: int = 1
) -> AnsweredItem:
    """An experiment's item as Langfuse has it; one that vlmops did not write is taken as it is.

    Args:
        row: With the field groups ``core``, ``dataset``, ``io`` and ``metadata``.
        sample: The sample, if the dataset still has it; else what the item itself shows.
        resolve: Puts pictures in the place of references.
        repetition: Which of several answers to the sample it is.
    """
    shown = sample or _shown_sample(row, resolve)
    output, usage, latency = _output(row, resolve)
    case = Case(output, shown.expected, shown.inputs, shown.id, shown.metadata, usage, latency)
    span = ScoreTarget("span", row["id"], row["traceId"])
    return AnsweredItem(case, span, datetime.fromisoformat(row["startTime"]), repetition)


def failed(row: Mapping[str, Any]) -> bool:
    """Whether a row holds a failure, ours or that of a task that raised under Langfuse's own runner."""
    return bool(row.get("level") == "ERROR")


def answered(row: Mapping[str, Any]) -> bool:
    """Whether a row holds an answer, be it a failure: a run that was stopped has rows that hold none."""
    machine = parsed((row.get("metadata") or {}).get(MACHINE_KEY))
    return not (isinstance(machine, Mapping) and machine.get("form") == _UNANSWERED)


def _output(row: Mapping[str, Any], resolve: Resolve) -> tuple[Any, Usage | None, float | None]:
    said = row.get("output")
    machine = parsed((row.get("metadata") or {}).get(MACHINE_KEY))
    # Under Langfuse's own runner these are the machine data of the dataset's item.
    if not isinstance(machine, Mapping) or "form" not in machine:
        machine = None
    if failed(row):
        usage = None if machine is None else from_machine_data(machine)[0]
        return _failure(parsed(said), usage), usage, None
    if machine is None:
        return resolve(parsed(said)), None, None
    if machine["form"] == _JSON:
        said = json.loads(said) if said else None
    return resolve(said), *from_machine_data(machine)


def _failure(output: Any, usage: Usage | None) -> Failure:
    if isinstance(output, Mapping) and output.get("failure") in _KINDS:
        return Failure(FailureKind(output["failure"]), str(output.get("message", "")), usage=usage)
    return Failure(FailureKind.TASK_ERROR, str(output), usage=usage)


def _shown_sample(row: Mapping[str, Any], resolve: Resolve) -> Sample:
    inputs = resolve(parsed(row.get("input")))
    expected = resolve(parsed(row.get("expectedOutput")))
    return Sample(
        str(row["experimentItemId"]),
        inputs if isinstance(inputs, Mapping) else {"input": inputs},
        expected,
    )


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
