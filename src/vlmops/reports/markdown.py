"""The report as Markdown, for pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.experiments.comparison import comparison_markdown
from vlmops.experiments.comparison.markdown import escaped, table
from vlmops.experiments.comparison.rows import footnotes
from vlmops.experiments.comparison.shown import difference_text, value_text
from vlmops.reports.page import safe_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vlmops.experiments.comparison import Comparison, Variant
    from vlmops.reports.report import Report

_WORST = 10
_EXCERPT = 80
_MARKS = {"better": "✅ better", "worse": "❌ worse", "different": "🔶 different"}


def report_markdown(report: Report) -> str:
    """Verdicts first, all figures under a fold, then failures and the samples variants disagree most on."""
    blocks = [f"## {escaped(report.title)}", *_headlines(report.comparison)]
    if len(report.comparison.variants) > 1:
        blocks.append(_folded("All figures", comparison_markdown(report.comparison).strip()))
    else:
        blocks += [_values(report.comparison), *(f"- {escaped(n)}" for n in footnotes(report.comparison))]
    blocks += [*_failures(report.comparison.variants), *_drifts(report), *_disagreements(report)]
    return "\n\n".join(blocks) + "\n"


def _headlines(comparison: Comparison) -> Iterator[str]:
    """One paragraph a variant: the verdicts that are shown; silence is said, too."""
    yield "Baseline: " + _link(comparison.baseline)
    measures = [each for each in (*comparison.metrics, *comparison.operations) if not each.slice]
    for at, variant in enumerate(comparison.variants[1:], start=1):
        shown = [
            f"- {_MARKS[found.verdict]}: {escaped(measure.title)} {escaped(difference_text(measure, found))}"
            for measure in measures
            if (found := measure.values[at].difference) is not None and found.verdict in _MARKS
        ]
        yield "\n".join(
            [f"**{_link(variant)}** against the baseline:", "", *(shown or ["- no difference shown"])]
        )


def _values(comparison: Comparison) -> str:
    measures = [each for each in (*comparison.metrics, *comparison.operations) if not each.slice]
    lines = [[measure.title, value_text(measure, measure.values[0])] for measure in measures]
    return table(["metric", comparison.baseline.name], lines)


def _failures(variants: Sequence[Variant]) -> Iterator[str]:
    kinds = dict.fromkeys(kind for variant in variants for kind in variant.failures)
    if kinds:
        lines = [[str(kind), *(str(each.failures.get(kind, 0)) for each in variants)] for kind in kinds]
        total = ["of", *(str(variant.runs) for variant in variants)]
        yield "### Failed answers"
        yield table(["kind", *(variant.name for variant in variants)], [*lines, total])


def _drifts(report: Report) -> Iterator[str]:
    lines = [
        [variant.name, drift.text]
        for variant, drifts in zip(report.comparison.variants, report.drifts, strict=False)
        for drift in drifts
        if drift.measured is not None
    ]
    if lines:
        yield _folded("Estimated and measured, a mean for one answer", table(["variant", "figure"], lines))


def _disagreements(report: Report) -> Iterator[str]:
    rows = sorted((row for row in report.samples.rows if row["d"] > 0), key=lambda row: -row["d"])[:_WORST]
    if rows:
        names = [variant.name for variant in report.comparison.variants]
        yield "### Samples that the variants disagree most on"
        yield table(["sample", *names], [[_name(row), *map(_answer, row["c"])] for row in rows])


def _name(row: Mapping[str, Any]) -> str:
    return str(row["i"]) + (f" (repetition {row['r']})" if "r" in row else "")


def _answer(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return "-"
    if "f" in cell:
        return f"failed: {_cut(cell.get('m', ''))}"
    return _cut(cell.get("o", ""))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}..."


def _folded(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def _link(variant: Variant) -> str:
    name = escaped(variant.name)
    return f"[{name}]({variant.url})" if safe_url(variant.url) else name
