"""A judge's instructions as a prompt of the platform: versioned there, and named by its scores."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.judges.instructions import COMPARISON, QUESTION
from vlmops.judges.judge import Judge
from vlmops.judges.pairwise import PairwiseJudge
from vlmops.judges.panel import Panel
from vlmops.platforms.port import KeepsPrompts
from vlmops.platforms.prompts import Prompt, PromptTurn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from vlmops.evaluators.evaluator import Evaluator
    from vlmops.platforms.port import Platform

J = TypeVar("J", bound=Judge | PairwiseJudge | Panel)


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

    The members of a panel who ask the same share one prompt of the panel's name; who ask otherwise has one of
    its own.

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
        UsageError: The platform keeps no prompts, or none of that name; a panel has a member that is no
            judge.
        PlatformError: The platform did not keep it.
    """
    if not isinstance(platform, KeepsPrompts):
        raise UsageError(f"{platform.name} keeps no prompts")
    if not isinstance(judge, Panel):
        version = await platform.prompts.publish(prompt_of(judge, name), labels)
        return replace(judge, prompt=version.reference)
    together = len({_asked(member) for member in judge.judges}) == 1
    members = []
    for member in judge.judges:
        own = name or judge.name if together else f"{name}-{member.name}" if name else member.name
        published = await publish_prompt_async(platform, replace(_judge(member), name=own), labels=labels)
        members.append(replace(_judge(member), prompt=published.prompt))
    return replace(judge, judges=tuple(members))


def prompts_of(judge: Judge | PairwiseJudge | Panel) -> list[Mapping[str, Any]]:
    """Names and versions of the prompts a judge was published with, each once.

    Example:
        >>> from vlmops.judges import Rubric, YesNo
        >>> from vlmops.testing import MemoryPlatform
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> members = tuple(Judge(name=n, model=f"openai:{n}", rubric=rubric) for n in ("o3", "gpt-4.1"))
        >>> prompts_of(publish_prompt(MemoryPlatform(), Panel(name="truth", judges=members)))
        [{'name': 'truth', 'version': '1'}]
    """
    members = [_judge(member) for member in judge.judges] if isinstance(judge, Panel) else [judge]
    found: list[Mapping[str, Any]] = []
    for member in members:
        if member.prompt is not None and member.prompt not in found:
            found.append(member.prompt)
    return found


def _judge(member: Evaluator) -> Judge:
    if not isinstance(member, Judge):
        raise UsageError(f"{member.name!r} is no judge that asks by a rubric: it has no prompt")
    return member


def _asked(member: Evaluator) -> str:
    return _judge(member).fingerprint


def prompt_of(judge: Judge | PairwiseJudge, name: str | None = None) -> Prompt:
    """What a judge asks, with a slot for what it is shown.

    Example:
        >>> from vlmops.judges import Rubric, YesNo
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> prompt = prompt_of(Judge(name="truth", model="openai:gpt-4.1", rubric=rubric))
        >>> [turn.role for turn in prompt.turns], prompt.metadata["examples"]
        (['system', 'user'], 0)
    """
    question = QUESTION if isinstance(judge, Judge) else COMPARISON
    turns = (PromptTurn("system", judge.instructions), PromptTurn("user", f"{{{{material}}}}\n\n{question}"))
    metadata = {
        "judge": judge.name,
        "fingerprint": judge.fingerprint,
        "schema": judge.rubric.schema(),
        "view": asdict(judge.view),
        "examples": len(judge.examples) if isinstance(judge, Judge) else 0,
    }
    return Prompt(name or judge.name, turns, metadata)
