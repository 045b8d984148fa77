"""The answers of all variants, sample by sample, as the compact JSON that a report's page holds."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.evaluators import Failure, Score, slices_of
from vlmops.images import images_in, map_images
from vlmops.reports.places import expected_places, predicted_places
from vlmops.reports.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vlmops.evaluators import Case, SliceBy
    from vlmops.geometry import Size
    from vlmops.images import Image
    from vlmops.platforms.records import ExperimentRecord, Run
    from vlmops.reports.pictures import PictureShelf

_FACET_VALUES = 12
_NOTE = 300
_PROMPT = 2000


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Samples of several experiments side by side.

    Attributes:
        metrics: What single answers were given: name, direction, kind (number, pass or label) and range.
        failures: Kinds of failure among the answers, in the order in which rows name them.
        slices: Names of the slices that rows name by position.
        rows: A row a sample and repetition, in the order of the first experiment.
        pictures: What rows show, by position.
    """

    metrics: Sequence[Mapping[str, Any]]
    failures: Sequence[str]
    slices: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    pictures: Sequence[Mapping[str, Any]] = field(default=())


def sample_table(
    records: Sequence[ExperimentRecord], slices: Sequence[SliceBy], shelf: PictureShelf
) -> SampleTable:
    """Join the answers of the experiments by sample and repetition.

    Besides the slices asked for, every metadata key of few values is one, to choose by.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> def ran(name, value):
        ...     run = Run(Case("a", id="1", metadata={"light": "dim"}), 1, [Score("ok", value)])
        ...     return ExperimentRecord(name, name, "", "d", "1", [run])
        >>> from vlmops.reports.pictures import PictureShelf
        >>> table = sample_table([ran("old", True), ran("new", False)], ["light"], PictureShelf())
        >>> table.slices, table.rows[0]["d"], [cell["v"] for cell in table.rows[0]["c"]]
        (['light=dim'], 1.0, [[True], [False]])
    """
    joined = _joined(records)
    metrics = _metrics(records)
    kinds = list(dict.fromkeys(_failure_kinds(records)))
    first = [_any_case(runs) for runs in joined.values()]
    named = slices_of(first, [*slices, *_facets(first, slices)])
    of_row: dict[int, list[int]] = {}
    for number, positions in enumerate(named.values()):
        for position in positions:
            of_row.setdefault(position, []).append(number)
    builder = _Rows(records, metrics, kinds, shelf)
    rows = [
        builder.row(sample, repetition, runs, of_row.get(at, []))
        for at, ((sample, repetition), runs) in enumerate(joined.items())
    ]
    worst = sorted(rows, key=lambda row: -row["d"])
    shown = shelf.entries(place for row in worst for place in _shown(row))
    return SampleTable(metrics, kinds, list(named), rows, shown)


def _joined(records: Sequence[ExperimentRecord]) -> dict[tuple[str, int], list[Run | None]]:
    joined: dict[tuple[str, int], list[Run | None]] = {}
    for at, record in enumerate(records):
        for run in record.runs:
            joined.setdefault((run.case.id, run.repetition), [None] * len(records))[at] = run
    return joined


def _any_case(runs: Sequence[Run | None]) -> Case:
    return next(run.case for run in runs if run is not None)


def _metrics(records: Sequence[ExperimentRecord]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for score in _scores(records):
        kind = (
            "pass" if isinstance(score.value, bool) else "label" if isinstance(score.value, str) else "number"
        )
        metric = found.setdefault(
            score.name, {"name": score.name, "direction": score.direction, "kind": kind, "range": None}
        )
        if score.range is not None and all(map(math.isfinite, score.range)):
            metric["range"] = list(score.range)
        if kind == "number" and metric["kind"] != "number":
            metric["kind"] = kind
    return list(found.values())


def _scores(records: Sequence[ExperimentRecord]) -> Iterator[Score]:
    for record in records:
        for run in record.runs:
            for result in run.results:
                if isinstance(result, Score):
                    yield result


def _failure_kinds(records: Sequence[ExperimentRecord]) -> Iterator[str]:
    for record in records:
        for run in record.runs:
            if isinstance(run.case.output, Failure):
                yield run.case.output.kind.value


def _facets(cases: Sequence[Case], asked: Sequence[SliceBy]) -> list[str]:
    """Metadata keys whose few values are shared by samples."""
    values: dict[str, Counter[str]] = {}
    for case in cases:
        for key, value in case.metadata.items():
            if isinstance(value, str | bool | int) and "." not in key:
                values.setdefault(key, Counter())[str(value)] += 1
    return [
        key
        for key, counts in values.items()
        if key not in asked and 1 < len(counts) <= _FACET_VALUES and max(counts.values()) > 1
    ]


def _shown(row: Mapping[str, Any]) -> Iterator[int]:
    yield from row.get("p", ())
    yield from row.get("e", ())
    for cell in row["c"]:
        if cell is not None:
            yield from cell.get("p", ())
            yield from cell.get("z", ())


class _Rows:
    """Makes rows; their keys are short since a page may hold ten thousand of them.

    Row: ``i`` id, ``r`` repetition, ``s`` slices, ``p`` pictures, ``q`` inputs, ``x`` expected, ``b``
    expected places, ``e`` expected pictures, ``d`` disagreement in [0, 1], ``c`` cells. Cell: ``o`` output,
    ``f`` kind of failure, ``m`` its message, ``v`` scores, ``w`` explanations, ``k`` failed evaluators, ``b``
    places, ``p`` pictures, ``z`` evidence, ``t`` seconds, ``n`` tokens in and out, ``u`` US dollars, ``l``
    trace.
    """

    def __init__(
        self,
        records: Sequence[ExperimentRecord],
        metrics: Sequence[Mapping[str, Any]],
        kinds: Sequence[str],
        shelf: PictureShelf,
    ) -> None:
        self._models = [str(record.metadata.get("model") or record.name) for record in records]
        self._metrics = metrics
        self._column = {metric["name"]: at for at, metric in enumerate(metrics)}
        self._spans = [_span(records, metric) for metric in metrics]
        self._kinds = {kind: at for at, kind in enumerate(kinds)}
        self._shelf = shelf

    def row(
        self, sample: str, repetition: int, runs: Sequence[Run | None], slices: Sequence[int]
    ) -> dict[str, Any]:
        case = _any_case(runs)
        size = _size(case.images[0]) if case.images else None
        cells = [
            None if run is None else self._cell(run, model, size)
            for run, model in zip(runs, self._models, strict=True)
        ]
        return _without_empty(
            {
                "i": sample,
                "r": repetition if repetition != 1 else None,
                "s": list(slices),
                "p": [self._shelf.place(image) for image in case.images],
                "q": _inputs_text(case.inputs),
                "x": None if case.expected is None else readable(map_images(case.expected, _named)),
                "b": expected_places(case),
                "e": [self._shelf.place(image) for image in images_in(case.expected)],
            }
        ) | {"d": self._disagreement(cells), "c": cells}

    def _cell(self, run: Run, model: str, size: Size | None) -> dict[str, Any]:
        output, usage = run.case.output, run.case.usage
        values, notes = self._said(run)
        places = predicted_places(run, model, size)
        evidence = [] if places else [r.evidence for r in run.results if isinstance(r, Score) and r.evidence]
        failed = isinstance(output, Failure)
        cell = {
            "o": None if failed else readable(map_images(output, _named)),
            "f": self._kinds[output.kind.value] if failed else None,
            "m": readable(output.message, _PROMPT) if failed else None,
            "w": notes,
            "k": [
                [result.evaluator, result.kind.value, readable(result.message, _NOTE)]
                for result in run.results
                if isinstance(result, Failure)
            ],
            "b": places,
            "p": [] if failed else [self._shelf.place(image) for image in images_in(output)],
            "z": [self._shelf.place(image, large=True) for image in evidence if image is not None],
            "t": None if run.case.latency is None else round(run.case.latency, 4),
            "n": None if usage is None else _tokens(usage.input_tokens, usage.output_tokens),
            "u": None if usage is None else usage.cost,
            "l": run.trace_id,
        }
        return _without_empty(cell) | {"v": values}

    def _said(self, run: Run) -> tuple[list[Any], dict[str, str]]:
        values: list[Any] = [None] * len(self._metrics)
        notes: dict[str, str] = {}
        for result in run.results:
            if isinstance(result, Score):
                at = self._column[result.name]
                values[at] = _value(result.value)
                if result.explanation:
                    notes[str(at)] = readable(result.explanation, _NOTE)
        return values, notes

    def _disagreement(self, cells: Sequence[Mapping[str, Any] | None]) -> float:
        """How far apart variants are in the metric they differ most in; a failure beside an answer is 1."""
        there = [cell for cell in cells if cell is not None]
        if len({"f" in cell for cell in there}) > 1:
            return 1.0
        widest = 0.0
        for at, span in enumerate(self._spans):
            values = [cell["v"][at] for cell in there if cell["v"][at] is not None]
            if len(values) < 2:
                continue
            if any(isinstance(value, str) for value in values):
                widest = max(widest, float(len(set(map(str, values))) > 1))
            elif span:
                widest = max(widest, (max(values) - min(values)) / span)
        if not widest and len({cell.get("o") for cell in there}) > 1:
            return 0.001
        return round(min(widest, 1.0), 4)


def _span(records: Sequence[ExperimentRecord], metric: Mapping[str, Any]) -> float:
    """The width of a metric's range; where it has no bounds, of the values that were found."""
    if metric["kind"] == "pass":
        return 1.0
    if metric["range"]:
        return float(metric["range"][1] - metric["range"][0])
    values = [
        float(score.value)
        for score in _scores(records)
        if score.name == metric["name"] and not isinstance(score.value, str) and math.isfinite(score.value)
    ]
    return max(values) - min(values) if values else 0.0


def _value(value: float | bool | str) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return readable(value, _NOTE)
    return round(float(value), 6) if math.isfinite(value) else None


def _tokens(given: int | None, answered: int | None) -> list[int | None] | None:
    return None if given is None and answered is None else [given, answered]


def _size(image: Image) -> Size | None:
    try:
        return image.size
    except ImageError:
        return None


def _named(image: Image) -> str:
    return f"(picture {image.source})"


def _inputs_text(inputs: Any) -> str | None:
    """Inputs but their pictures, which are shown."""
    if not isinstance(inputs, dict):
        return None if inputs is None else readable(map_images(inputs, _named), _PROMPT)
    told = {key: value for key, value in inputs.items() if next(images_in(value), None) is None}
    return readable(told, _PROMPT) if told else None


def _without_empty(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value is not None and value not in ([], {}, "")}
