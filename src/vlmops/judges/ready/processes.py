"""A judge of steps in a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vlmops.evaluators.registry import register
from vlmops.judges.judge import Judge
from vlmops.judges.rubric import Choice, Rubric, YesNo

_STEP = Rubric(
    "An assistant was asked whether a step of a process has been completed in the pictures, which are "
    "in order of time. First find out yourself what they show.",
    (
        Choice(
            "state",
            "Which state of the step do the pictures show, whatever the answer says?",
            {
                "completed": "its result can be seen",
                "in_progress": "it has been begun and its result cannot be seen yet",
                "not_begun": "nothing of it can be seen",
                "done_wrongly": "it has been done, but not as the question describes it",
            },
        ),
        YesNo(
            "right",
            "Does the answer say of the step what the pictures show?",
            yes="Its verdict is that state, in whatever words.",
            no="Its verdict is another state, or rests on something that the pictures do not show.",
        ),
    ),
)


@register("judge_step")
@dataclass(frozen=True, kw_only=True)
class StepJudge(Judge):
    """The ``.state`` of a step as the judge sees it, and whether the answer is ``.right``.

    Example:
        >>> StepJudge(model="openai:gpt-4.1").name
        'judge_step'
    """

    default_name: ClassVar[str] = "judge_step"
    rubric: Rubric = _STEP
