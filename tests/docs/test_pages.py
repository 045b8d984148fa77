"""Every Python block of the README and of these pages runs, against a real Phoenix where it needs one."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from phoenix_process import Phoenix

from vlmops.evaluators import registry as evaluators
from vlmops.models import registry as models

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in ("datasets", "pictures", "experiments", "phoenix", "tracing", "traces_to_datasets")
    ),
]
PAGES_WITHOUT_SERVER = [
    f"docs/{name}.md"
    for name in ("comparing", "extending", "gate", "judges", "limits", "models", "report", "trace_facts")
]

# What a reader has already, by page and number of the block that needs it.
HIDDEN = {
    ("README.md", 0): "def read(picture): return 'TOTAL 12.50'",
    ("README.md", 1): """
dataset = await __import__("phoenix.client").client.AsyncClient().datasets.get_dataset(dataset="receipts")
def task(example): return {"fields": {"total": "12.50"}}
""",
    (
        "docs/experiments.md",
        0,
    ): "import vlmops; vlmops.push(vlmops.ImageDataset.load('receipts'), vlmops.connect('phoenix'))",
    ("docs/phoenix.md", 1): "vlmops.push(vlmops.ImageDataset.load('receipts'), phoenix)",
}

FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(#[^)]*)?\)")


@pytest.fixture
def material(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files that the pages speak of."""
    from PIL import Image, ImageDraw

    def draw(file: Path, text: str) -> None:
        file.parent.mkdir(exist_ok=True)
        picture = Image.new("RGB", (320, 120), "white")
        ImageDraw.Draw(picture).text((20, 30), text, fill="black", font_size=40)
        picture.save(file)

    draw(tmp_path / "receipts" / "a.png", "TOTAL 12.50")
    draw(tmp_path / "receipts" / "b.png", "TOTAL 13.50")
    (tmp_path / "receipts" / "metadata.jsonl").write_text(
        '{"file_name": "a.png", "text": "TOTAL 12.50", "fields": {"total": "12.50"}}\n'
        '{"file_name": "b.png", "text": "TOTAL 13.50", "fields": {"total": "13.50"}}\n'
    )
    draw(tmp_path / "receipt.png", "TOTAL 14.50")
    draw(tmp_path / "scans" / "1.png", "5 mm")
    (tmp_path / "labels.csv").write_text("number,scan,total,unit\n1,scans/1.png,5,mm\n", encoding="cp1252")
    draw(tmp_path / "pairs" / "0001.png", "SIGN")
    (tmp_path / "pairs" / "0001.txt").write_text("SIGN")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", str(tmp_path / "media"))
    return tmp_path


@pytest.fixture
def phoenix(phoenix_server: Phoenix, material: Path, monkeypatch: pytest.MonkeyPatch) -> Phoenix:
    """The server that the environment names."""
    import httpx

    monkeypatch.setenv("PHOENIX_BASE_URL", phoenix_server.url)
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", phoenix_server.url)
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", phoenix_server.media_store)
    httpx.post(f"{phoenix_server.url}/v1/projects", json={"name": "my-app"})
    return phoenix_server


@pytest.fixture(autouse=True)
def _tracing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page makes the tracer provider of the process is so for that page alone."""
    from opentelemetry import trace
    from opentelemetry.util._once import Once

    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())


@pytest.fixture(autouse=True)
def _registered_here_only() -> Iterator[None]:
    """Names that the pages register are forgotten again."""
    kept = [(registry._registered, dict(registry._registered)) for registry in (evaluators, models)]
    yield
    for registered, before in kept:
        registered.clear()
        registered.update(before)


def run(source: str, namespace: dict[str, Any], name: str) -> None:
    """Execute a block; one that awaits runs in an event loop, as in a notebook."""
    code = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def run_page(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("page")
    # Dataclasses look their module up.
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for number, block in enumerate(FENCE.findall((ROOT / page).read_text())):
        if hidden := HIDDEN.get((page, number)):
            run(hidden, vars(module), f"{page} before block {number}")
        run(block, vars(module), f"{page} block {number}")
    gc.collect()


# Phoenix's own asynchronous client cannot be closed.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.integration
@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs_on_a_real_phoenix(
    page: str, phoenix: Phoenix, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page(page, monkeypatch)


@pytest.mark.parametrize("page", PAGES_WITHOUT_SERVER)
def test_the_page_runs(page: str, material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page(page, monkeypatch)


@pytest.mark.parametrize("page", PAGES + PAGES_WITHOUT_SERVER)
def test_links_lead_somewhere(page: str) -> None:
    file = ROOT / page
    for target, anchor in LINK.findall(file.read_text()):
        linked = file.parent / target
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            assert anchor[1:] in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
