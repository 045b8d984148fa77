"""Reading a label out of an answer: normalisation, synonyms, and free text without guessing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vlmops.errors import EvaluatorError
from vlmops.evaluators.text import shown

_JOINERS = re.compile(r"(?<=\w)[_\-‐‑–—/]+(?=\w)|\s+")
_OUTER = " .,;:!?\"'`*_()[]{}«»“”‘’"
_ANSWER_MARK = re.compile(
    r"\b(?:final\s+answer|answer|label|class|category|verdict|prediction)\s*(?:is\b|:|=)\s*", re.IGNORECASE
)
_NEGATION = re.compile(
    r"\b(?:no|non|not|without|never|isn'?t|aren'?t|wasn'?t|doesn'?t|don'?t|neither|nor|free of|rather than"
    r"|instead of)"
    r"(?: (?:a|an|any|the|have|has|show|shows|see|of|visible|clearly|really|signs?|evidence)){0,4} $"
)
_NEGATION_REACH = 80
# A sign or a decimal part belongs to a number: neither "-1" nor "1.5" mentions the label "1".
_WHOLE_WORD = r"(?<![\w+\-])(?<!\d[.,]){}(?!\w|[.,]\d)"


def normalize_label(value: Any) -> str:
    """The form in which labels are compared.

    Unicode NFKC, case-folded, outer punctuation, quotes and Markdown signs removed; runs of white space, and
    ``_``, ``-`` and ``/`` between words, become one space. ``True`` and ``1`` stay different, as do ``-1``
    and ``1``.

    Example:
        >>> normalize_label(" **Surface_Scratch**. ")
        'surface scratch'
    """
    return _plain(str(value)).strip(_OUTER)


@dataclass(frozen=True, slots=True)
class LabelReading:
    """What was read out of an answer.

    Attributes:
        label: The label, or ``None`` when none or several could be meant.
        problem: Why there is none; empty otherwise.
        mentioned: Labels that the answer mentions without negation, in the order of the label set.
    """

    label: str | None
    problem: str = ""
    mentioned: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelSet:
    """The labels of a task and how answers name them.

    An answer is read by this rule, in order; each step decides only if exactly one label fits:

    1. The whole answer, normalised, is a label or a synonym.
    2. Free text only: the labels mentioned, as whole words, after the last "answer:", "label is" or the like.
    3. Free text only: the labels mentioned in the whole answer.

    A mention inside a longer one does not count ("scratch" in "no scratch", where that is a label), nor does
    one that is negated just before it ("not a scratch"). Several different labels are ambiguous: there is no
    label then.

    Attributes:
        labels: The labels, as gold writes them.
        synonyms: Other names of a label, by label.
        free_text: Whether sentences are read (steps 2 and 3).

    Example:
        >>> defects = LabelSet(("ok", "scratch", "dent"), synonyms={"ok": ["no defect", "flawless"]})
        >>> defects.read("The housing shows a long Scratch.").label
        'scratch'
        >>> defects.read("No defect, in particular no dent.").label
        'ok'
        >>> defects.read("a scratch or a dent").problem
        "'a scratch or a dent' names several labels: scratch, dent"
    """

    labels: tuple[str, ...]
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    free_text: bool = True

    def __post_init__(self) -> None:
        if strangers := [label for label in self.synonyms if label not in self.labels]:
            raise EvaluatorError(f"synonyms are given for {strangers}, which are not among the labels")
        self._by_name  # noqa: B018 - names of two labels are an error of the configuration: say so at once

    def read(self, answer: Any) -> LabelReading:
        """The label that an answer names, or the reason why it names none."""
        whole = normalize_label(answer)
        if whole in self._by_name and isinstance(answer, str | int | float):
            label = self._by_name[whole]
            return LabelReading(label, mentioned=(label,))
        quoted = shown(str(answer))
        if not whole:
            return LabelReading(None, "the answer is empty")
        if not self.free_text or not isinstance(answer, str):
            return LabelReading(None, f"{quoted} is none of the labels: {', '.join(self.labels)}")
        mentioned = self._mentioned(answer)
        after_mark = self._after_mark(answer)
        for found in (after_mark, mentioned):
            if len(found) == 1:
                return LabelReading(found[0], mentioned=mentioned)
            if len(found) > 1:
                break
        if not mentioned:
            return LabelReading(None, f"{quoted} names none of the labels: {', '.join(self.labels)}")
        return LabelReading(None, f"{quoted} names several labels: {', '.join(mentioned)}", mentioned)

    def read_all(self, answer: Any) -> tuple[str, ...] | None:
        """All labels that an answer names: a list of labels, or a text that mentions them.

        Returns:
            The labels in the order of the label set; ``None`` when an entry is no label, or a text names
            none.

        Example:
            >>> LabelSet(("dent", "rust")).read_all("There is rust, and a dent.")
            ('dent', 'rust')
            >>> LabelSet(("dent", "rust")).read_all([])
            ()
        """
        if isinstance(answer, str):
            label = self._by_name.get(normalize_label(answer))
            if label is not None:
                return (label,)
            return (self._mentioned(answer) or None) if self.free_text else None
        if not isinstance(answer, Sequence | set | frozenset):
            return None
        found = {self._by_name.get(normalize_label(entry)) for entry in answer}
        return None if None in found else tuple(label for label in self.labels if label in found)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for label in self.labels:
            for name in (label, *self.synonyms.get(label, ())):
                key = normalize_label(name)
                if not key:
                    raise EvaluatorError(f"label {label!r} has a name without letters or digits: {name!r}")
                if names.setdefault(key, label) != label:
                    raise EvaluatorError(f"{name!r} names both {names[key]!r} and {label!r}")
        return names

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Longest first, so that "no scratch" is found before the "scratch" inside it.
        names = sorted(self._by_name, key=len, reverse=True)
        return re.compile("|".join(_WHOLE_WORD.format(re.escape(name)) for name in names))

    def _after_mark(self, text: str) -> tuple[str, ...]:
        marks = list(_ANSWER_MARK.finditer(text))
        return self._mentioned(text[marks[-1].end() :]) if marks else ()

    def _mentioned(self, text: str) -> tuple[str, ...]:
        plain = _plain(text)
        found = {
            self._by_name[match.group()]
            for match in self._pattern.finditer(plain)
            if not _NEGATION.search(plain, max(0, match.start() - _NEGATION_REACH), match.start())
        }
        return tuple(label for label in self.labels if label in found)


def _plain(text: str) -> str:
    return _JOINERS.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
