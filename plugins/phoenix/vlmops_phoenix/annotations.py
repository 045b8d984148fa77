"""What was said of spans and traces in Phoenix, by vlmops, by others and by people, read back as scores."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.evaluators import Score
from vlmops.platforms.records import ScoreTarget, TargetedScore
from vlmops.platforms.score_condition import LABEL_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops_phoenix.connection import PhoenixConnection

_PAGE = 1000


class PhoenixAnnotations:
    """Annotations in one project."""

    def __init__(self, connection: PhoenixConnection, project: str) -> None:
        self._connection = connection
        self._base = f"/v1/projects/{quote(project, safe='')}"

    async def on_spans(self, spans: Sequence[Mapping[str, Any]]) -> dict[str, list[TargetedScore]]:
        """By span id, what was said of the span and then what was said of its trace, newest first."""
        traces = {span["context"]["span_id"]: span["context"]["trace_id"] for span in spans}
        found: dict[str, list[TargetedScore]] = {span_id: [] for span_id in traces}
        for annotation in await self._all("span", list(traces)):
            span_id = annotation["span_id"]
            target = ScoreTarget("span", span_id, traces[span_id])
            found[span_id] += _scored(annotation, target)
        of_trace: dict[str, list[TargetedScore]] = {}
        for annotation in await self._all("trace", sorted(set(traces.values()))):
            target = ScoreTarget("trace", annotation["trace_id"])
            of_trace.setdefault(target.id, []).extend(_scored(annotation, target))
        for span_id, trace_id in traces.items():
            found[span_id] += of_trace.get(trace_id, [])
        return found

    async def _all(self, kind: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        if not ids:
            return []
        route = f"{self._base}/{kind}_annotations"
        params = {f"{kind}_ids": list(ids), "limit": _PAGE}
        return [annotation async for annotation in self._connection.pages(route, params)]


def score_of(annotation: Mapping[str, Any]) -> Score | None:
    """The score an annotation stands for: its number, else its label, else its words.

    Where it has number and label, the label is in the metadata; ``None`` where it says nothing.

    Example:
        >>> result = {"score": 1.0, "label": "pass", "explanation": "sharp"}
        >>> score = score_of({"name": "sharp", "result": result, "metadata": {}})
        >>> score.value, score.metadata["label"], score.explanation
        (1.0, 'pass', 'sharp')
    """
    result = annotation.get("result") or {}
    number, label, words = (result.get(key) for key in ("score", "label", "explanation"))
    value = next((each for each in (number, label, words) if each is not None), None)
    if value is None:
        return None
    metadata = dict(annotation.get("metadata") or {})
    if number is not None and label is not None:
        metadata[LABEL_KEY] = label
    return Score(annotation["name"], value, words or "", "none", None, metadata)


def _scored(annotation: Mapping[str, Any], target: ScoreTarget) -> list[TargetedScore]:
    score = score_of(annotation)
    if score is None:
        return []
    moment = datetime.fromisoformat(annotation["updated_at"])
    return [TargetedScore(target, score, annotation["annotator_kind"], moment)]
