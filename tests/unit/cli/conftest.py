"""The command within this process, and a platform that an installed package brings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from vlmops.testing import picture

SITE = Path(__file__).with_name("site")


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def vlmops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ended]:
    """Runs ``vlmops`` with these arguments, in an empty folder and with a cache of its own."""
    from vlmops.cli import main

    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / ".cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["vlmops", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The plugin of the platform ``stub``, as entry points find it."""
    monkeypatch.syspath_prepend(SITE)
    sys.modules.pop("stub_platform", None)
    yield import_module("stub_platform").PLATFORM
    sys.modules.pop("stub_platform", None)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of four pictures in two classes."""
    folder = tmp_path / "parts"
    for number in range(4):
        kind = folder / ("scratch" if number % 2 else "good")
        kind.mkdir(parents=True, exist_ok=True)
        (kind / f"{number}.png").write_bytes(picture(number).read())
    return folder
