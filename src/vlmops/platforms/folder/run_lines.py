"""Answers and scores as lines of JSON, and back. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Case, Failure, FailureKind, Score, Usage
from vlmops.field_names import shallow
from vlmops.json_values import LEAVES, OBJECTS

if TYPE_CHECKING:
    from datetime import datetime

    from vlmops.datasets import Sample
    from vlmops.models import ModelReply

Plain = Callable[[Any], Any]
"""Puts references in the place of pictures, or pictures in the place of references."""

_KINDS = {"bool": bool, "label": str, "number": float}


def answer_line(
    sample_id: str, repetition: int, answer: ModelReply | Failure, started: datetime, plain: Plain
) -> dict[str, Any]:
    """The line that holds an answer."""
    line: dict[str, Any] = {
        "sample": sample_id,
        "repetition": repetition,
        "started": started.isoformat(timespec="milliseconds"),
    }
    if isinstance(answer, Failure):
        return {**line, "failure": _failure(answer)}
    described = {
        "model": answer.model,
        "latency": answer.latency,
        "first_token": answer.first_token,
        "usage": _usage(answer.usage),
        "finish_reason": answer.finish_reason,
        "validity": answer.validity,
        "cached": answer.cached or None,
        "sent": [shallow(picture) for picture in answer.sent] or None,
        "metadata": _finite(dict(answer.metadata)) or None,
    }
    kept = {key: value for key, value in described.items() if value is not None}
    text = {} if answer.text == answer.output else {"text": answer.text}
    return {**line, "output": _finite(plain(answer.output)), **text, **kept}


def case_of(line: Mapping[str, Any], sample: Sample, restored: Plain) -> Case:
    """What evaluators see of an answer's line."""
    if "failure" in line:
        failure = _as_failure(line["failure"])
        return Case(failure, sample.expected, sample.inputs, sample.id, sample.metadata, failure.usage)
    output = restored(line.get("output"))
    usage = Usage(**line["usage"]) if line.get("usage") else None
    return Case(
        output, sample.expected, sample.inputs, sample.id, sample.metadata, usage, line.get("latency")
    )


def result_line(
    sample_id: str,
    repetition: int,
    evaluator: str,
    settings: str,
    results: Sequence[Score | Failure],
    plain: Plain,
) -> dict[str, Any]:
    """The line that holds all that one evaluator said of one answer."""
    return {
        "sample": sample_id,
        "repetition": repetition,
        "evaluator": evaluator,
        **({"settings": settings} if settings else {}),
        "results": [
            _failure(result) if isinstance(result, Failure) else _score(result, plain) for result in results
        ],
    }


def results_of(line: Mapping[str, Any], restored: Plain) -> list[Score | Failure]:
    """What the line of :func:`result_line` says."""
    return [
        _as_failure(result, line["evaluator"]) if "kind_of_failure" in result else _as_score(result, restored)
        for result in line["results"]
    ]


def _failure(failure: Failure) -> dict[str, Any]:
    content = {"kind_of_failure": failure.kind.value, "message": failure.message}
    return content | ({"usage": _usage(failure.usage)} if failure.usage is not None else {})


def _as_failure(content: Mapping[str, Any], evaluator: str = "") -> Failure:
    usage = Usage(**content["usage"]) if content.get("usage") else None
    return Failure(FailureKind(content["kind_of_failure"]), content["message"], evaluator, usage=usage)


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {key: value for key, value in shallow(usage).items() if value is not None}


def _score(score: Score, plain: Plain) -> dict[str, Any]:
    kind = "bool" if isinstance(score.value, bool) else "label" if isinstance(score.value, str) else "number"
    content: dict[str, Any] = {
        "name": score.name,
        "kind": kind,
        "value": _number(float(score.value)) if kind == "number" else score.value,
        "direction": score.direction,
    }
    if score.explanation:
        content["explanation"] = score.explanation
    if score.range is not None:
        content["range"] = [_number(bound) for bound in score.range]
    if score.metadata:
        content["metadata"] = _finite(plain(dict(score.metadata)))
    if score.evidence is not None:
        content["evidence"] = plain(score.evidence)
    return content


def _as_score(content: Mapping[str, Any], restored: Plain) -> Score:
    bounds = content.get("range")
    return Score(
        content["name"],
        _KINDS[content["kind"]](content["value"]),
        content.get("explanation", ""),
        content["direction"],
        (float(bounds[0]), float(bounds[1])) if bounds else None,
        restored(content.get("metadata", {})),
        restored(content["evidence"]) if "evidence" in content else None,
    )


def _number(value: float) -> float | str:
    """JSON has no infinity and no NaN: Python's words for them are read back by ``float``."""
    return value if math.isfinite(value) else str(value)


def _finite(tree: Any) -> Any:
    """A tree in which numbers that JSON lacks are null, and what is no JSON is text."""
    if isinstance(tree, float):
        return tree if math.isfinite(tree) else None
    if type(tree) in LEAVES:
        return tree
    if isinstance(tree, OBJECTS):
        return {str(key): _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    return tree if isinstance(tree, str | int) else str(tree)
