"""Tables for the terminal: within its width, with nothing cut off, whatever stands in them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vlmops import Experiment, ImageDataset, Sample, function_task, push
from vlmops.cli.comparison_table import print_comparison
from vlmops.cli.grid import Grid, GridRow, print_grid
from vlmops.cli.output import ENDLESS, console, measured
from vlmops.cli.summary_table import summary_grid
from vlmops.evaluators import Case, Score
from vlmops.experiments import compare
from vlmops.testing import MemoryPlatform, picture

VARIANTS = ["openai:gpt-4.1-mini short", "openai:gpt-4.1-mini long", "our server qwen3-vl-8b"]
METRICS = ["character_error_rate", "field_match.total", "field_match.date", "correct", "grounded", "tau"]


class Six:
    """Six metrics that depend on sample and answer."""

    name = "six"

    def evaluate(self, case: Case) -> list[Score]:
        return [Score(f"six.{name}", (int(case.id) * (at + 3) % 10) / 10) for at, name in enumerate(METRICS)]


@pytest.fixture(scope="module")
def ran() -> tuple[list[Any], Any]:
    """Summaries of three variants in two kinds of slices, and their comparison."""
    platform = MemoryPlatform()
    samples = [
        Sample(str(at), {"image": picture(at)}, metadata={"light": at % 2, "difficulty": f"level {at % 3}"})
        for at in range(12)
    ]
    push(ImageDataset.from_samples("d", samples), platform)
    slices = ["light", "difficulty"]
    results = [
        Experiment("d", name, function_task(lambda sample: sample.id), [Six()], slices=slices).run(platform)
        for name in VARIANTS
    ]
    return [each.summary for each in results], compare([each.record for each in results], slices=slices)


def shown(print_it: Any, width: int) -> list[str]:
    out = io.StringIO()
    print_it(Console(file=out, width=width, markup=False, emoji=False, highlight=False, soft_wrap=True))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, ENDLESS])
def test_nothing_is_cut_off_and_nothing_is_wider_than_the_terminal(ran: Any, width: int) -> None:
    summaries, comparison = ran
    compared = shown(lambda out: print_comparison(out, comparison), width)
    for lines in (shown(lambda out: print_grid(out, summary_grid(summaries)), width), compared):
        text = "\n".join(lines)
        assert max(map(len, lines)) <= width
        assert "…" not in text
        for name in (*VARIANTS, *METRICS, "light=1", "difficulty=level 2"):
            assert name in text
    assert "\n".join(compared).count("no difference shown") >= 2 * 6 * 6


def test_blocks_hold_all_of_a_metric(ran: Any) -> None:
    lines = shown(lambda out: print_grid(out, summary_grid(ran[0])), 80)
    assert lines[0] == "six.character_error_rate ↑"
    assert [line.strip() for line in lines[1:4]] == [
        f"{name:<25}   0.400 [0.233, 0.567]  n=12" for name in VARIANTS
    ]
    assert lines[4] == "  light=0"
    assert lines[4 + 5 * 4] == "six.field_match.total ↑"


def test_a_name_that_is_too_long_has_a_line_of_its_own(ran: Any) -> None:
    (summary, *_) = ran[0]
    name = "a variant with a name that leaves no room for anything else"
    lines = shown(lambda out: print_grid(out, summary_grid([replace(summary, name=name)] * 2)), 70)
    assert lines[1:3] == [f"  {name}", "    0.400 [0.233, 0.567]  n=12"]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"])), min_size=3, max_size=3),
        min_size=1,
    ),
    st.integers(20, 200),
    st.booleans(),
)
def test_every_cell_is_there(cells: list[list[str]], width: int, in_lines: bool) -> None:
    rows = [GridRow(title, others) for title, *others in cells]
    grid = Grid(["what", "first", "second"], [rows], in_lines=in_lines)
    text = "\n".join(shown(lambda out: print_grid(out, grid), width))
    # A dash says that there is nothing to say, and is left out where figures follow one another.
    assert all(cell in text for row in cells for cell in row if cell != "-")


def test_names_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    grid = Grid(["what", "value"], [[GridRow("ollama:m:7b [/b]", ["1"])]])
    print_grid(console(), grid)
    assert "ollama:m:7b [/b]" in capsys.readouterr().out


def test_names_are_shown_as_they_are_while_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with measured("ollama:m:7b [/b]", quiet=False) as progress:
        assert progress is not None
        progress(1, 1)
    assert "ollama:m:7b [/b]" in capsys.readouterr().err


def test_what_is_no_terminal_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert console().width == ENDLESS
