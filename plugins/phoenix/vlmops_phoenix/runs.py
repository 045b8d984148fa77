"""Answers as Phoenix experiment runs and back; scores as experiment evaluations and back. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Case, Failure, FailureKind, Score, Usage
from vlmops.images import map_images, restore_images, to_json
from vlmops.platforms.records import Run
from vlmops_phoenix.examples import MACHINE_KEY, Restore, UrlOf, message
from vlmops_phoenix.scores import result_of

if TYPE_CHECKING:
    from vlmops.datasets import Sample
    from vlmops.models import ModelReply

_SEPARATOR = ": "
_KINDS = frozenset(kind.value for kind in FailureKind)


def to_output(reply: ModelReply, inputs: Any, url_of: UrlOf) -> dict[str, Any]:
    """The run's output: a message for the compare grid, the prediction itself, and what it took."""
    machine: dict[str, Any] = {"model": reply.model, "latency": reply.latency, **spent(reply.usage)}
    if reply.metadata:
        machine["metadata"] = dict(reply.metadata)
    return {
        **message(reply.output, inputs, url_of),
        "prediction": map_images(reply.output, to_json),
        MACHINE_KEY: machine,
    }


def to_failed_output(failure: Failure) -> dict[str, Any] | None:
    """The output of a run without an answer: what it took all the same; ``None`` where that is not known."""
    return {MACHINE_KEY: spent(failure.usage)} if failure.usage is not None else None


def to_error(failure: Failure) -> str:
    """The run's error text; :func:`from_error` reads it back."""
    return f"{failure.kind.value}{_SEPARATOR}{failure.message}"


def from_error(text: str, evaluator: str = "") -> Failure:
    """The failure behind an error text; of one that vlmops did not write, only who raised is known."""
    kind, separator, message_text = text.partition(_SEPARATOR)
    if separator and kind in _KINDS:
        return Failure(FailureKind(kind), message_text, evaluator)
    return Failure(FailureKind.EVALUATOR_ERROR if evaluator else FailureKind.TASK_ERROR, text, evaluator)


def to_case(sample: Sample, output: Any, error: str | None, restore: Restore) -> Case:
    """What evaluators see of a run; an output that vlmops did not write is taken as it is."""
    usage: Usage | None = None
    latency: float | None = None
    answer = output
    if isinstance(output, Mapping) and isinstance(machine := output.get(MACHINE_KEY), Mapping):
        answer = restore_images(output.get("prediction"), restore)
        usage = Usage(**machine["usage"]) if machine.get("usage") else None
        latency = machine.get("latency")
    if error is not None:
        answer = replace(from_error(error), usage=usage)
    return Case(answer, sample.expected, sample.inputs, sample.id, sample.metadata, usage, latency)


def to_evaluation(score: Score, evaluator: str, parts: int, settings: str = "") -> dict[str, Any]:
    """Name, result and metadata of the experiment evaluation that stands for a score.

    Args:
        score: One score.
        evaluator: Name of the evaluator that gave it.
        parts: How many scores the evaluator gave; tells a finished evaluation from an interrupted one.
        settings: Its parameters, as :func:`~vlmops.evaluators.settings.settings_of` gives them.
    """
    return {
        "name": score.name,
        "result": result_of(score),
        "metadata": {**score.metadata, "vlmops": _provenance(score, evaluator, parts, settings)},
    }


def from_annotations(annotations: Sequence[Mapping[str, Any]]) -> list[Score | Failure]:
    """The scores and failures behind the annotations of a run."""
    return [_from_annotation(annotation) for annotation in annotations]


def evaluated_by(annotations: Sequence[Mapping[str, Any]], evaluator: str, settings: str = "") -> bool:
    """Whether the evaluator, with these parameters, has finished with this run and did not fail."""
    own = [
        note["parts"]
        for annotation in annotations
        if not annotation.get("error")
        and (note := (annotation.get("metadata") or {}).get("vlmops", {})).get("evaluator") == evaluator
        and note.get("settings", "") == settings
    ]
    return bool(own) and len(own) >= own[0]


def as_run(record: Mapping[str, Any], sample: Sample, restore: Restore) -> Run:
    """A run from the record that Phoenix's JSON export gives of it."""
    return Run(
        to_case(sample, record["output"], record["error"], restore),
        record["repetition_number"],
        from_annotations(record["annotations"]),
        trace_id=record["trace_id"],
    )


def spent(usage: Usage | None) -> dict[str, Any]:
    """What was consumed, as JSON under ``usage``; empty where that is not known."""
    if usage is None:
        return {}
    return {"usage": {key: value for key, value in asdict(usage).items() if value is not None}}


def _provenance(score: Score, evaluator: str, parts: int, settings: str) -> dict[str, Any]:
    bounds = None if score.range is None else [_finite(bound) for bound in score.range]
    kind = "bool" if isinstance(score.value, bool) else "label" if isinstance(score.value, str) else "number"
    return {
        "evaluator": evaluator,
        "parts": parts,
        "direction": score.direction,
        "range": bounds,
        "kind": kind,
        **({"settings": settings} if settings else {}),
    }


def _from_annotation(annotation: Mapping[str, Any]) -> Score | Failure:
    metadata = dict(annotation.get("metadata") or {})
    note = metadata.pop("vlmops", {})
    if annotation.get("error"):
        usage = Usage(**note["usage"]) if note.get("usage") else None
        return replace(from_error(annotation["error"], annotation["name"]), usage=usage)
    value: Any = annotation.get("score")
    if note.get("kind") == "bool":
        value = bool(value)
    elif value is None:
        label = annotation.get("label") or ""
        value = float(label) if note.get("kind") == "number" else label
    low, high = note.get("range") or (None, None)
    return Score(
        annotation["name"],
        value,
        annotation.get("explanation") or "",
        note.get("direction", "none"),
        (_bound(low, -1), _bound(high, 1)) if note.get("range") else None,
        metadata,
    )


def _finite(bound: float) -> float | None:
    """JSON has no infinity: an absent bound is null."""
    return bound if abs(bound) != float("inf") else None


def _bound(bound: float | None, sign: int) -> float:
    return sign * float("inf") if bound is None else bound
