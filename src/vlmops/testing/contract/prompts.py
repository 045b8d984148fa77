"""What must hold of prompts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vlmops.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from vlmops.platforms import (
        Platform,
    )

from vlmops.testing.contract.base import Contract
from vlmops.testing.contract.reading import fetched, prompt_of, published


class PromptContract(Contract):
    """Publishing, fetching, labels."""

    def test_a_published_prompt_comes_back_as_it_was(self, platform: Platform, name: str) -> None:
        given = prompt_of(name, 'Judge {what is shown}.\n- a <tag>, a "quote", größer ✓')
        version = published(platform, given)
        assert fetched(platform, name) == version
        assert fetched(platform, name, version=version.version).prompt.content == given.content
        assert version.url

    def test_the_same_prompt_keeps_its_version(self, platform: Platform, name: str) -> None:
        first = published(platform, prompt_of(name, "one"))
        second = published(platform, prompt_of(name, "two"))
        assert published(platform, prompt_of(name, "one")).id == first.id
        assert published(platform, prompt_of(name, "two")).id == second.id
        assert first.version != second.version
        assert fetched(platform, name).prompt.turns[0].text == "two"
        other = published(platform, replace(prompt_of(name, "two"), metadata={"view": {"max_side": 800}}))
        assert other.version not in (first.version, second.version)

    def test_a_label_points_to_one_version_of_a_prompt(self, platform: Platform, name: str) -> None:
        first = published(platform, prompt_of(name, "one"), "checked")
        assert fetched(platform, name, label="checked").id == first.id
        second = published(platform, prompt_of(name, "two"))
        assert fetched(platform, name, label="checked").id == first.id
        assert published(platform, prompt_of(name, "two"), "checked").labels == ("checked",)
        assert fetched(platform, name, label="checked").id == second.id
        assert fetched(platform, name, version=first.version).labels == ()

    def test_fetching_a_prompt_that_is_not_there_is_an_error(self, platform: Platform, name: str) -> None:
        with pytest.raises(PlatformError, match=name):
            fetched(platform, name)
        published(platform, prompt_of(name, "one"))
        with pytest.raises(PlatformError, match=name):
            fetched(platform, name, label="nobody")
        with pytest.raises(UsageError):
            fetched(platform, name, version="1", label="checked")
