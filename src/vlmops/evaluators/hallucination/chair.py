"""CHAIR: objects that a caption mentions and the picture does not show (Rohrbach et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.hallucination.coco import coco_vocabulary
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score, SetScore
from vlmops.evaluators.text import as_text

if TYPE_CHECKING:
    from vlmops.evaluators.bases import Readings
    from vlmops.evaluators.case import Case
    from vlmops.evaluators.hallucination.vocabulary import ObjectVocabulary


@dataclass(frozen=True, slots=True)
class ChairCounts:
    """Mentions of objects in captions, counted; counts of several captions add up.

    Attributes:
        mentions: Mentions of objects, repeats included.
        hallucinated: Those of objects that are not in the picture.
        captions: How many captions.
        hallucinating: Captions with at least one such mention.
        found: Different objects of the picture that are mentioned.
        objects: Different objects of the picture.

    Example:
        >>> counts = chair_counts(["dog", "cat", "dog"], {"dog", "sofa"})
        >>> counts.chair_i, counts.chair_s, counts.recall
        (0.3333333333333333, 1.0, 0.5)
    """

    mentions: int = 0
    hallucinated: int = 0
    captions: int = 0
    hallucinating: int = 0
    found: int = 0
    objects: int = 0

    def __add__(self, other: ChairCounts) -> ChairCounts:
        return ChairCounts(
            self.mentions + other.mentions,
            self.hallucinated + other.hallucinated,
            self.captions + other.captions,
            self.hallucinating + other.hallucinating,
            self.found + other.found,
            self.objects + other.objects,
        )

    @property
    def chair_i(self) -> float:
        """Share of mentions that are hallucinated, lower is better; NaN without any mention."""
        return self.hallucinated / self.mentions if self.mentions else math.nan

    @property
    def chair_s(self) -> float:
        """Share of captions with a hallucinated mention, lower is better; NaN without captions."""
        return self.hallucinating / self.captions if self.captions else math.nan

    @property
    def recall(self) -> float:
        """Share of the pictures' objects that are mentioned, higher is better; NaN without objects."""
        return self.found / self.objects if self.objects else math.nan


def chair_counts(mentioned: Sequence[str], present: Collection[str]) -> ChairCounts:
    """Count the mentions of one caption against the objects of its picture.

    Where no mention at all is found in a corpus the published codes divide by zero; here CHAIR-i is NaN.

    Args:
        mentioned: Objects that the caption mentions, repeats kept: each one counts.
        present: Objects that the picture shows; repeats do not count.

    Example:
        >>> sum([chair_counts(["dog"], {"dog"}), chair_counts(["cat"], {"dog"})], ChairCounts()).chair_i
        0.5
    """
    shown = set(present)
    hallucinated = sum(name not in shown for name in mentioned)
    return ChairCounts(
        mentions=len(mentioned),
        hallucinated=hallucinated,
        captions=1,
        hallucinating=int(hallucinated > 0),
        found=len(shown.intersection(mentioned)),
        objects=len(shown),
    )


@register("chair")
@dataclass(frozen=True, kw_only=True)
class Chair(ComparisonEvaluator):
    """Share of a caption's object mentions that the picture does not show; 0 is best.

    ``expected`` is the list of objects that the picture shows, in the vocabulary's words. One case gives its
    own CHAIR-i, or a failure when the caption mentions no object. A set gives ``<name>.i`` over all mentions
    together, ``<name>.s`` (share of captions with a hallucinated object) and ``<name>.recall``; captions
    without any mention are in the latter two.

    Attributes:
        vocabulary: Objects and the words for them; by default COCO's categories with our own synonyms
            (:func:`coco_vocabulary`), which is not the list of the paper.

    Example:
        >>> from vlmops.evaluators import Case
        >>> score = Chair().evaluate(Case(output="A dog and a cat on a sofa", expected=["dog", "couch"]))
        >>> score.value, score.explanation
        (0.3333333333333333, '1 of 3 mentioned objects is not in the picture: cat')
    """

    default_name: ClassVar[str] = "chair"
    direction: ClassVar[Direction] = "minimize"

    vocabulary: ObjectVocabulary = field(default_factory=coco_vocabulary)

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one caption."""
        read = self._read(output, expected)
        if isinstance(read, Failure):
            return read
        mentioned, present = read
        counts = chair_counts(mentioned, present)
        if not counts.mentions:
            return self.failure(FailureKind.UNPARSABLE, "the caption mentions no object of the vocabulary")
        absent = sorted({name for name in mentioned if name not in present})
        are = "is" if counts.hallucinated == 1 else "are"
        return Score(
            self.name,
            counts.chair_i,
            f"{counts.hallucinated} of {counts.mentions} mentioned objects {are} not in the picture"
            + (f": {', '.join(absent)}" if absent else ""),
            self.direction,
            metadata={**asdict(counts), "mentioned": mentioned, "hallucinated_objects": absent},
        )

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """CHAIR-i, CHAIR-s and recall over all captions, with bootstrap intervals."""
        read = self.read_pairs(cases, self._counts)
        if isinstance(read, Failure):
            return read
        total = sum(read.values, ChairCounts())
        return [
            _set_score(self.part("i"), read, "hallucinated", "mentions", total.chair_i),
            _set_score(self.part("s"), read, "hallucinating", "captions", total.chair_s),
            _set_score(self.part("recall"), read, "found", "objects", total.recall),
        ]

    def _counts(self, output: Any, expected: Any) -> ChairCounts | Failure:
        read = self._read(output, expected)
        return read if isinstance(read, Failure) else chair_counts(*read)

    def _read(self, output: Any, expected: Any) -> tuple[list[str], set[str]] | Failure:
        if not isinstance(expected, Iterable) or isinstance(expected, str):
            problem = f"expected: a list of object names is needed, not {expected!r}"
            return self.failure(FailureKind.MISSING_EXPECTED, problem)
        names = list(expected)
        objects = [self.vocabulary.object_of(str(name)) for name in names]
        unknown = [str(name) for name, known in zip(names, objects, strict=True) if known is None]
        if unknown:
            problem = f"expected: not in the vocabulary: {', '.join(unknown)}"
            return self.failure(FailureKind.MISSING_EXPECTED, problem)
        try:
            mentions = self.vocabulary.mentions(as_text(output))
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, f"output: {error}")
        return [mention.object for mention in mentions], {name for name in objects if name is not None}


def _set_score(name: str, read: Readings[ChairCounts], top: str, bottom: str, value: float) -> SetScore:
    from vlmops.statistics import bootstrap_ratio

    tops, bottoms = ([getattr(count, part) for count in read.values] for part in (top, bottom))
    noun = {"mentions": "mentions of objects", "captions": "captions", "objects": "objects in the pictures"}[
        bottom
    ]
    verb = {"hallucinated": "are", "hallucinating": "hold something", "found": "are mentioned"}[top]
    ending = "" if top == "found" else " not in the picture"
    return SetScore(
        name,
        value,
        n=read.n,
        failures=read.failures,
        interval=bootstrap_ratio(tops, bottoms, clusters=read.clusters),
        explanation=f"{sum(tops)} of {sum(bottoms)} {noun} {verb}{ending}",
        direction="maximize" if top == "found" else "minimize",
        metadata=asdict(sum(read.values, ChairCounts())),
    )
