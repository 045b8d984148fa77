"""A judge of descriptions of defects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vlmops.evaluators.registry import register
from vlmops.judges.judge import Judge
from vlmops.judges.rubric import Rubric, YesNo

_DEFECT = Rubric(
    "An assistant inspected the pictured product for defects. Look at the whole surface, then at the "
    "regions that are cut out, if there are any; a reference picture shows a part without defects.",
    (
        YesNo(
            "kind",
            "Is the kind of defect that the answer names the one that the pictures show?",
            yes="The kind is right, also by another common word for it; or the answer says that there is "
            "no defect, and there is none.",
            no="The kind is wrong, a defect is made up (a reflection, dirt, a seam), or one is overlooked.",
        ),
        YesNo(
            "place",
            "Is the defect where the answer says it is?",
            yes="The place is right, or the answer names none and was not asked for one.",
            no="The place is wrong.",
        ),
        YesNo(
            "severity",
            "Do the extent and severity that the answer gives fit what the pictures show?",
            yes="They fit, or the answer gives none and was not asked for any.",
            no="They are clearly over- or understated.",
        ),
    ),
)


@register("judge_defect")
@dataclass(frozen=True, kw_only=True)
class DefectJudge(Judge):
    """Whether a defect is described rightly: ``.kind``, ``.place``, ``.severity``; ``True`` is good.

    Give ``view=View(reference="reference", regions="boxes")`` to show a good part, and the regions enlarged.

    Example:
        >>> DefectJudge(model="openai:gpt-4.1").name
        'judge_defect'
    """

    default_name: ClassVar[str] = "judge_defect"
    rubric: Rubric = _DEFECT
