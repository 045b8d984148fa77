"""Functions that are named in a specification or on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vlmops.errors import UsageError
from vlmops.models import create
from vlmops.models.named_function import named_function

MODULE = """
from __future__ import annotations
import dataclasses
import {beside}

@dataclasses.dataclass
class Answer:
    text: str

def answer(request):
    return dataclasses.asdict(Answer({beside}.TEXT))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own_answers.py").write_text(MODULE.format(beside="own_constants"))
    (tmp_path / "own_constants.py").write_text("TEXT = 'seen'\n")
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("")
    (tmp_path / "own_package" / "reader.py").write_text(
        "from . import __name__ as name\ndef read(r): return name\n"
    )
    return tmp_path


@pytest.fixture(autouse=True)
def forgotten() -> None:
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def test_a_file_of_the_folder_with_what_lies_beside_it(folder: Path) -> None:
    path = list(sys.path)
    assert named_function("own_answers:answer", folder)(None) == {"text": "seen"}
    assert named_function("own_package.reader:read", folder)(None) == "own_package"
    assert sys.path == path


def test_the_same_file_is_the_same_module(folder: Path) -> None:
    first = named_function("own_answers:Answer", folder)
    assert named_function("own_answers:Answer", folder) is first


def test_another_folder_has_files_of_its_own(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    named_function("own_answers:answer", folder)
    other = tmp_path_factory.mktemp("other")
    (other / "own_answers.py").write_text("def answer(request): return 'other'\n")
    assert named_function("own_answers:answer", other)(None) == "other"


def test_a_model_of_a_file_in_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert create("callable:own_answers:answer").name == "callable:own_answers:answer"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("own_answers", "names no function"),
        ("own_answers:", "names no function"),
        ("own_answers:nosuch", "has no attribute 'nosuch'"),
        ("own_nosuch:f", "No module named 'own_nosuch'"),
        ("own_constants:TEXT", "is no function"),
    ],
)
def test_what_cannot_be_had_is_told(folder: Path, target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        named_function(target, folder)


def test_a_file_cannot_take_the_place_of_a_module_in_use(folder: Path) -> None:
    (folder / "json.py").write_text("def dumps(value): return value\n")
    with pytest.raises(UsageError, match="rename the file"):
        named_function("json:dumps", folder)


def test_a_file_that_fails_is_read_anew(folder: Path) -> None:
    (folder / "own_broken.py").write_text("import own_missing_too\n")
    with pytest.raises(UsageError, match="own_missing_too"):
        named_function("own_broken:f", folder)
    (folder / "own_broken.py").write_text("def f(): return 'mended, and longer'\n")
    assert named_function("own_broken:f", folder)() == "mended, and longer"
