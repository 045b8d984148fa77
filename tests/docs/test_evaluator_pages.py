"""The pages on evaluators: their examples run, their tables are complete, their figures are the library's."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image as PilImage

from vlmops.evaluators.builtin import builtin_evaluators
from vlmops.evaluators.verify import adapters, not_offered, read_vectors

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "evaluators"
PAGES = sorted(FOLDER.glob("*.md"))
USE_CASES = [page for page in PAGES if page.stem != "index"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \| (not offered|`[\w.]+`) \| (.*?) \| (.+) \|$", re.MULTILINE)
LARGEST_FIGURE = 60_000


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def told(code: str) -> list[str]:
    """What a block's comments say that it prints."""
    return [line.rpartition("# ")[2] for line in code.splitlines() if re.search(r"(^|  )# ", line)]


@pytest.fixture(scope="module")
def drawing():
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location("draw_figures", FOLDER / "draw_figures.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(FOLDER))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_run_and_print_what_they_say(page: Path):
    blocks = BLOCK.findall(text_of(page))
    assert blocks
    for code in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), {"__name__": "example"})
        if told(code):
            assert printed.getvalue().splitlines() == told(code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(page)):
        assert (FOLDER / target).exists(), target


@pytest.mark.parametrize("page", USE_CASES, ids=lambda page: page.stem)
def test_a_page_shows_its_figure_and_names_the_traps(page: Path):
    assert f"](figures/{page.stem}.png)" in text_of(page)
    assert "## Traps" in text_of(page)


def test_every_figure_is_drawn_by_the_script_and_small(drawing, tmp_path):
    drawing.main(tmp_path)
    drawn = {path.name: path for path in tmp_path.iterdir()}
    kept = {path.name: path for path in (FOLDER / "figures").iterdir()}
    assert set(drawn) == set(kept) == {f"{page.stem}.png" for page in USE_CASES}
    for name, path in kept.items():
        assert path.stat().st_size < LARGEST_FIGURE
        with PilImage.open(path) as old, PilImage.open(drawn[name]) as new:
            assert old.size == new.size


def test_the_table_has_every_metric_that_can_be_verified_and_no_other():
    rows = {metric: function for metric, function, _, _ in ROW.findall(text_of(FOLDER / "index.md"))}
    assert {metric for metric, function in rows.items() if function != "not offered"} == set(adapters())
    assert {metric for metric, function in rows.items() if function == "not offered"} == set(not_offered())
    stored = {
        vector.metric for path in (ROOT / "tests" / "vectors").glob("*.json") for vector in read_vectors(path)
    }
    assert stored <= set(rows)


def test_the_table_names_functions_and_evaluators_that_exist():
    for metric, function, evaluators, _ in ROW.findall(text_of(FOLDER / "index.md")):
        named = re.findall(r"`(\w+)`", evaluators)
        assert set(named) <= set(builtin_evaluators()), metric
        if function != "not offered":
            path = function.strip("`")
            module, _, name = (
                path if path.startswith("vlmops.") else f"vlmops.evaluators.{path}"
            ).rpartition(".")
            assert callable(getattr(import_module(module), name)), metric


def test_the_reason_of_what_is_not_offered_is_the_one_that_verify_gives():
    for metric, function, _, notes in ROW.findall(text_of(FOLDER / "index.md")):
        if function == "not offered":
            assert notes == not_offered()[metric]


def test_every_evaluator_is_named_in_the_index_and_on_the_page_it_leads_to():
    lines = re.findall(
        r"^\| \[[^]]+\]\(([\w-]+\.md)\) \|.*\| (.+) \|$", text_of(FOLDER / "index.md"), re.MULTILINE
    )
    names = {name: page for page, listed in lines for name in re.findall(r"`(\w+)`", listed)}
    assert set(names) == set(builtin_evaluators())
    for name, page in names.items():
        assert f"`{name}`" in text_of(FOLDER / page), name
