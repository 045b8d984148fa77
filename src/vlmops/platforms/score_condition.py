"""Conditions on recorded scores: which executions are chosen by what was said of them."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators import Score

LABEL_KEY = "label"
"""Where a score's metadata holds its label when it has a number as well."""

Sign = Literal["", "=", "!=", "<", "<=", ">", ">="]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WRITTEN = re.compile(r"(?P<name>[^<>=!]+?)\s*(?:(?P<sign><=|>=|!=|==|=|<|>)\s*(?P<value>.*))?", re.DOTALL)
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class ScoreCondition:
    """What one of an execution's scores must be.

    A number is compared with a score's number, a pass counting 1 and a fail 0; a text with its label.
    ``true`` and ``false`` are a pass and a fail. Of several scores of the name (two people, a model and a
    person) one that fits is enough.

    Attributes:
        name: Name of the score.
        sign: How to compare; empty when any score of the name will do.
        value: What to compare with.

    Raises:
        UsageError: The name is empty, or labels are asked for their size.

    Example:
        >>> from vlmops.evaluators import Score
        >>> condition = ScoreCondition.parse("hallucination < 0.5")
        >>> condition.holds(Score("hallucination", 0.2)), condition.holds(Score("hallucination", 0.7))
        (True, False)
        >>> ScoreCondition.parse("feedback=thumbs-down").holds(Score("feedback", "thumbs-down"))
        True
        >>> ScoreCondition.parse("reviewed").holds(Score("reviewed", False))
        True
    """

    name: str
    sign: Sign = ""
    value: float | bool | str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UsageError("a condition on scores begins with a score's name: 'hallucination<0.5'")
        if self.sign in ("<", "<=", ">", ">=") and (
            isinstance(self.value, bool) or not isinstance(self.value, float | int)
        ):
            raise UsageError(f"{self}: only numbers are compared by size")

    @classmethod
    def parse(cls, text: str) -> ScoreCondition:
        """A condition as written: ``name``, or a name, one of ``= != < <= > >=``, and a value.

        Raises:
            UsageError: It is none.
        """
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"{text!r} is no condition on a score: write 'name<0.5' or 'name=label'")
        sign = match["sign"]
        if sign is None:
            return cls(match["name"])
        value = match["value"].strip()
        if not value:
            raise UsageError(f"{text!r} says nothing to compare with: write 'name<0.5' or 'name=label'")
        return cls(match["name"], cast("Sign", "=" if sign == "==" else sign), _read(value))

    def holds(self, score: Score) -> bool:
        """Whether this score fits."""
        if score.name != self.name:
            return False
        if not self.sign:
            return True
        found = [each for each in _sides(score) if _comparable(each, self.value)]
        if self.sign == "!=":
            return all(each != self.value for each in found)
        return any(_COMPARISONS[self.sign](each, self.value) for each in found)

    def __str__(self) -> str:
        shown = str(self.value).lower() if isinstance(self.value, bool) else self.value
        return f"{self.name}{self.sign}{shown}" if self.sign else self.name


def all_hold(conditions: Sequence[ScoreCondition], scores: Sequence[Score]) -> bool:
    """Whether each condition has a score that fits.

    Example:
        >>> from vlmops.evaluators import Score
        >>> scores = [Score("cer", 0.1), Score("cer", 0.9)]
        >>> all_hold([ScoreCondition.parse("cer<0.5"), ScoreCondition.parse("cer>0.5")], scores)
        True
    """
    return all(any(condition.holds(score) for score in scores) for condition in conditions)


def _read(text: str) -> float | bool | str:
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text


def _sides(score: Score) -> list[float | bool | str]:
    """The score's value, and its label where it has both."""
    label = score.metadata.get(LABEL_KEY)
    return [score.value, label] if isinstance(label, str) else [score.value]


def _comparable(have: float | bool | str, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return isinstance(have, bool | float | int)
    return isinstance(have, str) == isinstance(wanted, str)
