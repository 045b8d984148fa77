"""Models are found by name, and what is absent says how to get it."""

import sys

import pytest

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.models import Model, create, entries, register, registry
from vlmops.models.options import option_names


def test_built_in_models_are_listed_without_importing_a_backend():
    before = set(sys.modules)
    names = [entry.name for entry in entries()]
    assert names == sorted(names)
    assert {"openai", "rapidocr", "rapidocr-onnxruntime"} <= set(names)
    assert not {"rapidocr", "onnxruntime", "openai"} & (set(sys.modules) - before)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(UsageError, match=r"no model is named .gpt.; there are: .*openai.*rapidocr"):
        create("gpt")


@pytest.mark.parametrize(
    ("name", "parameters", "complaint"),
    [
        ("openai:", {}, "names no model"),
        ("openai", {}, "cannot be made"),
        ("rapidocr:large", {}, "cannot be made"),
        ("openai:m", {"temprature": 0}, "temprature"),
        ("openai:m", {"parameters": {"stream": True}}, "stream is set by vlmops"),
        (
            "openai:m",
            {"parameters": {"extra_body": {"model": "other", "top_k": 3, "n": 2}}},
            "parameter extra_body.model, extra_body.n is set by vlmops",
        ),
        ("openai:m", {"parameters": {"extra_body": "top_k=3"}}, "extra_body is a table"),
        ("rapidocr", {"workers": 0}, "workers is 0"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(name, parameters, complaint):
    with pytest.raises(UsageError, match=complaint):
        create(name, **parameters)


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(PrerequisiteError, match=r"pip install 'vlmops\[ocr\]'"):
        create("rapidocr")
    assert "not installed" in {entry.name: entry.error for entry in entries()}["rapidocr"]


def test_names_cannot_be_taken_twice(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})

    def first():
        """A model."""

    def second():
        """Another."""

    register("mine")(first)
    assert register("mine")(first) is first
    for taken in ("mine", "rapidocr"):
        with pytest.raises(UsageError, match="is taken by"):
            register(taken)(second)
    with pytest.raises(UsageError, match="':'"):
        register("a:b")
    assert "mine" in [entry.name for entry in entries()]


def test_options_are_those_of_what_is_registered_last(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    assert option_names("mine:a") is None

    def factory(model, size: int = 1): ...

    register("mine")(factory)
    assert option_names("mine:a") == ["size"]

    def factory(model, width: int = 1): ...

    register("mine")(factory)
    assert option_names("mine:a") == ["width"]


def test_what_is_created_is_a_model():
    assert isinstance(create("openai:m"), Model)
