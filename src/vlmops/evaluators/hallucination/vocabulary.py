"""Which words name which object: a vocabulary, and the mentions that it finds in a caption."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from vlmops.errors import EvaluatorError
from vlmops.evaluators.hallucination.singular import singular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Mention:
    """A word of a caption that names an object of the vocabulary.

    Attributes:
        words: The words in the caption, in the singular and lower case.
        object: The object they name.
        position: Index of the first of them among the caption's words, from 0.
    """

    words: str
    object: str
    position: int


@dataclass(frozen=True)
class ObjectVocabulary:
    """Objects with the words that name them.

    Words are compared in lower case and in the singular (English). Of several readings the one with the most
    words counts: "hot dog" is no dog, where both are listed.

    Attributes:
        synonyms: The words for each object by its name; the name itself is one of them. Each word belongs to
            one object.
        readings: Several words to be read as one: ``{"baby bear": "bear", "passenger train": "train"}`` keeps
            "baby" and "passenger" from naming a person.
        silenced: Words that do not count in a caption that holds the other one: ``{"seat": "toilet"}``.

    Raises:
        EvaluatorError: A word names two objects.

    Example:
        >>> vocabulary = ObjectVocabulary({"person": ["man", "woman"], "hot dog": [], "dog": ["puppy"]})
        >>> [mention.object for mention in vocabulary.mentions("Two men and a puppy eat hot dogs")]
        ['person', 'dog', 'hot dog']
    """

    synonyms: Mapping[str, Iterable[str]]
    readings: Mapping[str, str] = field(default_factory=dict)
    silenced: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _ = self._objects

    @classmethod
    def from_lines(
        cls,
        lines: Iterable[str],
        *,
        readings: Mapping[str, str] | None = None,
        silenced: Mapping[str, str] | None = None,
    ) -> ObjectVocabulary:
        """A vocabulary from lines ``object, word, word, ...``: the form of the list published with CHAIR.

        Example:
            >>> ObjectVocabulary.from_lines(["dog, puppy", "", "cat, kitten"]).object_of("kittens")
            'cat'
        """
        rows = [[word.strip() for word in line.split(",") if word.strip()] for line in lines]
        return cls({row[0]: row[1:] for row in rows if row}, readings or {}, silenced or {})

    def object_of(self, name: str) -> str | None:
        """The object that a word or group of words names, in singular or plural; ``None`` for others."""
        return self._objects.get(_words(name))

    def mentions(self, caption: str) -> list[Mention]:
        """The objects that a caption names, in its order, repeats included."""
        words = _words(caption)
        read: list[tuple[tuple[str, ...], int]] = []
        position = 0
        while position < len(words):
            length = self._longest_at(words, position)
            group = words[position : position + length]
            read.append((self._readings.get(group, group), position))
            position += length
        present = {group for group, _ in read}
        return [
            Mention(" ".join(group), self._objects[group], position)
            for group, position in read
            if group in self._objects and self._silencers.get(group) not in present
        ]

    def _longest_at(self, words: Sequence[str], position: int) -> int:
        for length in range(min(self._longest, len(words) - position), 1, -1):
            group = tuple(words[position : position + length])
            if group in self._readings or group in self._objects:
                return length
        return 1

    @cached_property
    def _objects(self) -> dict[tuple[str, ...], str]:
        objects: dict[tuple[str, ...], str] = {}
        for name, synonyms in self.synonyms.items():
            for word in (name, *synonyms):
                other = objects.setdefault(_words(word), name)
                if other != name:
                    raise EvaluatorError(
                        f"the word {word!r} names both {other!r} and {name!r}; leave out one"
                    )
        return objects

    @cached_property
    def _readings(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {_words(group): _words(meaning) for group, meaning in self.readings.items()}

    @cached_property
    def _silencers(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {_words(word): _words(other) for word, other in self.silenced.items()}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, (*self._objects, *self._readings)), default=1)


def _words(text: str) -> tuple[str, ...]:
    return tuple(singular(word) for word in _WORD.findall(text.lower()))
