"""The report as one page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from vlmops.experiments.comparison.rows import footnotes, head, rows
from vlmops.experiments.comparison.shown import ARROWS, bounds, number, p_text, signed
from vlmops.reports.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment
    from markupsafe import Markup

    from vlmops.experiments import Drift
    from vlmops.experiments.comparison import Comparison, Difference, Measure
    from vlmops.reports.history import PastRun
    from vlmops.reports.report import Report

_SCRIPTS = ("dom.js", "diff.js", "plot.js", "choice.js", "sample.js", "list.js", "charts.js", "report.js")
_STYLES = ("base.css", "figures.css", "samples.css", "print.css")
_MARKS = {"better": "✓", "worse": "✗", "different": "◆", "no difference shown": "≈"}
_DECIDING = ("error_rate", "latency.p50", "latency.p95", "tokens.input", "tokens.output", "cost")
_DRIFT_UNITS = {
    "image_tokens": "tokens",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
    "cost": "USD",
    "latency": "s",
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def report_html(report: Report) -> str:
    """The page; whatever came from models and people is text in it and never markup.

    Its content security policy admits its own script and style by their hashes, pictures within the page,
    and nothing else: it cannot load or send anything.
    """
    script, style = _assets("js", _SCRIPTS), _assets("css", _STYLES)
    comparison = report.comparison
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            comparison=comparison,
            variants=[
                {"letter": letter(at), "at": at, "it": variant}
                for at, variant in enumerate(comparison.variants)
            ],
            metrics=[measure for measure in comparison.metrics if not measure.slice],
            parts=[
                (name, [measure for measure in comparison.metrics if measure.slice == name])
                for name in comparison.slices
            ],
            operations=_operations(comparison),
            failures=_failures(comparison),
            drifts=_drifts(report.drifts),
            settings=settings_of(comparison),
            tables=[
                (head(comparison, at), list(rows(comparison, at)))
                for at in range(1, len(comparison.variants))
            ],
            footnotes=footnotes(comparison),
            policy=(
                f"default-src 'none'; img-src data:; script-src {_hash(script)}; style-src {_hash(style)}; "
                "base-uri 'none'; form-action 'none'"
            ),
            script=_raw(script),
            style=_raw(style),
            data=_raw(script_json(_data(report))),
            pictures=_raw(script_json(report.samples.pictures)),
        )
    )


def script_json(value: Any) -> str:
    r"""JSON that may stand within a ``<script>``: nothing in it can end the element or begin a comment.

    Example:
        >>> script_json("</script>")
        '"\\u003c/script>"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def letter(at: int) -> str:
    """What a variant is called for short.

    Example:
        >>> letter(0), letter(25), letter(26)
        ('A', 'Z', 'AA')
    """
    return letter(at // 26 - 1) + _LETTERS[at % 26] if at >= 26 else _LETTERS[at]


def safe_url(url: str) -> str:
    """The URL when a browser may be sent there, else nothing: a ``javascript:`` one runs code.

    Example:
        >>> safe_url("https://host/a"), safe_url("javascript:alert(1)")
        ('https://host/a', '')
    """
    return url if url.lower().startswith(("http://", "https://")) else ""


def _data(report: Report) -> dict[str, Any]:
    samples, comparison = report.samples, report.comparison
    return {
        "variants": [
            {
                "letter": letter(at),
                "name": variant.name,
                "url": safe_url(variant.url),
                "trace": safe_url(link),
            }
            for at, (variant, link) in enumerate(zip(comparison.variants, report.trace_links, strict=True))
        ],
        "metrics": samples.metrics,
        "failures": samples.failures,
        "slices": samples.slices,
        "measures": [
            _measure(measure)
            for measure in (*comparison.metrics, *comparison.operations)
            if not measure.slice
        ],
        "settings": [
            {"name": setting.name, "values": setting.values}
            for setting in settings_of(comparison)
            if setting.is_prompt and setting.differs
        ],
        "history": [_past(run) for run in report.history],
        "rows": samples.rows,
    }


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "direction": measure.direction,
        "unit": measure.unit,
        "values": [
            [_finite(each.value), *(_ends(each.interval))] if each.n else None for each in measure.values
        ],
    }


def _past(run: PastRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "url": safe_url(run.url),
        "at": run.created_at.isoformat(),
        "commit": run.commit[:12],
        "version": run.dataset_version,
        "runs": run.runs,
        "failures": run.failures,
        "scores": {
            score.name: [_finite(score.value), *_ends(score.interval), score.n]
            for score in run.scores
            if score.n and math.isfinite(score.value)
        },
    }


def _ends(interval: Any) -> list[float | None]:
    return [None, None] if interval is None else [_finite(interval.low), _finite(interval.high)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _operations(comparison: Comparison) -> list[Measure]:
    """Those that decide; the table of all figures, which one variant alone does not have, holds the rest."""
    whole = [measure for measure in comparison.operations if not measure.slice]
    if len(comparison.variants) == 1:
        return whole
    return [measure for measure in whole if measure.name in _DECIDING]


def _failures(comparison: Comparison) -> list[tuple[str, list[int]]]:
    """How many answers of each variant failed, by kind; the most frequent kind first."""
    kinds = dict.fromkeys(kind for variant in comparison.variants for kind in variant.failures)
    table = [
        (str(kind), [variant.failures.get(kind, 0) for variant in comparison.variants]) for kind in kinds
    ]
    return sorted(table, key=lambda line: -sum(line[1]))


def _drifts(found: Sequence[Sequence[Drift]]) -> list[tuple[str, str, list[Drift | None]]]:
    """A line a figure, with its unit and what each variant says of it; without those nobody measured."""
    lines = []
    for name, unit in _DRIFT_UNITS.items():
        cells = [next((drift for drift in each if drift.name == name), None) for each in found]
        if any(drift is not None and drift.measured is not None for drift in cells):
            lines.append((name, unit, cells))
    return lines


def _forest(measure: Measure, found: Difference) -> Mapping[str, float] | None:
    """Where difference and interval lie on a line from -100 to 100; the same scale for all variants."""
    if found.interval is None or not all(map(math.isfinite, (found.interval.low, found.interval.high))):
        return None
    ends = [
        abs(end)
        for value in measure.values
        if value.difference is not None and value.difference.interval is not None
        for end in (value.difference.interval.low, value.difference.interval.high)
        if math.isfinite(end)
    ]
    scale = 100 / (max(ends) or 1.0)
    return {
        "low": round(found.interval.low * scale, 1),
        "high": round(found.interval.high * scale, 1),
        "value": round(found.value * scale, 1),
    }


def _detail(measure: Measure, found: Difference) -> str:
    """What stands behind a difference, on one line."""
    parts = [f"{found.paired.pairs} pairs of {found.paired.clusters} pictures"]
    if found.wins is not None:
        parts.append(f"{found.wins} better, {found.losses} worse, {found.ties} same")
    if not math.isnan(found.adjusted_p):
        parts.append(f"p {p_text(found.adjusted_p)} ({found.test})")
    if not math.isnan(found.minimum_detectable):
        parts.append(f"detectable {number(found.minimum_detectable, measure.unit)}")
    return "; ".join(parts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vlmops.reports", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bounds": bounds,
        "number": number,
        "p": p_text,
        "safe_url": safe_url,
        "signed": signed,
    }
    environment.globals |= {"ARROWS": ARROWS, "MARKS": _MARKS, "detail": _detail, "forest": _forest}
    environment.tests["nan"] = math.isnan
    return environment


@cache
def _assets(ending: str, names: Sequence[str]) -> str:
    """Files of one kind as one text."""
    folder = files("vlmops.reports") / "assets"
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    return f'"use strict";\n(() => {{\n{text}\n}})();' if ending == "js" else text


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _raw(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own assets, and JSON that cannot end its element
