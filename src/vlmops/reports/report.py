"""A report on experiments side by side: what a decision can rest on, in one file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.experiments.comparison import Comparison, compare
from vlmops.experiments.estimate_drift import Drift, record_drift
from vlmops.reports.pictures import MAX_BYTES, PictureShelf
from vlmops.reports.samples import SampleTable, sample_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators import Evaluator, SliceBy
    from vlmops.platforms.records import ExperimentRecord
    from vlmops.reports.history import PastRun


@dataclass(frozen=True, slots=True)
class Report:
    """Variants side by side, with every sample.

    Attributes:
        title: What stands above it.
        comparison: The figures.
        samples: Every answer of every variant.
        trace_links: For each variant the page of a trace, with ``{trace}`` for its id; empty without one.
        history: Earlier runs of the same names, oldest first.
        drifts: For each variant what answers took beside what was estimated for them; empty where its model
            has no card.
        created_at: When it was made.
    """

    title: str
    comparison: Comparison
    samples: SampleTable
    trace_links: Sequence[str] = ()
    history: Sequence[PastRun] = ()
    drifts: Sequence[Sequence[Drift]] = ()
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def html(self) -> str:
        """One page that needs nothing but itself: no network, no other file."""
        from vlmops.reports.page import report_html

        return report_html(self)

    def markdown(self) -> str:
        """Verdicts, figures, failures and the worst samples, for a pull request."""
        from vlmops.reports.markdown import report_markdown

        return report_markdown(self)

    def save(self, file: str | os.PathLike[str]) -> Path:
        """Write it: ``.html`` as a page, ``.md`` as Markdown. A file that is there is replaced as a whole.

        Raises:
            UsageError: The name ends otherwise, or the file cannot be written.
        """
        path = Path(file)
        kinds = {".html": self.html, ".htm": self.html, ".md": self.markdown}
        if path.suffix.lower() not in kinds:
            raise UsageError(
                f"{path}: a report is .html or .md, not {path.suffix or 'a name without ending'}"
            )
        text = kinds[path.suffix.lower()]()
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error}") from error
        finally:
            beside.unlink(missing_ok=True)
        return path

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.experiments import comparison_html

        return comparison_html(self.comparison)


def report(
    records: Sequence[ExperimentRecord],
    comparison: Comparison | None = None,
    *,
    evaluators: Sequence[Evaluator] = (),
    slices: Sequence[SliceBy] = (),
    history: Sequence[PastRun] = (),
    title: str = "",
    thumbnails: int | None = None,
    max_picture_bytes: int = MAX_BYTES,
) -> Report:
    """Make a report of experiments that have run; one alone is fine.

    Pictures are read again, to be made small; one that cannot be read is replaced by the reason. Where not
    all fit into ``max_picture_bytes``, the samples that variants disagree most on keep theirs.

    Args:
        records: The experiments, of any platform.
        comparison: Their comparison; made here when ``None``, with the first as the baseline.
        evaluators: Those that scored them, for values of whole sets; only for a comparison made here.
        slices: What figures are given for separately as well, and samples can be chosen by.
        history: Earlier runs, from :func:`past_runs`.
        title: What stands above it; the names of the variants otherwise.
        thumbnails: Longest side of the small pictures in pixels, from 16 to 2048; by default as large as
            their number allows.
        max_picture_bytes: Bytes that all pictures may take together.

    Raises:
        UsageError: There are no experiments, they cannot be compared, the comparison is of others, or
            ``thumbnails`` is out of range.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import ExperimentRecord, Run
        >>> def ran(name, value):
        ...     runs = [Run(Case("a", id=str(i)), 1, [Score("cer", value)]) for i in range(3)]
        ...     return ExperimentRecord(name, name, "", "d", "1", runs)
        >>> made = report([ran("old", 0.5), ran("new", 0.25)])
        >>> made.title, len(made.samples.rows), made.html()[:15]
        ('new and old', 3, '<!doctype html>')
    """
    if thumbnails is not None and not 16 <= thumbnails <= 2048:
        raise UsageError(f"thumbnails are from 16 to 2048 pixels, not {thumbnails}")
    found = comparison or compare(records, evaluators, slices=slices)
    by_id = {record.id: record for record in records}
    if set(by_id) != {variant.id for variant in found.variants}:
        raise UsageError("the comparison is of other experiments than those given")
    ordered = [by_id[variant.id] for variant in found.variants]
    shelf = PictureShelf(thumbnails, max_picture_bytes)
    return Report(
        title or _title([record.name for record in ordered]),
        found,
        sample_table(ordered, slices, shelf),
        [_trace_link(record) for record in ordered],
        history,
        [record_drift(record) for record in ordered],
    )


def _title(names: Sequence[str]) -> str:
    baseline, *others = dict.fromkeys(names)
    return f"{', '.join(others)} and {baseline}" if others else baseline


def _trace_link(record: ExperimentRecord) -> str:
    """The page of the one trace whose page is known, with a gap where its id is."""
    page = record.trace_url or ""
    known = (run.trace_id for run in record.runs if run.trace_id)
    shown = next((trace for trace in known if trace in page), None)
    return page.replace(shown, "{trace}") if shown else ""
