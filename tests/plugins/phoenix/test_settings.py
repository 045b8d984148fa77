"""Where a Phoenix is: argument, then environment, then ``.env.phoenix``, then default."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmops.errors import UsageError
from vlmops_phoenix.settings import PhoenixSettings

DEFAULT = "http://localhost:6006"


@pytest.mark.parametrize(
    ("argument", "environment", "expected"),
    [
        (None, {}, DEFAULT),
        (None, {"PHOENIX_PORT": "7007"}, "http://localhost:7007"),
        (None, {"PHOENIX_HOST": "phoenix.internal"}, "http://phoenix.internal:6006"),
        (None, {"PHOENIX_HOST": "0.0.0.0", "PHOENIX_PORT": "7007"}, "http://localhost:7007"),
        (None, {"PHOENIX_HOST": "::"}, DEFAULT),
        (None, {"PHOENIX_HOST": "https://phoenix.internal/"}, "https://phoenix.internal"),
        (None, {"PHOENIX_BASE_URL": "http://b", "PHOENIX_HOST": "h"}, "http://b"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "PHOENIX_BASE_URL": "http://b"}, "http://o"),
        (
            None,
            {"PHOENIX_COLLECTOR_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://o"},
            "http://c",
        ),
        (None, {"PHOENIX_ENDPOINT": "http://e", "PHOENIX_COLLECTOR_ENDPOINT": "http://c"}, "http://e"),
        (None, {"PHOENIX_COLLECTOR_ENDPOINT": "http://c:6006/v1/traces"}, "http://c:6006"),
        (None, {"PHOENIX_COLLECTOR_ENDPOINT": "http://c/phoenix/v1/traces/"}, "http://c/phoenix"),
        (None, {"PHOENIX_ENDPOINT": "  "}, DEFAULT),
        ("http://argument/", {"PHOENIX_ENDPOINT": "http://e"}, "http://argument"),
    ],
)
def test_the_address(
    monkeypatch: pytest.MonkeyPatch, argument: str | None, environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert PhoenixSettings.resolve(url=argument).url == expected


def test_an_address_without_a_scheme_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="must begin with http:// or https://"):
        PhoenixSettings.resolve(url="localhost:6006")


@pytest.mark.parametrize(
    ("key", "environment", "expected"),
    [
        (None, {}, {}),
        (None, {"PHOENIX_API_KEY": "k"}, {"authorization": "Bearer k"}),
        ("mine", {"PHOENIX_API_KEY": "k"}, {"authorization": "Bearer mine"}),
        (
            None,
            {"PHOENIX_CLIENT_HEADERS": "Authorization=Basic%20abc,X-Team=vision", "PHOENIX_API_KEY": "k"},
            {"authorization": "Basic abc", "x-team": "vision"},
        ),
        (
            "mine",
            {"PHOENIX_CLIENT_HEADERS": "authorization=Basic%20abc"},
            {"authorization": "Bearer mine"},
        ),
    ],
)
def test_the_headers(
    monkeypatch: pytest.MonkeyPatch, key: str | None, environment: dict[str, str], expected: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert PhoenixSettings.resolve(api_key=key).headers == expected


def test_the_nearest_env_file_counts_where_the_environment_is_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env.phoenix").write_text(
        "# ours\nexport PHOENIX_BASE_URL='http://file:6006'\nPHOENIX_PROJECT_NAME=inspection\n\n"
    )
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    settings = PhoenixSettings.resolve()
    assert (settings.url, settings.project) == ("http://file:6006", "inspection")
    monkeypatch.setenv("PHOENIX_BASE_URL", "http://environment:6006")
    assert PhoenixSettings.resolve().url == "http://environment:6006"


@pytest.mark.parametrize(
    ("argument", "environment", "expected"), [(None, None, "default"), (None, "e", "e"), ("a", "e", "a")]
)
def test_the_project(
    monkeypatch: pytest.MonkeyPatch, argument: str | None, environment: str | None, expected: str
) -> None:
    if environment:
        monkeypatch.setenv("PHOENIX_PROJECT_NAME", environment)
    assert PhoenixSettings.resolve(project=argument).project == expected


def test_the_key_is_in_no_text_of_the_settings() -> None:
    settings = PhoenixSettings.resolve(api_key="very-secret")
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in str(settings)
