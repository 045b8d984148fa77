"""The example notebook runs from top to bottom, and its results show themselves."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[3] / "examples" / "notebook" / "compare_readers.ipynb"


def shown_by(source: str, namespace: dict[str, Any]) -> Any:
    """Execute a cell as a notebook does; gives the value of its last line, if that is one."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), namespace)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), namespace)


def test_the_notebook_runs_and_shows_tables_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
    namespace: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    values = [shown_by("".join(c["source"]), namespace) for c in cells if c["cell_type"] == "code"]
    pages = [value._repr_html_() for value in values if hasattr(value, "_repr_html_")]
    assert len(pages) == 4
    assert all("<table>" in page for page in pages)
    assert sum("data:image/webp" in page for page in pages) == 3
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_it_is_stored_without_results() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
