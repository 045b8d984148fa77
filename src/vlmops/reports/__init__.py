"""Reports on experiments: one page that opens anywhere, Markdown, and what notebooks show."""

from __future__ import annotations

from vlmops.reports.history import PastRun, past_runs, past_runs_async
from vlmops.reports.report import Report, report
from vlmops.reports.samples import SampleTable

__all__ = [
    "PastRun",
    "Report",
    "SampleTable",
    "past_runs",
    "past_runs_async",
    "report",
]
