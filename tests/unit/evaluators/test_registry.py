"""Evaluators by name, and the lazy exports of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

import vlmops.evaluators as evaluators
from vlmops.errors import EvaluatorError
from vlmops.evaluators import create, entries, register, registry
from vlmops.evaluators.builtin import builtin_evaluators, load_class, merge_tables


@pytest.fixture
def own_names(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


@pytest.fixture
def entry_points(monkeypatch):
    def declare(**values):
        points = tuple(metadata.EntryPoint(n, v, registry.ENTRY_POINT_GROUP) for n, v in values.items())
        monkeypatch.setattr(registry, "entry_points", lambda group: points)

    return declare


@dataclass(frozen=True)
class Loud:
    """Whether the answer is loud."""

    name: str = "loud"
    level: int = 1


@pytest.mark.parametrize("name", sorted(builtin_evaluators()))
def test_every_built_in_evaluator_is_what_its_table_says(name):
    origin = builtin_evaluators()[name]
    cls = load_class(origin)
    assert f"{cls.__module__}:{cls.__qualname__}" == origin
    assert getattr(evaluators, cls.__name__) is cls
    assert cls.__name__ in evaluators.__all__
    assert cls.__doc__
    assert registry._registered[name] is cls


def test_every_built_in_evaluator_is_visible_to_type_checkers():
    tree = ast.parse(Path(evaluators.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert imported == {origin.rpartition(":")[2] for origin in builtin_evaluators().values()}


def test_exports_are_sorted_and_exist():
    assert evaluators.__all__ == sorted(set(evaluators.__all__))
    for name in evaluators.__all__:
        assert getattr(evaluators, name) is not None
    assert set(evaluators.__all__) <= set(dir(evaluators))
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = evaluators.Nonsense


def test_importing_the_package_imports_no_metric_and_nothing_heavy():
    code = (
        "import sys, vlmops.evaluators; "
        "print([m for m in sys.modules if m.startswith('vlmops.evaluators.documents') "
        "or m.split('.')[0] in {'numpy', 'PIL', 'pandas', 'rapidfuzz', 'jsonschema', 'pydantic'}])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_an_unknown_name_says_what_may_have_been_meant():
    with pytest.raises(EvaluatorError, match=r"no evaluator is named 'cerr'; did you mean 'cer'"):
        create("cerr")
    with pytest.raises(EvaluatorError, match=r"named 'zzzz'; 'vlmops evaluators' lists all that there are"):
        create("zzzz")


def test_an_unknown_parameter_lists_what_there_is():
    with pytest.raises(
        EvaluatorError, match=r"'cer'.*case_sensitivity.*it takes: name, key, expected_key, case_sensitive"
    ):
        create("cer", case_sensitivity=True)


@pytest.mark.usefixtures("own_names")
def test_a_decorated_class_is_created_and_listed():
    register("loud")(Loud)
    assert create("loud", level=3).level == 3
    (entry,) = [entry for entry in entries() if entry.name == "loud"]
    assert (entry.provider, entry.summary, entry.error) == ("this process", "Whether the answer is loud.", "")


@pytest.mark.usefixtures("own_names")
def test_a_name_is_given_once():
    register("loud")(Loud)
    register("loud")(Loud)
    with pytest.raises(EvaluatorError, match=r"'loud' is taken by .*Loud"):
        register("loud")(type("Other", (), {}))
    with pytest.raises(EvaluatorError, match="'cer' is taken by vlmops"):
        register("cer")(Loud)


def test_entry_points_are_loaded_when_asked_for(entry_points):
    entry_points(outside="vlmops.evaluators.score:Score")
    (entry,) = [entry for entry in entries() if entry.name == "outside"]
    assert (entry.error, entry.provider) == ("", "vlmops.evaluators.score")
    assert create("outside", name="x", value=1.0).value == 1.0


def test_a_broken_or_clashing_entry_point_is_listed_with_its_error(entry_points):
    entry_points(missing="no_such_package:Thing", function="vlmops.evaluators.evaluator:select", cer="a.b:C")
    errors = {entry.name: entry.error for entry in entries() if entry.error}
    assert "No module named 'no_such_package'" in errors["missing"]
    assert "is not a class" in errors["function"]
    assert "the name 'cer' is taken by vlmops.evaluators.documents" in errors["cer"]
    assert create("cer").name == "cer"


def test_two_tables_cannot_claim_one_name():
    with pytest.raises(EvaluatorError, match="'cer' is in the tables of documents and steps"):
        merge_tables({"documents": {"cer": "a:B"}, "steps": {"cer": "c:D"}})
