"""Scores as Langfuse keeps them, and back. Pure functions."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.errors import PlatformError
from vlmops.evaluators import Score, SetScore, Value
from vlmops.platforms.records import ScoreTarget, TargetedScore

if TYPE_CHECKING:
    from vlmops.evaluators import Annotator

MACHINE_KEY = "vlmops"
"""Where a score's metadata says what Langfuse has no field for."""

_NAMESPACE = uuid.UUID("6b4e2f60-3f0c-5a3e-9d5e-2f6f6b1d7a11")
_LONGEST_LABEL = 100
_LONGEST_TEXT = 500
_SIGNIFICANT = 1e-9


def score_id(target: ScoreTarget, name: str) -> str:
    """The fixed id of a score of this name on this target: writing it again updates it.

    Example:
        >>> from vlmops.platforms.records import ScoreTarget
        >>> target = ScoreTarget("trace", "0af7651916cd43dd8448eb211c80319c")
        >>> score_id(target, "cer") == score_id(target, "cer") != score_id(target, "wer")
        True
    """
    return str(uuid.uuid5(_NAMESPACE, "\n".join((target.kind, target.trace_id, target.id, name))))


def target_of(target: ScoreTarget) -> dict[str, str]:
    """The part of a score that names what it is about.

    Raises:
        PlatformError: Langfuse needs an id that is missing.
    """
    if not target.id or (target.kind == "span" and not target.trace_id):
        raise PlatformError(f"a score of a {target.kind} needs its id" + _AND_TRACE[target.kind == "span"])
    if target.kind == "span":
        return {"traceId": target.trace_id, "observationId": target.id}
    return {{"trace": "traceId", "session": "sessionId", "run": "datasetRunId"}[target.kind]: target.id}


_AND_TRACE = ("", " and its trace's id")


def to_body(item: TargetedScore, timestamp: datetime, config_id: str | None = None) -> dict[str, Any]:
    """The request that writes a score.

    Raises:
        PlatformError: Langfuse cannot hold it.
    """
    score = item.score
    if not score.name.strip():
        raise PlatformError("the score has no name: give its evaluator one")
    kind, value = typed(score.value)
    if kind == "TEXT" and not 1 <= len(str(value)) <= _LONGEST_TEXT:
        raise PlatformError(
            f"the text has {len(str(value))} characters; Langfuse takes 1 to {_LONGEST_TEXT}: give a short "
            "label as value and the text as explanation"
        )
    human = item.annotator == "HUMAN" and config_id is not None
    body = {
        "id": score_id(item.target, score.name),
        "name": score.name,
        **target_of(item.target),
        "value": value,
        "dataType": kind,
        "comment": score.explanation or None,
        "metadata": {**score.metadata, MACHINE_KEY: _machine(item)},
        "timestamp": timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "configId": config_id,
        "source": "ANNOTATION" if human else None,
    }
    return {key: found for key, found in body.items() if found is not None}


def typed(value: Value) -> tuple[str, float | str]:
    """Langfuse's data type and form of a value; a number JSON cannot hold becomes a label.

    Example:
        >>> typed(True), typed(0.5), typed("scratch"), typed(float("nan"))
        (('BOOLEAN', 1), ('NUMERIC', 0.5), ('CATEGORICAL', 'scratch'), ('CATEGORICAL', 'nan'))
    """
    if isinstance(value, bool):
        return "BOOLEAN", int(value)
    if isinstance(value, str):
        is_label = 0 < len(value) <= _LONGEST_LABEL and "\n" not in value
        return ("CATEGORICAL" if is_label else "TEXT"), value
    return ("NUMERIC", float(value)) if math.isfinite(value) else ("CATEGORICAL", str(float(value)))


def holds(row: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether a score as Langfuse reads it back is the one that was sent."""
    have, sent = row.get("value"), body["value"]
    if isinstance(sent, str) or isinstance(have, str):
        return bool(have == sent)
    if have is None:
        return False
    return math.isclose(float(have), float(sent), rel_tol=_SIGNIFICANT, abs_tol=_SIGNIFICANT)


def from_row(row: Mapping[str, Any]) -> Score:
    """The score behind a row of Langfuse's list, which may be another tool's."""
    metadata = dict(row.get("metadata") or {})
    note = metadata.pop(MACHINE_KEY, None)
    note = note if isinstance(note, Mapping) else {}
    value: Any = row["value"]
    if note.get("kind") == "number" and isinstance(value, str):
        value = float(value)
    low, high = note.get("range") or (None, None)
    return Score(
        row["name"],
        value,
        row.get("comment") or "",
        note.get("direction", "none"),
        (_bound(low, -1), _bound(high, 1)) if note.get("range") else None,
        metadata,
    )


def recorded_score(row: Mapping[str, Any]) -> TargetedScore | None:
    """A row of Langfuse's list with what it is about; ``None`` when that is neither observation nor trace."""
    subject = row["subject"]
    if subject["kind"] not in ("observation", "trace") or row.get("value") is None:
        return None
    if subject["kind"] == "observation":
        target = ScoreTarget("span", subject["id"], subject["traceId"])
    else:
        target = ScoreTarget("trace", subject["id"])
    annotator = _ANNOTATORS.get(row.get("source", ""), "CODE")
    return TargetedScore(target, from_row(row), annotator, datetime.fromisoformat(row["timestamp"]))


_ANNOTATORS: Mapping[str, Annotator] = {"ANNOTATION": "HUMAN", "EVAL": "LLM", "API": "CODE"}


def given_by(row: Mapping[str, Any]) -> tuple[str, int]:
    """Which evaluator gave a score, and how many it gave at once; empty when vlmops did not write it."""
    note = (row.get("metadata") or {}).get(MACHINE_KEY)
    note = note if isinstance(note, Mapping) else {}
    return str(note.get("evaluator", "")), int(note.get("parts", 1))


def set_score(score: SetScore) -> Score:
    """A value of a whole run as one score, its interval and denominator in the explanation."""
    parts = [f"n = {score.n}"]
    if score.failures:
        parts.append(f"{score.failures} failed")
    detail: dict[str, Any] = {"n": score.n, "failures": score.failures}
    if score.interval is not None:
        found = score.interval
        parts.append(f"{found.confidence:.0%} interval {found.low:.4g} to {found.high:.4g}")
        detail |= {"low": found.low, "high": found.high, "confidence": found.confidence}
    words = ", ".join(parts)
    explanation = f"{score.explanation} ({words})" if score.explanation else words
    metadata = {**score.metadata, **detail}
    return Score(score.name, score.value, explanation, score.direction, score.range, metadata, score.evidence)


def _machine(item: TargetedScore) -> dict[str, Any]:
    score = item.score
    kind = "bool" if isinstance(score.value, bool) else "label" if isinstance(score.value, str) else "number"
    bounds = None if score.range is None else [_finite(bound) for bound in score.range]
    own = score.metadata.get(MACHINE_KEY)
    return {
        **(own if isinstance(own, Mapping) else {}),
        "annotator": item.annotator,
        "direction": score.direction,
        "range": bounds,
        "kind": kind,
    }


def _finite(bound: float) -> float | None:
    """JSON has no infinity: an absent bound is null."""
    return bound if math.isfinite(bound) else None


def _bound(bound: float | None, sign: int) -> float:
    return sign * math.inf if bound is None else bound
