"""A judge of captions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vlmops.evaluators.registry import register
from vlmops.judges.judge import Judge
from vlmops.judges.rubric import Rubric, Scale

_CAPTION = Rubric(
    "An assistant wrote a caption for the pictures. Judge the caption.",
    (
        Scale(
            "correct",
            "How correct is what the caption says?",
            {
                1: "It describes something other than the picture.",
                2: "The main subject or what happens is wrong.",
                3: "The main subject is right; two or more details are wrong.",
                4: "One small detail is wrong.",
                5: "Nothing is wrong.",
            },
            pass_at=4,
        ),
        Scale(
            "complete",
            "How much of what matters in the picture does the caption say?",
            {
                1: "Nothing that matters.",
                2: "The main subject is left out, or named without what happens or where.",
                3: "The main subject and what happens; the setting or another main subject is left out.",
                4: "All but one thing that a viewer would name first.",
                5: "Everything that a viewer would name first.",
            },
            pass_at=3,
        ),
    ),
)


@register("judge_caption")
@dataclass(frozen=True, kw_only=True)
class CaptionJudge(Judge):
    """Whether a caption is good: ``.correct`` and ``.complete``, 1 to 5 each; higher is better.

    Example:
        >>> CaptionJudge(model="openai:gpt-4.1").name
        'judge_caption'
    """

    default_name: ClassVar[str] = "judge_caption"
    rubric: Rubric = _CAPTION
