"""A judge's instructions as a prompt of the platform: versioned there, and named by its scores."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TypeVar

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.judges.instructions import QUESTION
from vlmops.judges.judge import Judge
from vlmops.platforms.port import KeepsPrompts
from vlmops.platforms.prompts import Prompt, PromptTurn

if TYPE_CHECKING:
    from collections.abc import Collection

    from vlmops.platforms.port import Platform

J = TypeVar("J", bound=Judge)


def publish_prompt(
    platform: Platform, judge: J, *, name: str | None = None, labels: Collection[str] = ()
) -> J:
    """Keep a judge's prompt on a platform; blocking form of :func:`publish_prompt_async`.

    Example:
        >>> from vlmops.judges import Rubric, YesNo
        >>> from vlmops.testing import MemoryPlatform
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> judge = Judge(name="truth", model="openai:gpt-4.1", rubric=rubric)
        >>> publish_prompt(MemoryPlatform(), judge).prompt
        {'name': 'truth', 'version': '1'}
    """
    return blocking(lambda: publish_prompt_async(platform, judge, name=name, labels=labels), platform)


async def publish_prompt_async(
    platform: Platform, judge: J, *, name: str | None = None, labels: Collection[str] = ()
) -> J:
    """Keep a judge's instructions as a prompt of the platform, where people read and compare its versions.

    Its metadata hold the schema of the verdict, what of a case is shown, and the fingerprint of all that is
    asked, worked examples included, whose pictures no platform keeps in prompts. A judge that asks the same
    has the same version. What people edit there changes no judge: its rubric does.

    Args:
        platform: Where.
        judge: Whose prompt.
        name: Of the prompt; the judge's own by default.
        labels: Made to point to this version, e.g. ``("production",)``.

    Returns:
        The same judge, each of whose scores names the prompt and its version.

    Raises:
        UsageError: The platform keeps no prompts, or none of that name.
        PlatformError: The platform did not keep it.
    """
    if not isinstance(platform, KeepsPrompts):
        raise UsageError(f"{platform.name} keeps no prompts")
    version = await platform.prompts.publish(prompt_of(judge, name), labels)
    return replace(judge, prompt=version.reference)


def prompt_of(judge: Judge, name: str | None = None) -> Prompt:
    """What a judge asks, with a slot for what it is shown.

    Example:
        >>> from vlmops.judges import Rubric, YesNo
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> prompt = prompt_of(Judge(name="truth", model="openai:gpt-4.1", rubric=rubric))
        >>> [turn.role for turn in prompt.turns], prompt.metadata["examples"]
        (['system', 'user'], 0)
    """
    turns = (PromptTurn("system", judge.instructions), PromptTurn("user", f"{{{{material}}}}\n\n{QUESTION}"))
    metadata = {
        "judge": judge.name,
        "fingerprint": judge.fingerprint,
        "schema": judge.rubric.schema(),
        "view": asdict(judge.view),
        "examples": len(judge.examples),
    }
    return Prompt(name or judge.name, turns, metadata)
