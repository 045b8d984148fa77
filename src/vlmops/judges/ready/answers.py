"""Judges of answers to questions about a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vlmops.evaluators.registry import register
from vlmops.judges.judge import Judge
from vlmops.judges.rubric import Rubric, Scale, YesNo

_GROUNDED = Rubric(
    "An assistant answered a question about the pictures. Judge whether the pictures bear the answer out.",
    (
        YesNo(
            "grounded",
            "Is every statement of the answer about the pictures borne out by what they show?",
            yes="Each statement can be checked in the pictures and holds; a cautious 'cannot be seen' is "
            "right where it cannot. Common knowledge that the pictures do not contradict is no fault.",
            no="At least one statement is contradicted by the pictures, or claims a detail (an object, a "
            "number, a colour, a place, a word of text) that cannot be found in them.",
        ),
    ),
)

_OBJECTS = Rubric(
    "An assistant described pictures or answered about them. Look for objects that it mentions as present.",
    (
        YesNo(
            "no_invented_object",
            "Is every object that the answer mentions as present really in the pictures?",
            yes="Each object that is said to be there can be pointed at. An object that is only said to be "
            "absent, wished for or compared with does not count.",
            no="At least one object is said to be there and is not. Name it in the reason. A right object "
            "in a wrong place or colour is not an invented one.",
        ),
    ),
)

_INSTRUCTION = Rubric(
    "An assistant was given an instruction with the pictures. Judge how far its answer does what was asked.",
    (
        Scale(
            "followed",
            "How far does the answer do what the instruction asks, in content and in form?",
            {
                1: "It does something else, or declines without a reason that lies in the pictures.",
                2: "It does the smaller part of what is asked.",
                3: "It does the main thing and leaves out, or gets wrong, something that was asked for.",
                4: "It does all that is asked, with a slip in form (length, units, order).",
                5: "It does exactly what is asked, in the form that is asked.",
            },
            pass_at=4,
        ),
    ),
)


@register("judge_grounded")
@dataclass(frozen=True, kw_only=True)
class GroundedAnswerJudge(Judge):
    """Whether the pictures bear out everything an answer says; ``True`` is good.

    Example:
        >>> GroundedAnswerJudge(model="openai:gpt-4.1").name
        'judge_grounded'
    """

    default_name: ClassVar[str] = "judge_grounded"
    rubric: Rubric = _GROUNDED


@register("judge_no_invented_object")
@dataclass(frozen=True, kw_only=True)
class HallucinatedObjectsJudge(Judge):
    """Whether an answer names no object as present that the pictures do not show; ``True`` is good.

    Example:
        >>> HallucinatedObjectsJudge(model="openai:gpt-4.1").name
        'judge_no_invented_object'
    """

    default_name: ClassVar[str] = "judge_no_invented_object"
    rubric: Rubric = _OBJECTS


@register("judge_instruction_followed")
@dataclass(frozen=True, kw_only=True)
class InstructionJudge(Judge):
    """How far an answer does what was asked, 1 to 5, and ``.pass`` from 4 on; higher is better.

    Example:
        >>> InstructionJudge(model="openai:gpt-4.1").name
        'judge_instruction_followed'
    """

    default_name: ClassVar[str] = "judge_instruction_followed"
    rubric: Rubric = _INSTRUCTION
