"""How far an estimate was off: what was expected beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.datasets import Sample
    from vlmops.experiments.dataset_estimate import ModelEstimate
    from vlmops.platforms.records import ExperimentRecord

_CUT = "…"


@dataclass(frozen=True, slots=True)
class Drift:
    """One figure, expected and measured, for one answer on average.

    Attributes:
        name: ``image_tokens``, ``input_tokens``, ``output_tokens``, ``cost`` or ``latency``.
        expected: By the estimate; ``None`` when it did not say.
        measured: By the answers; ``None`` when none of them says.
        n: How many answers say.
        ratio: Measured over expected: above 1 when more was consumed; ``None`` when one of them is not known
            or nothing was expected.
    """

    name: str
    expected: float | None
    measured: float | None
    n: int

    @property
    def text(self) -> str:
        """On one line: what was expected, what was measured, and how many times that is.

        Example:
            >>> Drift("cost", 0.002, 0.003, 40).text, Drift("output_tokens", 500.0, 12.25, 40).text
            ('cost $0.0020, measured $0.0030 (1.50x)', 'output tokens 500, measured 12 (0.02x)')
        """
        shown = [_shown(self.name, value) for value in (self.expected, self.measured)]
        times = "" if self.ratio is None else f" ({self.ratio:.2f}x)"
        return f"{self.name.replace('_', ' ')} {shown[0]}, measured {shown[1]}{times}"

    @property
    def ratio(self) -> float | None:
        """Measured over expected."""
        if self.measured is None or not self.expected:
            return None
        return self.measured / self.expected


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    if name == "cost":
        return f"${value:.4f}" if value >= 0.001 else f"${value:.2g}"
    return f"{value:.2f} s" if name == "latency" else f"{value:,.0f}"


def drift(estimate: ModelEstimate, record: ExperimentRecord, *, latency: float | None = None) -> list[Drift]:
    """What one model's answers took, beside what was estimated for it: means over one answer.

    Means, so that an experiment that stopped early, or failed in part, can be compared as well. Failed
    answers are left out; those that do not report a figure are left out of it.

    Args:
        estimate: The model's row of the estimate.
        record: The experiment after it has run.
        latency: Seconds that were assumed for an answer.

    Example:
        >>> from vlmops.evaluators import Case, Usage
        >>> from vlmops.experiments.dataset_estimate import ModelEstimate
        >>> from vlmops.platforms.records import ExperimentRecord, Run
        >>> expected = ModelEstimate("m", "m", 1, 1, 765, 5, 770, 10, 0.002, 5.0)
        >>> case = Case("7", usage=Usage(input_tokens=777, output_tokens=1))
        >>> record = ExperimentRecord("1", "coins", "", "d", "v", [Run(case, 1, [])])
        >>> [(row.name, round(row.ratio, 3)) for row in drift(expected, record) if row.ratio]
        [('input_tokens', 1.009), ('output_tokens', 0.1)]
    """
    cases = [run.case for run in record.runs if not isinstance(run.case.output, Failure)]
    calls = estimate.calls
    rows = [
        _row(
            name, getattr(estimate, name), calls, [getattr(case.usage, name) for case in cases if case.usage]
        )
        for name in ("image_tokens", "input_tokens", "output_tokens", "cost")
    ]
    return [*rows, _row("latency", latency, 1, [case.latency for case in cases])]


def record_drift(record: ExperimentRecord, metadata: Mapping[str, Any] | None = None) -> list[Drift]:
    """What an experiment's answers took, beside what is estimated for the very samples that were answered.

    The estimate is that of :func:`~vlmops.experiments.estimate`, with its own assumptions, for the model,
    prompt, schema and options that ``vlmops run`` records. No picture is read for it.

    Args:
        record: The experiment after it has run.
        metadata: What was recorded with it, where the caller knows that better than the platform, which may
            have cut long texts.

    Returns:
        The figures of :func:`drift`; empty where the model has no card, or nothing was answered. What a
        prompt takes part in is not expected where the prompt was cut.

    Example:
        >>> from vlmops import Sample
        >>> from vlmops.evaluators import Case, Usage
        >>> from vlmops.platforms.records import ExperimentRecord, Run
        >>> case = Case("7", inputs={}, id="1", usage=Usage(input_tokens=6, output_tokens=1))
        >>> told = {"model": "gpt-4o", "prompt": "How many coins?"}
        >>> record = ExperimentRecord("1", "coins", "", "d", "v", [Run(case, 1, [])], metadata=told)
        >>> [(row.name, row.expected, row.measured) for row in record_drift(record)][1]
        ('input_tokens', 4.0, 6.0)
    """
    from vlmops.datasets import ImageDataset
    from vlmops.experiments.dataset_estimate import DEFAULT_LATENCY, estimate
    from vlmops.models.cards import CardTable

    told = record.metadata if metadata is None else metadata
    options = told.get("options")
    options = options if isinstance(options, Mapping) else {}
    model = options["card"] if isinstance(options.get("card"), str) else told.get("model")
    if not isinstance(model, str) or CardTable.current().card_of(model) is None:
        return []
    samples = _answered(record)
    if not samples:
        return []
    prompt, schema = told.get("prompt"), told.get("schema")
    (row,) = estimate(
        ImageDataset.from_samples(record.name, samples),
        [model],
        prompt=prompt if isinstance(prompt, str) else None,
        schema=schema if isinstance(schema, Mapping) else None,
        detail=str(options.get("detail", "auto")),
        max_side=options.get("max_side"),
        output_tokens=_longest_answer(told.get("parameters"), options.get("parameters")),
    ).models
    if metadata is None and str(prompt).endswith(_CUT):
        row = replace(row, input_tokens=None, cost=None)
    return drift(row, record, latency=DEFAULT_LATENCY)


def _answered(record: ExperimentRecord) -> list[Sample]:
    """The samples that were answered, as far as their pictures' sizes are known."""
    from vlmops.datasets import Sample

    cases = {run.case.id: run.case for run in record.runs if not isinstance(run.case.output, Failure)}
    return [
        Sample(case.id, case.inputs)
        for case in cases.values()
        if isinstance(case.inputs, Mapping) and all(image.is_known for image in case.images)
    ]


def _longest_answer(*parameters: Any) -> int:
    """Tokens that answers are taken to have: no more than they were allowed."""
    from vlmops.models.cards import DEFAULT_OUTPUT_TOKENS
    from vlmops.models.cards.expectation import LENGTH_PARAMETERS

    found = [each.get(name) for each in parameters if isinstance(each, Mapping) for name in LENGTH_PARAMETERS]
    return min([DEFAULT_OUTPUT_TOKENS, *(limit for limit in found if isinstance(limit, int))])


def _row(name: str, expected: float | None, calls: int, measured: Sequence[Any]) -> Drift:
    known = [value for value in measured if value is not None]
    per_call = expected / calls if expected is not None and calls else None
    return Drift(name, per_call, sum(known) / len(known) if known else None, len(known))
