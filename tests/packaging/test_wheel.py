"""What a user gets from the index: the wheel, whole and importable by itself."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wheels import ROOT, install, run

PACKAGES = ("vlmops", "vlmops_langfuse", "vlmops_phoenix")
SOURCES = (ROOT / "src", ROOT / "plugins" / "langfuse", ROOT / "plugins" / "phoenix")


@pytest.fixture(scope="module")
def files(vlmops_wheel: Path) -> set[str]:
    with zipfile.ZipFile(vlmops_wheel) as wheel:
        return set(wheel.namelist())


def test_it_holds_everything_that_git_keeps_of_the_three_packages_and_nothing_else(files: set[str]):
    tracked = {
        str(path.relative_to(source))
        for source in SOURCES
        for path in map(ROOT.joinpath, _tracked(source))
        if path.exists()
    }
    packed = {name for name in files if ".dist-info/" not in name}
    assert packed >= tracked
    assert {name.partition("/")[0] for name in packed} == set(PACKAGES)
    assert not [name for name in packed if "cache" in name.split("/") or name.endswith(".pyc")]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_typed(files: set[str], package: str):
    assert f"{package}/py.typed" in files


def test_it_brings_the_demo_s_pictures_fonts_and_licenses(files: set[str]):
    data = {name for name in files if name.startswith("vlmops/demo/data/")}
    assert "vlmops/demo/data/metadata.jsonl" in data
    assert "vlmops/demo/data/LICENSES.md" in data
    assert len([name for name in data if "/images/" in name]) >= 15
    assert any(name.endswith("licenses/LICENSE") for name in files)


def test_it_imports_with_the_core_dependencies_alone(vlmops_wheel: Path, tmp_path: Path):
    site = install(vlmops_wheel, tmp_path / "site")
    link_core_dependencies(tmp_path / "core")
    code = (
        "import json, vlmops, vlmops_phoenix, vlmops_langfuse\n"
        "from importlib.util import find_spec\n"
        "from vlmops.evaluators import Case, create, entries\n"
        "broken = {entry.name: entry.error for entry in entries() if entry.error}\n"
        "score = create('cer').evaluate(Case(output='ab', expected='ac'))\n"
        "foreign = [name for name in ('phoenix', 'langfuse', 'rapidocr', 'pytest') if find_spec(name)]\n"
        "print(json.dumps([vlmops.__file__, foreign, broken, score.value]))\n"
    )
    paths = f"{site}:{tmp_path / 'core'}"
    printed = json.loads(run(sys.executable, "-S", "-c", code, PYTHONPATH=paths))
    assert printed == [str(site / "vlmops" / "__init__.py"), [], {}, 0.5]


def test_a_report_is_made_of_what_it_brings(vlmops_wheel: Path, tmp_path: Path):
    site = install(vlmops_wheel, tmp_path / "site")
    link_core_dependencies(tmp_path / "core")
    code = (
        "from vlmops.evaluators import Case, Score\n"
        "from vlmops.platforms import ExperimentRecord, Run\n"
        "from vlmops.reports import report\n"
        "runs = [Run(Case('a', id=str(i)), 1, [Score('cer', i / 4)]) for i in range(4)]\n"
        "page = report([ExperimentRecord('1', 'old', '', 'd', '1', runs)]).html()\n"
        "print(page.count('<style>'), page.count('<script>'), 'setUpList' in page, '.list-head' in page)\n"
    )
    paths = f"{site}:{tmp_path / 'core'}"
    printed = run(sys.executable, "-S", "-c", code, PYTHONPATH=paths)
    assert printed.split() == ["1", "1", "True", "True"]


def _tracked(folder: Path) -> list[str]:
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def link_core_dependencies(folder: Path) -> None:
    """Link the files of what vlmops requires, and of what that requires, into a folder of their own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    linked: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in linked or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        linked.add(name)
        distribution = metadata.distribution(name)
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                link = folder / file
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(Path(str(distribution.locate_file(file))))
        waiting += [Requirement(line) for line in distribution.requires or ()]
