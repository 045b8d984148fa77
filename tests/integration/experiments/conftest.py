from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_server import ModelServer

from vlmops.testing import picture


@pytest.fixture
def server() -> Iterator[ModelServer]:
    running = ModelServer()
    yield running
    running.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a cache of its own."""
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def specified(place: Path) -> Callable[..., Path]:
    """Writes a table of so many pictures and a specification that asks the server about them."""

    def write(server_url: str, count: int, more: str = "", options: str = "") -> Path:
        rows = []
        for number in range(count):
            (place / f"{number}.png").write_bytes(picture(number).read())
            rows.append(f'{{"id": "s{number:03}", "image": "{number}.png", "question": "q{number:03}"}}\n')
        (place / "signs.jsonl").write_text("".join(rows))
        file = place / "vlmops.toml"
        file.write_text(
            f"""
on = ["folder:results"]
{more}
[dataset]
source = "signs.jsonl"

[[variants]]
name = "served"
model = "openai:served"
options = {{ base_url = "{server_url}", api_key = "none"{options} }}

[limits]
concurrency = 8
"""
        )
        return file

    return write
