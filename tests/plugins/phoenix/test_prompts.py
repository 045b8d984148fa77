"""Prompts among those that people and other tools keep in Phoenix."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from phoenix_process import Phoenix

from vlmops.errors import PlatformError, UsageError
from vlmops.platforms import Prompt, PromptTurn
from vlmops_phoenix import PhoenixPlatform
from vlmops_phoenix.settings import PhoenixSettings

JUDGE = Prompt("caption", (PromptTurn("system", "Judge."), PromptTurn("user", "{{material}}")))


@pytest.mark.parametrize("name", ["Caption", "judges/caption", "caption.correct", "-caption", ""])
async def test_a_name_that_phoenix_cannot_have_is_refused_before_anything_is_sent(name: str) -> None:
    prompts = PhoenixPlatform(PhoenixSettings("http://phoenix.invalid")).prompts
    with pytest.raises(UsageError, match="lower-case letters"):
        await prompts.publish(Prompt(name, JUDGE.turns))
    with pytest.raises(UsageError, match="lower-case letters"):
        await prompts.publish(JUDGE, labels=[name])
    with pytest.raises(PlatformError, match="publish it first"):
        await prompts.fetch(name)


@pytest.mark.integration
class TestOnAServer:
    @pytest.fixture
    async def platform(self, phoenix_server: Phoenix) -> AsyncIterator[PhoenixPlatform]:
        async with PhoenixPlatform(PhoenixSettings.resolve(url=phoenix_server.url)) as platform:
            yield platform

    def keep(
        self,
        server: Phoenix,
        name: str,
        messages: list[dict[str, Any]],
        template_format: str = "MUSTACHE",
    ) -> None:
        """What somebody else keeps."""
        version = {
            "model_provider": "OPENAI",
            "model_name": "gpt-4.1",
            "template": {"type": "chat", "messages": messages},
            "template_type": "CHAT",
            "template_format": template_format,
            "invocation_parameters": {"type": "openai", "openai": {}},
        }
        body = {"prompt": {"name": name}, "version": version}
        server.post("/v1/prompts", json=body).raise_for_status()

    def ids(self, server: Phoenix, name: str) -> list[str]:
        """What Phoenix itself calls the prompts of this name."""
        listed = server.get("/v1/prompts").json()["data"]
        return [prompt["id"] for prompt in listed if prompt["name"] == name]

    async def test_the_page_of_a_version_is_where_phoenix_has_it(
        self, platform: PhoenixPlatform, phoenix_server: Phoenix
    ) -> None:
        version = await platform.prompts.publish(JUDGE)
        (identity,) = self.ids(phoenix_server, "caption")
        assert version.url == f"{phoenix_server.url}/prompts/{identity}/versions/{version.id}"

    async def test_prompts_of_others_are_read_in_our_words(
        self, platform: PhoenixPlatform, phoenix_server: Phoenix
    ) -> None:
        parts = [{"type": "text", "text": "How many "}, {"type": "text", "text": "coins?"}]
        said = [{"role": "developer", "content": "Count."}, {"role": "user", "content": parts}]
        self.keep(phoenix_server, "theirs", [*said, {"role": "ai", "content": "Seven."}])
        assert (await platform.prompts.fetch("theirs")).prompt.turns == (
            PromptTurn("system", "Count."),
            PromptTurn("user", "How many coins?"),
            PromptTurn("assistant", "Seven."),
        )

    async def test_the_slots_of_a_format_string_are_as_on_every_platform(
        self, platform: PhoenixPlatform, phoenix_server: Phoenix
    ) -> None:
        said = [{"role": "user", "content": 'Count {what}. Answer {{"n": 0}}'}]
        self.keep(phoenix_server, "format", said, "F_STRING")
        (turn,) = (await platform.prompts.fetch("format")).prompt.turns
        assert turn.text == 'Count {{what}}. Answer {"n": 0}'

    async def test_a_prompt_with_more_than_text_is_not_cut_down_to_its_text(
        self, platform: PhoenixPlatform, phoenix_server: Phoenix
    ) -> None:
        result = {"type": "tool_result", "tool_call_id": "c", "tool_result": {"n": 7}}
        self.keep(phoenix_server, "tools", [{"role": "tool", "content": [result]}])
        with pytest.raises(PlatformError, match=r"'tools'.*holds more than text"):
            await platform.prompts.fetch("tools")
        assert (await platform.prompts.publish(Prompt("tools", JUDGE.turns))).prompt.turns == JUDGE.turns
