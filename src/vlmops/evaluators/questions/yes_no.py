"""Yes or no, read from an answer: by our rules, or as published evaluations read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.questions.answer_text import strip_punctuation
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import as_text, shown

if TYPE_CHECKING:
    from collections.abc import Callable

YesNoVariant = Literal["vlmops", "pope", "lmms_eval", "vlmevalkit"]
"""Whose reading; see :func:`extract_yes_no`."""

YesNoLabel = Literal["yes", "no"]

_LEADING = re.compile(
    r"[\W_]*(yes|yeah|yep|yup|no|nope|nah|true|false)\b(?!-|\s*(?:or|/)\s*(?:yes|no)\b)", re.IGNORECASE
)
_STATED = re.compile(r"\banswer\s*(?:is\s*:?|:)[\s*_\"'(]{0,8}(yes|no)\b", re.IGNORECASE)
_WORD = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_POSITIVE = frozenset(("yes", "yeah", "yep", "yup", "true"))


def extract_yes_no(text: str, variant: YesNoVariant = "vlmops") -> YesNoLabel | None:
    """``"yes"``, ``"no"``, or ``None`` where the answer says neither, or both.

    - ``vlmops``: the first word, if it is yes, no, or one of their everyday forms, true or false; else the
      last "the answer is yes"; else whichever of the words yes and no occurs alone. In any case and mark-up.
    - ``pope``: POPE's own. In the first sentence, commas left out, one of the words ``No``, ``no``, ``not``
      means no; **everything else means yes**, the empty answer and ``"NO"`` too.
    - ``lmms_eval``: the answer must be nothing but yes or no, in any case.
    - ``vlmevalkit``: whichever of the words yes and no occurs alone, in any case.

    Raises:
        ValueError: The variant is unknown.

    Example:
        >>> extract_yes_no("Yes, there is no doubt."), extract_yes_no("Yes, there is no doubt.", "vlmevalkit")
        ('yes', None)
        >>> extract_yes_no("I cannot tell."), extract_yes_no("I cannot tell.", "pope")
        (None, 'yes')
    """
    reader = _READERS.get(variant)
    if reader is None:
        raise ValueError(f"no yes/no reader is named {variant!r}; there are: {', '.join(sorted(_READERS))}")
    return reader(text)


def _ours(text: str) -> YesNoLabel | None:
    leading = _LEADING.match(text)
    if leading:
        return "yes" if leading[1].casefold() in _POSITIVE else "no"
    stated = _STATED.findall(text)
    said = {stated[-1].casefold()} if stated else {word.casefold() for word in _WORD.findall(text)}
    return _only(said)


def _pope(text: str) -> YesNoLabel:
    words = text.split(".")[0].replace(",", "").split(" ")
    return "no" if any(word in words for word in ("No", "not", "no")) else "yes"


def _lmms_eval(text: str) -> YesNoLabel | None:
    return _only({text.lower().strip()} & {"yes", "no"})


def _vlmevalkit(text: str) -> YesNoLabel | None:
    return _only({"yes", "no"}.intersection(strip_punctuation(text.lower(), "vlmevalkit").split()))


def _only(said: set[str]) -> YesNoLabel | None:
    if said == {"yes"}:
        return "yes"
    return "no" if said == {"no"} else None


_READERS: dict[str, Callable[[str], YesNoLabel | None]] = {
    "lmms_eval": _lmms_eval,
    "pope": _pope,
    "vlmevalkit": _vlmevalkit,
    "vlmops": _ours,
}


def yes_no_label(value: Any) -> YesNoLabel | None:
    """An expected value as yes or no: ``True``, ``"Yes"``, ``"no"`` and the like; ``None`` for anything else.

    Example:
        >>> yes_no_label(True), yes_no_label(" No "), yes_no_label("maybe")
        ('yes', 'no', None)
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _lmms_eval(value) if isinstance(value, str) else None


@dataclass(frozen=True, kw_only=True)
class YesNoReader(ComparisonEvaluator):
    """Base of evaluators of yes/no questions.

    Attributes:
        variant: Whose reading of the answer, see :func:`extract_yes_no`.
    """

    variant: YesNoVariant = "vlmops"

    def read(self, output: Any, expected: Any) -> tuple[YesNoLabel | None, YesNoLabel] | Failure:
        """What the answer says (``None`` for neither, or both) and what is right."""
        right = yes_no_label(expected)
        if right is None:
            return self.failure(
                FailureKind.MISSING_EXPECTED, f"expected: yes or no is needed, not {expected!r}"
            )
        if isinstance(output, bool):
            return yes_no_label(output), right
        try:
            return extract_yes_no(as_text(output), self.variant), right
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, f"output: {error}")

    def unread(self, output: Any) -> Failure:
        """The failure of an answer that says neither, or both."""
        return self.failure(
            FailureKind.UNPARSABLE, f"the answer says neither yes nor no, or both: {shown(output)}"
        )


@register("yes_no")
@dataclass(frozen=True, kw_only=True)
class YesNo(YesNoReader):
    """Whether a yes/no question is answered rightly; an answer that says neither is a failure.

    ``expected`` is ``"yes"`` or ``"no"`` in any case, or a boolean. For precision, recall and F1 over a set
    use ``pope``.

    Attributes:
        variant: Whose reading of the answer, see :func:`extract_yes_no`.

    Example:
        >>> from vlmops.evaluators import Case
        >>> YesNo().evaluate(Case(output="No, there is none.", expected="no")).value
        True
    """

    default_name: ClassVar[str] = "yes_no"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one answer."""
        pair = self.read(output, expected)
        if isinstance(pair, Failure):
            return pair
        answer, right = pair
        if answer is None:
            return self.unread(output)
        return Score(self.name, answer == right, f"{answer} was read, {right} is right")
