"""What to ask people: from a judge's rubric, or as written on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.judges.rubric import Choice, Scale
from vlmops.platforms.reviews import Question

if TYPE_CHECKING:
    from vlmops.judges.rubric import Criterion, Rubric

_SCALE = re.compile(r"(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)")


def questions_of(rubric: Rubric, judge: str) -> list[Question]:
    """The criteria of a rubric as questions to people, under the names of the judge's scores.

    Args:
        rubric: What the judge is asked.
        judge: Name of the judge.

    Example:
        >>> from vlmops.judges import YesNo
        >>> from vlmops.judges import Rubric as R
        >>> questions_of(R("Judge a caption.", (YesNo("true", "Is all of it true?"),)), "caption")[0].name
        'caption'
    """
    single = len(rubric.criteria) == 1
    return [_question(each, judge if single else f"{judge}.{each.name}") for each in rubric.criteria]


def parse_question(text: str) -> Question:
    """A question from ``NAME`` (pass/fail), ``NAME=1..5`` (a scale) or ``NAME=dent,scratch`` (labels).

    Raises:
        UsageError: It is none of these.

    Example:
        >>> parse_question("detail=1..5").range, parse_question("damage=none,dent").labels
        ((1.0, 5.0), ('none', 'dent'))
    """
    name, separator, answers = (part.strip() for part in text.partition("="))
    if not separator:
        return Question(name)
    if scale := _SCALE.fullmatch(answers):
        return Question(name, "scale", range=(float(scale[1]), float(scale[2])))
    labels = tuple(label.strip() for label in answers.split(","))
    if not all(labels) or len(labels) < 2:
        raise UsageError(
            f"{text!r} is no question: write NAME for pass or fail, NAME=1..5 for a scale, "
            "NAME=dent,scratch for labels"
        )
    return Question(name, "label", labels=labels)


def _question(criterion: Criterion, name: str) -> Question:
    text = criterion.text()
    if isinstance(criterion, Scale):
        return Question(name, "scale", text, criterion.range)
    if isinstance(criterion, Choice):
        return Question(name, "label", text, labels=tuple(criterion.labels))
    if criterion.range == (0.0, 1.0) and criterion.verdicts() == ["yes", "no"]:
        return Question(name, "pass/fail", text)
    return Question(name, "label", text, labels=tuple(criterion.verdicts()))
