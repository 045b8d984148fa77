"""Options of models: what a backend offers can be said in the file and in Python, and is checked in both."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from vlmops.errors import UsageError
from vlmops.experiments import Specification
from vlmops.experiments.specification.variants import planned
from vlmops.models import CallableModel, create
from vlmops.models.options import option_names

TEXT = """
dataset = "receipts"
repetitions = 2
budget = { usd = 5.0, tokens = 1000 }
cache = "fresh"
slices = ["light", { name = "dark", key = "light", values = ["dim"] }]
on = ["phoenix", "folder:results"]

[defaults]
options = { detail = "low", timeout = 30, repair = true }
parameters = { temperature = 0 }
prompt = "Read all text."
schema = { type = "object" }

[[variants]]
name = "chat"
model = "openai:gpt-4o"
options = { api = "chat", stream = true, delivery = "url", max_side = 1024, max_bytes = 1000000, \
formats = ["image/png"], structured = "json_object", max_retries = 1, card = "gpt-4o-mini" }
limits = { concurrency = 4, requests_per_minute = 500, tokens_per_minute = 30000.0 }

[[variants]]
name = "responses"
model = "openai:gpt-4o"
options = { api = "responses", detail = "high", base_url = "https://example.com/v1", api_key = "env:THE_KEY" }
parameters = { temperature = 1 }
prompt = { file = "prompt.txt", tag = "long" }

[[variants]]
name = "local"
model = "rapidocr"

[[evaluators]]
use = "cer"
key = "text"

[limits]
concurrency = 16
tries = 3
deadline = 60.0
timeout = 20.0
models."openai:other" = { concurrency = 1 }

[gate]
baseline = "tag:release"
metrics.cer = { max = 0.1, max_drop = 0.02 }
""".replace("\\\n", "")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "vlmops.toml"
    found.write_text(TEXT)
    return found


def told(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    """What is said of the file with these changes."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "vlmops.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        Specification.load(file)
    return str(error.value).replace(f"{file}:", "").splitlines()


def test_the_file_and_the_object_are_the_same(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    loaded = Specification.load()
    assert Specification.of(**tomllib.loads(TEXT)) == loaded
    written = loaded.model_dump(by_alias=True, exclude_unset=True)
    assert Specification.of(**written) == loaded
    assert loaded.changed() == loaded


def test_each_variant_has_its_own_and_the_defaults_that_it_takes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "sk-1")
    chat, responses, local = planned(Specification.load(file))
    assert (chat.options["detail"], chat.options["timeout"], chat.options["stream"]) == ("low", 30, True)
    assert (responses.options["detail"], responses.options["repair"]) == ("high", True)
    assert local.options == {}
    assert [each.parameters for each in (chat, responses, local)] == [
        {"temperature": 0},
        {"temperature": 1},
        {"temperature": 0},
    ]
    assert [each.prompt.text for each in (chat, local)] == ["Read all text."] * 2
    assert responses.prompt.file == "prompt.txt"
    assert all(each.schema == {"type": "object"} for each in (chat, responses, local))
    made = chat.made_model()
    assert (made.card.name, made.delivery.by, made.delivery.max_side) == ("gpt-4o-mini", "url", 1024)
    assert made.delivery.formats == ("image/png",)
    assert made.identity()["structured"] == "json_object"
    assert responses.made_model().identity()["api"] == "responses"


def test_limits_of_a_variant_are_its_models(file: Path) -> None:
    limits = Specification.load(file).model_limits
    assert limits["openai:gpt-4o"].requests_per_minute == 500
    assert limits["openai:other"].concurrency == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'api = "chat"',
            'apo = "chat"',
            "18: variants[0].options.apo: unknown option of openai; did you mean 'api'?",
        ),
        (
            'api = "chat"',
            'api = "chta"',
            "18: variants[0].options.api: input should be 'chat' or 'responses', not 'chta'",
        ),
        (
            "max_side = 1024",
            'max_side = "wide"',
            "18: variants[0].options.max_side: input should be a valid integer",
        ),
        (
            '"json_object"',
            '"yaml"',
            "18: variants[0].options.structured: input should be 'json_schema', 'json_object' or 'none'",
        ),
        ('"env:THE_KEY"', "7", "24: variants[1].options.api_key: input should be a valid string"),
        (
            'model = "rapidocr"',
            'model = "rapidocr"\noptions = { detail = "low" }',
            "31: variants[2].options.detail: unknown option of rapidocr; known are: parser, workers",
        ),
        (
            'detail = "low"',
            'detale = "low"',
            "10: defaults.options.detale: none of the models takes it; did you mean 'detail'?",
        ),
        ("timeout = 30", 'timeout = "soon"', "10: defaults.options.timeout: input should be a valid number"),
        (
            "requests_per_minute = 500",
            "request_per_minute = 500",
            "19: variants[0].limits.request_per_minute: unknown key; did you mean 'requests_per_minute'?",
        ),
        (
            'models."openai:other"',
            'models."openai:gpt-4o"',
            "openai:gpt-4o is given limits twice, and they differ",
        ),
        ("[defaults]", "[default]", "9: default: unknown key; did you mean 'defaults'?"),
    ],
)
def test_a_mistake_is_told_with_line_key_and_fix(tmp_path: Path, old: str, new: str, says: str) -> None:
    (line,) = told(tmp_path, (old, new))
    assert says in line


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(told(tmp_path, ("api =", "apo ="), ("stream = true", "stream = 7"))) == 2


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    (line,) = told(tmp_path, ('"env:THE_KEY"', "123456"))
    assert "123456" not in line


def test_what_the_environment_gives_is_checked_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    specification = Specification.of(
        dataset="d", variants=[{"model": "openai:m", "options": {"timeout": "env:SECONDS"}}]
    )
    (variant,) = planned(specification)
    monkeypatch.setenv("SECONDS", "soon")
    with pytest.raises(UsageError, match="'openai:m': option timeout: input should be a valid number"):
        variant.made_model()
    monkeypatch.setenv("SECONDS", "7.5")
    assert variant.made_model()._timeout == 7.5  # type: ignore[union-attr]


def test_what_only_the_model_knows_is_told_with_the_variant() -> None:
    specification = Specification.of(
        dataset="d", variants=[{"name": "v", "model": "openai:gpt-4o", "options": {"detail": "hihg"}}]
    )
    with pytest.raises(UsageError, match=r"variant 'v': .* has no detail 'hihg'; it has: "):
        planned(specification)[0].made_model()


@pytest.mark.parametrize("model", [CallableModel(len, name="made"), ["openai:m", CallableModel(len)]])
def test_a_model_that_is_made_takes_no_options(model: Any) -> None:
    with pytest.raises(UsageError, match=r"variants\[0\].options: options are for a model by name"):
        Specification.of(dataset="d", variants=[{"model": model, "options": {"detail": "low"}}])


@pytest.mark.parametrize("model", ["openai:m", "azure:d"])
def test_all_of_a_backend_can_be_said(model: str) -> None:
    offered = {"api", "base_url", "card", "delivery", "detail", "formats", "max_bytes", "max_side"}
    offered |= {"max_retries", "parameters", "repair", "stream", "structured", "timeout"}
    assert offered <= set(option_names(model) or ())


def test_in_python_an_unknown_option_is_told_likewise() -> None:
    with pytest.raises(UsageError, match="detial: unknown option of openai; did you mean 'detail'"):
        create("openai:m", detial="low")
