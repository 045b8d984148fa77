"""Scores as Phoenix annotations, upserted under a fixed identifier and confirmed one by one."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import MediaError, PlatformError, PlatformUnavailable
from vlmops.platforms.outcome import ItemFailure, ScoreReport
from vlmops_phoenix.annotation_configs import PhoenixAnnotationConfigs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vlmops.evaluators import Score
    from vlmops.platforms.records import TargetedScore
    from vlmops_phoenix.connection import PhoenixConnection
    from vlmops_phoenix.pictures import PhoenixPictures

IDENTIFIER = "vlmops"
"""Annotations are replaced by name and identifier: ours never collide with people's or other tools'."""

_BATCH = 100
_ROUTES = {
    "span": ("/v1/span_annotations", "span_id"),
    "trace": ("/v1/trace_annotations", "trace_id"),
    "session": ("/v1/session_annotations", "session_id"),
}


class PhoenixScores:
    """Annotations on spans, traces and sessions; evaluations on experiment runs."""

    def __init__(self, connection: PhoenixConnection, pictures: PhoenixPictures) -> None:
        self._connection = connection
        self._pictures = pictures
        self._configs = PhoenixAnnotationConfigs(connection)
        self._configured: set[str] = set()

    async def write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        """Write and wait for Phoenix's confirmation; what it refuses is reported by target."""
        written = 0
        failures: list[ItemFailure] = []
        ordered = sorted(scores, key=lambda item: item.target.kind)
        for kind, group in groupby(ordered, key=lambda item: item.target.kind):
            for batch in _batches(list(group)):
                if kind == "run":
                    report = await self._write_on_runs(batch)
                else:
                    await self._configure(batch)
                    report = await self._annotate(kind, batch)
                written += report.written
                failures.extend(report.failures)
        return ScoreReport(written, failures)

    async def _annotate(
        self, kind: Literal["span", "trace", "session"], batch: Sequence[TargetedScore]
    ) -> ScoreReport:
        """Send a batch; one that is refused is halved until the targets at fault stand alone."""
        route, target = _ROUTES[kind]
        try:
            data = [{target: item.target.id, **(await self._annotation(item))} for item in batch]
            await self._connection.post(route, {"data": data}, {"sync": "true"})
        except PlatformUnavailable:
            raise
        except (PlatformError, MediaError) as error:
            if len(batch) == 1:
                name = batch[0].score.name
                return ScoreReport(0, [ItemFailure(batch[0].target.id, f"{name}: {error}")])
            middle = len(batch) // 2
            first = await self._annotate(kind, batch[:middle])
            second = await self._annotate(kind, batch[middle:])
            return ScoreReport(first.written + second.written, [*first.failures, *second.failures])
        return ScoreReport(len(batch))

    async def _write_on_runs(self, batch: Sequence[TargetedScore]) -> ScoreReport:
        failures: list[ItemFailure] = []
        for item in batch:
            annotation = await self._annotation(item)
            moment = (item.timestamp.isoformat() if item.timestamp else None) or _now()
            annotation |= {
                "experiment_run_id": item.target.id,
                "start_time": moment,
                "end_time": moment,
            }
            annotation.pop("identifier")
            try:
                await self._connection.post("/v1/experiment_evaluations", annotation)
            except PlatformUnavailable:
                raise
            except PlatformError as error:
                failures.append(ItemFailure(item.target.id, f"{item.score.name}: {error}"))
        return ScoreReport(len(batch) - len(failures), failures)

    async def _annotation(self, item: TargetedScore) -> dict[str, Any]:
        score = item.score
        metadata = dict(score.metadata)
        if score.evidence is not None:
            await self._pictures.keep(score.evidence)
            metadata["evidence"] = self._pictures.url_of(score.evidence)
        return {
            "name": score.name,
            "annotator_kind": item.annotator,
            "result": result_of(score),
            "metadata": metadata,
            "identifier": IDENTIFIER,
        }

    async def _configure(self, batch: Sequence[TargetedScore]) -> None:
        """Make an annotation config for each new name, so that Phoenix knows range and direction."""
        new = {item.score.name: item.score for item in batch if item.score.name not in self._configured}
        if not new:
            return
        present = await self._configs.present()
        for name, score in new.items():
            config = _config(score)
            if name not in present and config is not None:
                await self._configs.create(config)
            if name in present or config is not None:
                await self._configs.assign(self._connection.settings.project, [name])
            self._configured.add(name)


def result_of(score: Score) -> dict[str, Any]:
    """Phoenix's ``result`` of a score: number, label, or both; a number JSON cannot hold becomes a label."""
    result: dict[str, Any] = {"explanation": score.explanation or None}
    if isinstance(score.value, bool):
        result |= {"score": float(score.value), "label": _words(score)[score.value]}
    elif isinstance(score.value, str):
        result["label"] = score.value
    elif math.isfinite(score.value):
        result["score"] = float(score.value)
    else:
        result["label"] = str(float(score.value))
    return {key: value for key, value in result.items() if value is not None}


def _config(score: Score) -> dict[str, Any] | None:
    """The annotation config that fits a score; labels have none, since their set is not known."""
    direction = {"maximize": "MAXIMIZE", "minimize": "MINIMIZE", "none": "NONE"}[score.direction]
    common = {"name": score.name, "optimization_direction": direction}
    if isinstance(score.value, bool):
        no, yes = _words(score)
        values = [{"label": yes, "score": 1.0}, {"label": no, "score": 0.0}]
        return {**common, "type": "CATEGORICAL", "values": values}
    if isinstance(score.value, str):
        return None
    low, high = score.range or (-math.inf, math.inf)
    bounds = {"lower_bound": low, "upper_bound": high}
    return {
        **common,
        "type": "CONTINUOUS",
        **{key: value for key, value in bounds.items() if math.isfinite(value)},
    }


def _words(score: Score) -> tuple[str, str]:
    """What false and true are called; a yes that is no good is no pass."""
    return ("fail", "pass") if score.direction == "maximize" else ("false", "true")


def _batches(items: Sequence[TargetedScore]) -> Iterator[Sequence[TargetedScore]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat()
