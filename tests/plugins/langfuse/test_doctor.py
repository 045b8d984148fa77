"""The doctor names what is wrong and what mends it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from langfuse_server import RECORDED_VERSION, Fault, LangfuseServer
from vlmops.blocking import blocking
from vlmops.errors import PrerequisiteError, UsageError
from vlmops.platforms import connect, platforms
from vlmops_langfuse import LangfusePlatform
from vlmops_langfuse.doctor import browser_check
from vlmops_langfuse.settings import LangfuseSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.platforms import Check


def findings(platform: LangfusePlatform) -> dict[str, Check]:
    async def gathered() -> dict[str, Check]:
        return {check.name: check async for check in platform.doctor()}

    return blocking(gathered, platform)


def test_a_sound_server_is_called_sound(platform: LangfusePlatform) -> None:
    found = findings(platform)
    names = ("server", "keys", "SDK and server", "clock", "media", "rate limits")
    assert [found[name].status for name in names] == ["ok"] * len(names)


def test_a_pair_that_loses_scores_is_told(
    start_langfuse: Callable[..., LangfuseServer], connect_to: Callable[..., LangfusePlatform]
) -> None:
    found = findings(connect_to(start_langfuse(version=RECORDED_VERSION)))["SDK and server"]
    assert found.status == "warning"
    assert "loses every score" in found.message
    assert "4.59" in found.fix


def test_an_old_server_a_dead_one_and_wrong_keys_are_errors(
    start_langfuse: Callable[..., LangfuseServer], connect_to: Callable[..., LangfusePlatform]
) -> None:
    assert findings(connect_to(start_langfuse(version="3.120.0")))["server"].status == "error"
    dead = LangfusePlatform(LangfuseSettings("http://127.0.0.1:9", "pk", "sk"))
    assert "does not answer" in findings(dead)["server"].message
    server = start_langfuse()
    wrong = findings(LangfusePlatform(LangfuseSettings(server.url, "pk", "sk-secret")))
    assert wrong["keys"].status == "error"
    assert "sk-secret" not in str(wrong)


def test_a_bucket_that_does_not_work_is_an_error(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    langfuse_server.faults.add(Fault("answer", 403, None).on("PUT bucket"))
    found = findings(platform)["media"]
    assert found.status == "error"
    assert "LANGFUSE_S3_MEDIA_UPLOAD_ENDPOINT" in found.fix


@pytest.mark.parametrize(
    ("bucket", "status"),
    [
        ("https://media.example.com/a.png?sig=1", "ok"),
        ("http://localhost:9090/a.png", "ok"),
        ("http://127.0.0.1:9090/a.png", "error"),
        ("http://minio:9000/a.png", "error"),
        ("http://langfuse.internal:3000/a.png", "ok"),
    ],
)
def test_what_browsers_may_load(bucket: str, status: str) -> None:
    assert browser_check(bucket, "http://langfuse.internal:3000").status == status


def test_switched_off_tracing_is_found(platform: LangfusePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_TRACING_ENABLED", "false")
    assert findings(platform)["traces"].status == "error"


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LANGFUSE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("argument", "environment", "url"),
    [
        ("http://a:1/", {"LANGFUSE_BASE_URL": "http://b:2", "LANGFUSE_HOST": "http://c:3"}, "http://a:1"),
        (None, {"LANGFUSE_BASE_URL": "http://b:2", "LANGFUSE_HOST": "http://c:3"}, "http://b:2"),
        (None, {"LANGFUSE_HOST": "http://c:3"}, "http://c:3"),
        (None, {}, "https://cloud.langfuse.com"),
    ],
)
def test_arguments_come_before_the_environment(
    no_settings: None,
    monkeypatch: pytest.MonkeyPatch,
    argument: str | None,
    environment: dict[str, str],
    url: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert LangfuseSettings.resolve(argument, "pk", "sk").url == url


def test_what_is_missing_or_wrong_is_said(no_settings: None) -> None:
    with pytest.raises(PrerequisiteError, match="LANGFUSE_SECRET_KEY"):
        LangfuseSettings.resolve("http://localhost:3000")
    with pytest.raises(UsageError, match="must be like"):
        LangfuseSettings.resolve("localhost:3000", "pk", "sk")
    with pytest.raises(UsageError, match="no keys in it") as raised:
        LangfuseSettings.resolve("https://pk:sk-secret@host", "pk", "sk")
    assert "sk-secret" not in str(raised.value)


def test_langfuse_is_among_the_platforms() -> None:
    assert next(entry for entry in platforms() if entry.name == "langfuse").missing == ""
    assert connect("langfuse", url="http://h:1", public_key="pk", secret_key="sk").location == "http://h:1"


def test_the_plugin_imports_nothing_of_langfuse() -> None:
    import subprocess
    import sys

    heavy = {"langfuse", "httpx", "aiohttp", "opentelemetry"}
    code = f"import sys, vlmops_langfuse; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
