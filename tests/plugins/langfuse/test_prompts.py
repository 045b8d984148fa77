"""Prompts among those that people and other tools keep in Langfuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from vlmops.errors import PlatformError
from vlmops.platforms import Prompt, PromptTurn

if TYPE_CHECKING:
    from langfuse_server import LangfuseServer
    from vlmops_langfuse import LangfusePlatform

JUDGE = Prompt("judges/caption", (PromptTurn("system", "Judge."), PromptTurn("user", "{{material}}")))


def keep(server: LangfuseServer, **body: Any) -> None:
    """What somebody else keeps."""
    keys = (server.public_key, server.secret_key)
    httpx.post(f"{server.url}/api/public/v2/prompts", json=body, auth=keys).raise_for_status()


async def test_it_is_a_chat_prompt_in_its_folder(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async with platform:
        version = await platform.prompts.publish(JUDGE, labels=["production"])
        assert await platform.prompts.fetch("judges/caption", label="production") == version
    (kept,) = langfuse_server.prompts["judges/caption"]
    assert kept["type"] == "chat"
    assert kept["prompt"] == [
        {"role": "system", "content": "Judge."},
        {"role": "user", "content": "{{material}}"},
    ]
    assert set(kept["labels"]) == {"production", "latest"}
    assert version.url.endswith("/prompts/judges%2Fcaption?version=1")
    assert version.labels == ("production",)


async def test_publishing_again_writes_nothing(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async with platform:
        await platform.prompts.publish(JUDGE, labels=["production"])
        langfuse_server.clear_log()
        await platform.prompts.publish(JUDGE, labels=["production"])
    assert {route.partition(" ")[0] for route in langfuse_server.counts()} == {"GET"}


async def test_a_text_prompt_of_others_is_read_as_a_question(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    keep(langfuse_server, name="count", type="text", prompt="How many coins?")
    async with platform:
        found = await platform.prompts.fetch("count")
        assert found.prompt.turns == (PromptTurn("user", "How many coins?"),)
        with pytest.raises(PlatformError, match="different prompt type"):
            await platform.prompts.publish(Prompt("count", (PromptTurn("user", "How many?"),)))


async def test_a_placeholder_is_not_passed_over(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    slot = {"type": "placeholder", "name": "pictures"}
    keep(langfuse_server, name="seen", type="chat", prompt=[{"role": "system", "content": "Look."}, slot])
    async with platform:
        with pytest.raises(PlatformError, match="'seen', version 1: holds placeholder"):
            await platform.prompts.fetch("seen")
        # Beside it, a version of text alone can be kept and read.
        text = Prompt("seen", (PromptTurn("system", "Look."),))
        assert (await platform.prompts.publish(text)).version == "2"


async def test_a_name_that_langfuse_cannot_have_is_refused_with_its_reason(
    platform: LangfusePlatform,
) -> None:
    async with platform:
        with pytest.raises(PlatformError, match=r"contain '\|'"):
            await platform.prompts.publish(Prompt("a|b", JUDGE.turns))
