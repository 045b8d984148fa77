"""Judges of pictures that a model made or edited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from vlmops.evaluators.registry import register
from vlmops.judges.judge import Judge
from vlmops.judges.material import View
from vlmops.judges.rubric import Rubric, Scale, YesNo

_ALIGNMENT = Rubric(
    "A model made a picture to a description. Compare the picture that is the answer with the description.",
    (
        Scale(
            "alignment",
            "How much of what the description asks for does the picture show?",
            {
                1: "Nothing of it.",
                2: "The main subject is missing or wrong.",
                3: "The main subject is there; a number, colour, relation or text that was asked for is "
                "wrong.",
                4: "All is there but for one small thing.",
                5: "Everything is there, as described.",
            },
            pass_at=4,
        ),
        YesNo(
            "sound",
            "Is the picture free of faults of making?",
            yes="Bodies, hands, text and objects are whole and plausible.",
            no="Something is deformed, doubled, melted together, or text is garbled. Say what and where.",
        ),
    ),
)

_EDIT = Rubric(
    "A model edited a picture to an instruction. PICTURE is what it was given, the answer is what it "
    "made of it.",
    (
        YesNo(
            "done",
            "Is what the instruction asks for done in the edited picture?",
            yes="It is done, fully, and looks as if it belonged there.",
            no="It is not done, or only in part, or something else was done.",
        ),
        YesNo(
            "rest_kept",
            "Is everything that was to stay as it was before?",
            yes="Persons, objects, text, background and framing outside of the edit are unchanged.",
            no="Something else has changed: a face, a text, a colour, the framing. Say what and where.",
        ),
        YesNo(
            "clean",
            "Is the edit free of visible faults?",
            yes="There are no seams, smears, ghosts or wrong shadows.",
            no="There are. Say where.",
        ),
    ),
)


@register("judge_image_alignment")
@dataclass(frozen=True, kw_only=True)
class ImageAlignmentJudge(Judge):
    """How well a generated picture shows what was asked: ``.alignment`` 1 to 5, and ``.sound``.

    Example:
        >>> ImageAlignmentJudge(model="openai:gpt-4.1").name
        'judge_image_alignment'
    """

    default_name: ClassVar[str] = "judge_image_alignment"
    rubric: Rubric = _ALIGNMENT
    view: View = field(default_factory=lambda: View(pictures=False))


@register("judge_edit")
@dataclass(frozen=True, kw_only=True)
class EditJudge(Judge):
    """Whether an edit is ``.done``, the ``.rest_kept``, and it is ``.clean``; ``True`` is good.

    Example:
        >>> EditJudge(model="openai:gpt-4.1").name
        'judge_edit'
    """

    default_name: ClassVar[str] = "judge_edit"
    rubric: Rubric = _EDIT
