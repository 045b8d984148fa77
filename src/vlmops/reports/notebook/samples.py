"""Samples, and datasets by their first samples."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from vlmops.errors import SampleError
from vlmops.reports.notebook.cells import html_table, html_value
from vlmops.reports.text import readable

if TYPE_CHECKING:
    from vlmops.datasets import ImageDataset, Sample

FIRST = 5
"""Samples of a dataset that are shown."""
_LONGEST = 300
_COLUMNS = ("sample", "inputs", "expected", "metadata")


def sample_html(sample: Sample) -> str:
    """A sample as a table of one line."""
    return html_table(_COLUMNS, [_line(sample, 1200)])


def sample_markdown(sample: Sample) -> str:
    """A sample as a list, without pictures."""
    parts = {"inputs": sample.inputs, "expected": sample.expected, "metadata": sample.metadata or None}
    lines = [f"**sample** {sample.id}"]
    lines += [
        f"- {name}:\n\n{_indented(readable(value))}" for name, value in parts.items() if value is not None
    ]
    return "\n".join(lines)


def dataset_html(dataset: ImageDataset) -> str:
    """Name, description and the first samples; the rest of the dataset is not read."""
    head = f"<p><b>{escape(dataset.name)}</b> {escape(dataset.description)}</p>"
    entries = list(islice(dataset.entries(), FIRST + 1))
    lines = [
        [escape(str(entry)), "", "", ""] if isinstance(entry, SampleError) else _line(entry, _LONGEST)
        for entry in entries[:FIRST]
    ]
    more = f"<p>the first {FIRST} samples</p>" if len(entries) > FIRST else ""
    return head + html_table(_COLUMNS, lines) + more


def dataset_markdown(dataset: ImageDataset) -> str:
    """Name, description and the ids of the first samples."""
    entries = islice(dataset.entries(), FIRST)
    ids = [str(entry) if isinstance(entry, SampleError) else entry.id for entry in entries]
    return "\n".join([f"**{dataset.name}** {dataset.description}", "", *(f"- {each}" for each in ids)])


def _line(sample: Sample, longest: int) -> list[str]:
    kept = {"split": sample.split, "tags": list(sample.tags) or None}
    about = {**{key: value for key, value in kept.items() if value}, **sample.metadata}
    return [
        f"<code>{escape(sample.id)}</code>",
        html_value(sample.inputs, longest),
        "" if sample.expected is None else html_value(sample.expected, longest),
        html_value(about, longest) if about else "",
    ]


def _indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in text.splitlines())
