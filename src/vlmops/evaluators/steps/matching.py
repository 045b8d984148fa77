"""Bringing the wording of observed steps to that of the expected ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

_NUMBERING = re.compile(r"^\s*(?:step\s*)?(?:\(?\d+[.):]|\d+\s+-|[-*•])\s*", re.IGNORECASE)
_SPACE = re.compile(r"[\s_]+")
_OUTER = " .,;:!\"'`*"


def normalize_step(step: Any) -> str:
    """The form in which steps are compared: NFKC, case-folded, without numbering and outer punctuation.

    Example:
        >>> normalize_step("2) Remove the **Screws**."), normalize_step("Step 3: close_lid")
        ('remove the **screws', 'close lid')
    """
    text = unicodedata.normalize("NFKC", str(step)).casefold()
    return _SPACE.sub(" ", _NUMBERING.sub("", text)).strip(_OUTER)


def steps_in(value: Any, *, name_key: str = "step") -> list[str] | None:
    r"""The steps that a value lists, normalised.

    A list holds texts or objects; a text has one step per line.

    Args:
        value: What the model gave, or what was expected.
        name_key: Key of a step's name where steps are objects.

    Returns:
        The steps; ``None`` when the value lists none: another type, an object without a name, or a text of
        one line that is no list item.

    Example:
        >>> steps_in("1. Open\n2. Swap the fuse\n3. Close")
        ['open', 'swap the fuse', 'close']
        >>> steps_in([{"step": "Open"}, {"step": "Close"}])
        ['open', 'close']
        >>> steps_in("I cannot see it") is None
        True
    """
    if isinstance(value, str):
        lines = [line for line in value.splitlines() if line.strip()]
        listed = [line for line in lines if _NUMBERING.match(line)]
        if not listed and len(lines) < 2:
            return None
        return [normalize_step(line) for line in (listed or lines)]
    if isinstance(value, Mapping) or not isinstance(value, Sequence):
        return None
    names = [entry.get(name_key) if isinstance(entry, Mapping) else entry for entry in value]
    if any(name is None or isinstance(name, Mapping | list) for name in names):
        return None
    return [normalize_step(name) for name in names]


def match_steps(
    expected: Sequence[str],
    observed: Sequence[str],
    *,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    similarity: float = 1.0,
) -> list[str]:
    """Observed steps in the words of the expected ones, where they mean the same.

    A step means an expected one if it is equal to it or to one of its synonyms; with a ``similarity`` below 1
    also if the two wordings are that much alike, and more than to any other expected step (a tie is no
    match).

    Args:
        expected: Expected steps, normalised.
        observed: Observed steps, normalised.
        synonyms: Other wordings by expected step.
        similarity: Least normalised edit similarity of wordings, 0 to 1; 1 allows none but equal ones.

    Example:
        >>> match_steps(["remove the screws"], ["remove screws", "dance"], similarity=0.7)
        ['remove the screws', 'dance']
    """
    names = {step: step for step in expected}
    for step, others in (synonyms or {}).items():
        for other in others:
            names.setdefault(normalize_step(other), normalize_step(step))
    return [names.get(step) or _alike(step, list(dict.fromkeys(expected)), similarity) for step in observed]


def _alike(step: str, expected: Sequence[str], similarity: float) -> str:
    from rapidfuzz.distance import Levenshtein

    if similarity >= 1 or not expected:
        return step
    scores = [Levenshtein.normalized_similarity(step, other) for other in expected]
    best = max(scores)
    return expected[scores.index(best)] if best >= similarity and scores.count(best) == 1 else step
