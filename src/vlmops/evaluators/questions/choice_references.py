"""Choice letters read from answers as published evaluations read them, quirks included.

Kept to reproduce and explain published figures; :func:`~vlmops.evaluators.questions.extract_choice` is the
one to use otherwise. Where a reference picks at random, these give ``None``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ChoiceVariant = Literal[
    "lmms_eval_mcq",
    "lmms_eval_mmbench",
    "lmms_eval_mmmu",
    "mmmu",
    "vlmevalkit",
    "vlmevalkit_regex",
]
"""Whose reading to reproduce; see :func:`reference_choice`."""

REFUSED = "Z"
"""What VLMEvalKit answers for a refusal."""

_API_FAILURE = "Failed to obtain answer via API"
_REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
_TO_SPACES = {ord(mark): " " for mark in ".()[],:;!*#{}"}
_STATED_ABCD = re.compile(r"(?:correct\s+)?answer\s+is\s+\**([ABCD])\**", re.IGNORECASE)
_MMBENCH_LABELS = "ABCDE"
_MMBENCH_AFFIXES = (
    ("", "."), ("", ","), ("", ":"), ("", ")"), ("", ")."), ("(", ")"),
    ("(", ")."), (":", ""), (":", ","), (":", "."), (":", ")"), (":", ")."),
)  # fmt: skip
_REGEX_PREFIXES = (
    "The best answer is",
    "The correct answer is",
    "The answer is",
    "The answer",
    "The best option is",
    "The correct option is",
    "Best answer:",
    "Best option:",
)
_MCQ_PHRASES = (
    "the answer is", "answer is", "the correct answer is", "correct answer is", "the best answer is",
    "best answer is", "the correct option is", "correct option is", "the best option is", "best option is",
    "the choice is", "choice is", "the correct choice is", "correct choice is", "i choose", "i select",
    "i pick", "my answer is", "my choice is", "옵션", "정답은", "답은", "답:", "答案是", "答案为", "选",
    "答えは",
)  # fmt: skip
_MCQ_FORMATS = (("({})", 6), ("{}.", 5), ("{}:", 4), ("{})", 3), ("{} ", 2))
_MCQ_START, _MCQ_END, _MCQ_PHRASE, _MCQ_ANYWHERE = 10, 9, 7, 0


def reference_choice(response: str, choices: Mapping[str, str], variant: ChoiceVariant) -> str | None:
    """The letter that a published evaluation reads from an answer, or ``None``.

    - ``mmmu``: MMMU's own parser. Looks for ``(B)``, then ``B`` between spaces, then (in more than five
      words) the choices' texts; of several it takes the one that stands last. **Picks at random** when it
      finds nothing: here ``None``.
    - ``lmms_eval_mmmu``: the same, with ``B`` before a space or full stop even at the end of a word
      (``"USA"`` is A); random likewise.
    - ``vlmevalkit``: ``can_infer``. A single letter among the last four words; else "answer is b" in any
      case (``"answer is a dog"`` is A); else the only choice whose text occurs. ``"Z"`` is a refusal.
    - ``vlmevalkit_regex``: ``extract_characters_regex``. The first capital A to E anywhere (``"Answer: D"``
      is A); an empty answer is A.
    - ``lmms_eval_mmbench``: ``can_infer``. A single letter alone, then with punctuation, A to E; else the
      only choice whose text occurs.
    - ``lmms_eval_mcq``: ``extract_mcq_answer``. The best of ten formats, the last of those that tie.

    Args:
        response: What the model said.
        choices: Text of each choice by its letter, in order.
        variant: Whose reading.

    Raises:
        ValueError: The variant is unknown.

    Example:
        >>> reference_choice("Answer: D", {"A": "cat", "D": "dog"}, "vlmevalkit_regex")
        'A'
        >>> reference_choice("a dog", {"A": "cat", "D": "dog"}, "mmmu") is None
        True
    """
    reader = _READERS.get(variant)
    if reader is None:
        raise ValueError(f"no choice reader is named {variant!r}; there are: {', '.join(sorted(_READERS))}")
    return reader(response, choices)


def _mmmu(response: str, choices: Mapping[str, str]) -> str | None:
    return _mmmu_last(response, choices, (" {} ",))


def _lmms_eval_mmmu(response: str, choices: Mapping[str, str]) -> str | None:
    return _mmmu_last(response, choices, ("{} ", "{}."))


def _mmmu_last(response: str, choices: Mapping[str, str], bare: tuple[str, ...]) -> str | None:
    text = f" {_strip_each(response, ',.!?;:' + chr(39))} "
    for form in ("({})", *bare):
        named = [label for label in choices if form.format(label) in text]
        if named:
            # A bare letter is ranked by where it stands between spaces, whatever form it was found in.
            ranked_by = form if form == "({})" else " {} "
            return max(named, key=lambda label: text.rfind(ranked_by.format(label)))
    if len(text.split()) <= 5:
        return None
    lowered = text.lower()
    named = [label for label, choice in choices.items() if choice.lower() in lowered]
    return max(named, key=lambda label: lowered.rfind(choices[label].lower()), default=None)


def _strip_each(text: str, marks: str) -> str:
    # One mark after the other: "a.!" loses only its "!", since "." has had its turn.
    for mark in marks:
        text = text.strip(mark)
    return text


def _vlmevalkit(response: str, choices: Mapping[str, str]) -> str | None:
    return _vlmevalkit_label(response, choices) or _vlmevalkit_text(response, choices)


def _vlmevalkit_label(response: str, choices: Mapping[str, str]) -> str | None:
    if _API_FAILURE in response:
        return None
    if any(refusal in response for refusal in _REFUSALS):
        return REFUSED
    words = response.translate(_TO_SPACES).split()
    named = [label for label in choices if label in words]
    if len(named) == 1 and words.index(named[0]) > len(words) - 5:
        return named[0]
    if not named and REFUSED in words:
        return REFUSED
    stated = _STATED_ABCD.search(response)
    return stated[1].upper() if stated and stated[1].upper() in choices else None


def _vlmevalkit_text(response: str, choices: Mapping[str, str]) -> str | None:
    if len(response.lower()) > 2 * sum(map(len, choices.values())):
        return None
    return _only_text(response, choices)


def _only_text(response: str, choices: Mapping[str, str]) -> str | None:
    lowered = response.lower()
    named = [label for label, choice in choices.items() if choice.lower() in lowered]
    return named[0] if len(named) == 1 else None


def _vlmevalkit_regex(response: str, choices: Mapping[str, str]) -> str | None:  # noqa: ARG001 - has its own labels
    text = response.strip()
    for prefix in _REGEX_PREFIXES:
        text = text.replace(prefix, "")
    found = re.search("[ABCDE]", text)
    if found:
        return found[0]
    if len(text.split()) > 10:
        return None
    return next((label for label in "ABCDE" if text.lower() in f"({label})".lower()), None)


def _lmms_eval_mmbench(response: str, choices: Mapping[str, str]) -> str | None:
    if _API_FAILURE not in response:
        label = _mmbench_label(response.split())
        if label:
            return label
    return _only_text(response, choices)


def _mmbench_label(words: list[str]) -> str | None:
    named = [label for label in _MMBENCH_LABELS if label in words]
    # In a longer answer "A" may be an article.
    if len(named) == 1 and not ("A" in words and len(words) > 3):
        return named[0]
    for before, after in _MMBENCH_AFFIXES:
        named = [label for label in _MMBENCH_LABELS if before + label + after in words]
        if len(named) == 1:
            return named[0]
    return None


def _lmms_eval_mcq(response: str, choices: Mapping[str, str]) -> str | None:
    if not response.strip():
        return None
    core = _strip_each(response.strip(), ",.!?;:'\"")
    text = f" {core} "
    labels = list(choices)
    found: list[tuple[int, int, str]] = []
    for form, priority in _MCQ_FORMATS:
        marked = [(label, form.format(label)) for label in labels]
        found += [(priority, text.rfind(mark), label) for label, mark in marked if mark in text]
    found += _mcq_phrases(text, labels)
    core = text.strip()
    found += [(_MCQ_START, 0, label) for label in labels if _starts_with(core, label)]
    found += [(_MCQ_END, len(text) - 1, label) for label in labels if _ends_with(core, label)]
    found = found or [(_MCQ_ANYWHERE, text.rfind(label), label) for label in labels if label in text]
    best = max(found, key=lambda candidate: candidate[:2], default=None)
    return best[2] if best else None


def _mcq_phrases(text: str, labels: list[str]) -> list[tuple[int, int, str]]:
    found = []
    lowered = text.lower()
    for phrase in _MCQ_PHRASES:
        at = lowered.find(phrase)
        if at >= 0:
            places = [(text.find(label, at + len(phrase)), label) for label in labels]
            found += [(_MCQ_PHRASE, place, label) for place, label in places if place >= 0]
    return found


def _starts_with(text: str, label: str) -> bool:
    return text.startswith(label) and (len(text) == 1 or not text[1].isalpha())


def _ends_with(text: str, label: str) -> bool:
    return text.endswith(label) and (len(text) == 1 or not text[-2].isalpha())


_READERS: dict[str, Callable[[str, Mapping[str, str]], str | None]] = {
    "lmms_eval_mcq": _lmms_eval_mcq,
    "lmms_eval_mmbench": _lmms_eval_mmbench,
    "lmms_eval_mmmu": _lmms_eval_mmmu,
    "mmmu": _mmmu,
    "vlmevalkit": _vlmevalkit,
    "vlmevalkit_regex": _vlmevalkit_regex,
}
