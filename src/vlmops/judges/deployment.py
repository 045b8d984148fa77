"""Judges on a platform's own server: what of a judge can be defined there, and what cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.judges.instructions import QUESTION, instructions
from vlmops.judges.rubric import CANNOT_TELL
from vlmops.platforms.judge_definitions import (
    JudgeDefinition,
    JudgeModel,
    JudgeSlot,
    RunsJudges,
    VerdictForm,
)
from vlmops.platforms.prompts import PromptTurn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vlmops.judges.judge import Judge
    from vlmops.judges.rubric import Criterion
    from vlmops.platforms.judge_definitions import DeployedJudge
    from vlmops.platforms.port import Platform

_FORM = "Give your reasoning first (what in the material decides, where in the picture), then the verdict."
_REASON = "What in the material decides this, and where in the picture it is, in 1-3 sentences."
_LABELS = {"input": "QUESTION AND PICTURES", "output": "ANSWER", "expected_output": "EXPECTED ANSWER"}


def deploy_judge(
    platform: Platform,
    judge: Judge,
    *,
    provider: str | None = None,
    platform_model: bool = False,
    text_only: bool = False,
) -> list[DeployedJudge]:
    """Have a platform's server judge by a rubric; blocking form of :func:`deploy_judge_async`.

    Example:
        >>> from vlmops.judges import Judge, Rubric, YesNo
        >>> from vlmops.testing import MemoryPlatform
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> judge = Judge(name="truth", model="openai:gpt-4.1", rubric=rubric)
        >>> [(each.name, each.version) for each in deploy_judge(MemoryPlatform(), judge)]
        [('truth', '1')]
    """
    return blocking(
        lambda: deploy_judge_async(
            platform, judge, provider=provider, platform_model=platform_model, text_only=text_only
        ),
        platform,
    )


async def deploy_judge_async(
    platform: Platform,
    judge: Judge,
    *,
    provider: str | None = None,
    platform_model: bool = False,
    text_only: bool = False,
) -> list[DeployedJudge]:
    """Have a platform's own server judge by a rubric; what it judges is chosen there.

    Each criterion becomes a judge of its own, named as its score is. A judge that needs pictures is refused
    where the server would show it none: it would give verdicts all the same.

    Args:
        platform: Where.
        judge: The judge.
        provider: The platform's connection by which its model is asked; what stands before the colon of the
            model's name otherwise.
        platform_model: Have the model judge that the platform has chosen, whatever the judge's own is.
        text_only: Needed for a judge whose view shows no pictures: it says that the rubric needs none.

    Raises:
        UsageError: The platform's server runs no judges, or none like this one; the message says why, and
            what to do instead.
        PlatformError: The platform did not keep it.
    """
    definitions = definitions_of(judge, provider=provider, platform_model=platform_model)
    pictures = any(each.pictures for each in definitions)
    if pictures and text_only:
        raise UsageError(
            f"{judge.name}: the judge is shown pictures, so it is not for text alone: set pictures = false "
            "in its view if its rubric needs none"
        )
    if not pictures and not text_only:
        raise UsageError(
            f"{judge.name}: its view shows no pictures: say --text-only (text_only=True) if its rubric "
            "needs none"
        )
    if not isinstance(platform, RunsJudges):
        raise UsageError(f"{platform.name} has no server that could judge: {_INSTEAD}")
    for each in definitions:
        if why := await platform.judge_definitions.obstacle(each):
            raise UsageError(f"{each.name}: {why}; {_INSTEAD}")
    return [await platform.judge_definitions.deploy(each) for each in definitions]


_INSTEAD = "judge from here, where it sees: 'vlmops score -e ...', or an evaluator of the experiment"


def definitions_of(
    judge: Judge, *, provider: str | None = None, platform_model: bool = False
) -> list[JudgeDefinition]:
    """What a server needs to know to judge as this judge does, a criterion each.

    What the application wrote stands between marks with a code that is the rubric's, not one of the case: a
    server cannot make it from what it fills in. A judge that may abstain answers by labels, of which
    ``cannot_tell`` is one, so that what it cannot tell is no bad score.

    Raises:
        UsageError: It shows what a server cannot: worked examples, regions, reference pictures.

    Example:
        >>> from vlmops.judges import Judge, Rubric, YesNo
        >>> rubric = Rubric("Judge a caption.", (YesNo("true", "Is all of it true?"),))
        >>> (found,) = definitions_of(Judge(name="truth", model="openai:gpt-4.1", rubric=rubric))
        >>> found.verdict.labels, found.model
        (('yes', 'no', 'cannot_tell'), JudgeModel(provider='openai', name='gpt-4.1'))
    """
    for what in _beyond_servers(judge):
        raise UsageError(f"{judge.name}: a platform's server cannot show a judge {what}; {_INSTEAD}")
    model = None if platform_model else _model_of(judge, provider)
    slots = tuple(_slots(judge))
    criteria = judge.rubric.criteria
    return [
        JudgeDefinition(
            judge.name if len(criteria) == 1 else judge.part(criterion.name),
            _turns(judge, criterion, slots),
            slots,
            _form(criterion, abstain=judge.rubric.abstain),
            judge.view.pictures,
            model,
        )
        for criterion in criteria
    ]


def _beyond_servers(judge: Judge) -> Iterator[str]:
    view = judge.view
    if judge.examples:
        yield "worked examples with their pictures: leave them out"
    if view.regions is not None:
        yield f"regions that are cut out of a picture (view.regions = {view.regions!r})"
    if view.reference is not None:
        yield f"which of the pictures is the reference (view.reference = {view.reference!r})"
    if view.pictures and not view.question:
        yield "the pictures of an input without its question (view.question = false)"


def _model_of(judge: Judge, provider: str | None) -> JudgeModel:
    before, colon, after = judge.models[0].name.partition(":")
    if colon:
        return JudgeModel(provider or before, after)
    if provider is None:
        raise UsageError(
            f"{judge.name}: its model {before!r} is none that a server could ask: name the platform's "
            "connection (--provider), or let the platform choose (--platform-model)"
        )
    return JudgeModel(provider, before)


def _slots(judge: Judge) -> Iterator[JudgeSlot]:
    if judge.view.question or judge.view.pictures:
        yield JudgeSlot("input", "input")
    if judge.view.expected:
        yield JudgeSlot("expected_output", "expected")
    if judge.view.answer:
        yield JudgeSlot("output", "output", judge.key)


def _turns(judge: Judge, criterion: Criterion, slots: Sequence[JudgeSlot]) -> tuple[PromptTurn, ...]:
    rubric = replace(judge.rubric, criteria=(criterion,))
    code = judge.fingerprint[:12]
    shown = [
        f"{_LABELS[slot.name]}:\n<<<material {code}\n{{{{{slot.name}}}}}\nmaterial {code}>>>"
        for slot in slots
    ]
    return (
        PromptTurn("system", instructions(rubric.task, rubric.text(), _FORM)),
        PromptTurn("user", "\n\n".join([*shown, QUESTION])),
    )


def _form(criterion: Criterion, *, abstain: bool) -> VerdictForm:
    verdicts = criterion.verdicts()
    values = [criterion.value(verdict) for verdict in verdicts]
    if abstain or any(isinstance(value, str) for value in values):
        labels = (*verdicts, *([CANNOT_TELL] if abstain else []))
        return VerdictForm(labels, reason=_REASON, value=f"The verdict: one of {', '.join(labels)}.")
    if all(isinstance(value, bool) for value in values):
        return VerdictForm(reason=_REASON, value="True for a yes, false for a no.")
    return VerdictForm(range=criterion.range, reason=_REASON, value="The number, a whole one.")
