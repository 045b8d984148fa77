"""A judge of what was read from documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vlmops.evaluators.registry import register
from vlmops.judges.judge import Judge
from vlmops.judges.rubric import Rubric, YesNo

_EXTRACTION = Rubric(
    "An assistant read fields or text from the pictured document. Compare what it gives with the "
    "document itself.",
    (
        YesNo(
            "faithful",
            "Does every value that the answer gives stand in the document, for the field it is given for?",
            yes="Each value can be found in the document and belongs to its field; a changed form of the "
            "same value (12,50 as 12.5, a date in another order) is right where it says the same.",
            no="At least one value is misread, belongs to another field, or stands nowhere in the "
            "document. Name it, and what the document has instead.",
        ),
        YesNo(
            "complete",
            "Is every value that was asked for, and that the document holds, in the answer?",
            yes="Nothing that was asked for and can be read is left out; an empty value is right where the "
            "document has none.",
            no="A value that was asked for can be read in the document and is not in the answer. Name it.",
        ),
    ),
)


@register("judge_extraction")
@dataclass(frozen=True, kw_only=True)
class ExtractionJudge(Judge):
    """Whether what was read from a document is ``.faithful`` and ``.complete``; ``True`` is good.

    Example:
        >>> ExtractionJudge(model="openai:gpt-4.1").name
        'judge_extraction'
    """

    default_name: ClassVar[str] = "judge_extraction"
    rubric: Rubric = _EXTRACTION
