"""CIDEr-D: consensus of a caption with those of people, rare words weighing more (Vedantam et al. 2015)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.evaluators.captions.caption import Captioned, CaptionSetEvaluator, check_aligned
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import SetScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vlmops.evaluators.bases import Readings

_ORDERS = 4
_SIGMA = 6.0
_SCALE = 10.0


def cider_d(
    candidates: Sequence[str], references: Sequence[Sequence[str]], *, sigma: float = _SIGMA
) -> list[float]:
    """CIDEr-D of each tokenised caption, 0 to 10, higher is better; the figure of the set is their mean.

    Cosine of the TF-IDF weights of runs of one to four words, clipped to the reference's, damped by the
    difference in length, averaged over the references. How rare a run is, is learnt from the references of
    this very set: values of different sets do not compare, and **with a single picture every value is 0**
    (its runs occur in all pictures, so none weighs anything). (pycocoevalcap's ``Cider``.)

    Args:
        candidates: One caption per picture; words are split at white space.
        references: The reference captions of each picture.
        sigma: Width, in words, of the Gaussian that damps differences in length.

    Raises:
        ValueError: There are no captions, the two differ in length, or a picture has no reference.

    Example:
        >>> captions = ["a red car on the street", "a plate of rice"]
        >>> [round(value, 6) for value in cider_d(captions, [[caption] for caption in captions])]
        [10.0, 10.0]
        >>> cider_d(["a red car"], [["a red car"]])
        [0.0]
    """
    import numpy as np

    check_aligned(candidates, references)
    texts = [*candidates, *(caption for captions in references for caption in captions)]
    pictures = len(candidates)
    picture_of_reference = np.repeat(np.arange(pictures), [len(captions) for captions in references])
    picture = np.concatenate([np.arange(pictures), picture_of_reference])
    words, caption = _numbered_words(texts)
    lengths = np.maximum(np.bincount(caption, minlength=len(texts)) - 1, 0)
    total = np.zeros(len(texts))
    run = np.zeros_like(words)
    for order in range(_ORDERS):
        if order:
            # A run grows by one word where that word is still of the same caption.
            inside = caption[order:] == caption[: len(caption) - order]
            run = np.where(inside & (run[: len(inside)] >= 0), run[: len(inside)], -1)
        run = _extended(run, words[order:])
        starts = run >= 0
        total += _similarities(run[starts], caption[: len(run)][starts], picture, pictures)
    damping = np.exp(-((lengths - lengths[picture]) ** 2) / (2 * sigma**2))
    summed = np.bincount(picture_of_reference, (total * damping)[pictures:], minlength=pictures)
    means = summed / _ORDERS / np.bincount(picture_of_reference, minlength=pictures)
    return [float(value) for value in _SCALE * means]


def _numbered_words(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every word of every caption as a number, and the index of the caption it stands in."""
    import numpy as np

    split = [text.split() for text in texts]
    numbers: dict[str, int] = {}
    words = [numbers.setdefault(word, len(numbers)) for caption in split for word in caption]
    caption = np.repeat(np.arange(len(split)), [len(found) for found in split])
    return np.array(words, dtype=np.int64), caption


def _extended(runs: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the runs that one more word makes of each; -1 stays -1."""
    import numpy as np

    longer = np.full(len(runs), -1, dtype=np.int64)
    whole = runs >= 0
    keys = runs[whole] * (words.max(initial=0) + 1) + words[whole]
    longer[whole] = np.unique(keys, return_inverse=True)[1]
    return longer


def _similarities(
    runs: NDArray[np.int64], caption: NDArray[np.int64], picture: NDArray[np.int64], pictures: int
) -> NDArray[np.float64]:
    """Clipped cosine of each reference with its candidate over the runs of one length; 0 for candidates.

    The first ``pictures`` captions are the candidates, in the order of the pictures.
    """
    import numpy as np

    size = int(runs.max(initial=0)) + 1
    entries, counts = np.unique(caption * size + runs, return_counts=True)
    owner, run = np.divmod(entries, size)
    is_reference = owner >= pictures
    occurrences = np.unique(picture[owner[is_reference]] * size + run[is_reference]) % size
    pictures_having = np.bincount(occurrences, minlength=size)
    weights = counts * (math.log(pictures) - np.log(np.maximum(1, pictures_having)))[run]
    norms = np.sqrt(np.bincount(owner, weights**2, minlength=len(picture)))
    # Candidates come first, and number i belongs to picture i, so that their entries are keyed by picture.
    own, own_weights = entries[~is_reference], weights[~is_reference]
    wanted, wanted_weights = picture[owner[is_reference]] * size + run[is_reference], weights[is_reference]
    place = np.searchsorted(own, wanted)
    place[place == len(own)] = 0
    shared = own[place] == wanted if len(own) else np.zeros(len(wanted), dtype=bool)
    overlap = np.minimum(own_weights[place[shared]], wanted_weights[shared]) * wanted_weights[shared]
    dots = np.bincount(owner[is_reference][shared], overlap, minlength=len(picture)).astype(float)
    scale = norms * norms[picture]
    return np.asarray(np.divide(dots, scale, out=np.zeros_like(dots), where=scale > 0))


@register("cider")
@dataclass(frozen=True, kw_only=True)
class Cider(CaptionSetEvaluator):
    """CIDEr-D of all captions together, as pycocoevalcap gives it: 0 to 10, higher is better.

    ``expected`` is a caption or a list of them. A measure of the set: how rare a word is, is learnt from the
    references of all pictures, so with one picture it is undefined (NaN, where the reference gives 0). The
    interval treats those rarities as given.

    Attributes:
        sigma: Width, in words, of the Gaussian that damps differences in length.
        tokenizer: ``"ptb"`` as pycocoevalcap does, or ``"spaces"`` for text that is tokenised already.

    Example:
        >>> from vlmops.evaluators import Case
        >>> cases = [
        ...     Case(output="a red car on a road", expected="a red car on a road"),
        ...     Case(output="a cat", expected="a plate of rice"),
        ... ]
        >>> round(Cider().evaluate_set(cases).value, 6)
        5.0
    """

    default_name: ClassVar[str] = "cider"

    sigma: float = _SIGMA

    def score(self, captions: Readings[Captioned]) -> SetScore:
        """Mean CIDEr-D, with a bootstrap interval over pictures."""
        from vlmops.statistics import mean_interval

        candidates, references = zip(*captions.values, strict=True)
        scores = cider_d(candidates, references, sigma=self.sigma)
        alone = len(scores) == 1
        return SetScore(
            self.name,
            math.nan if alone else math.fsum(scores) / len(scores),
            n=len(scores),
            failures=captions.failures,
            interval=None if alone else mean_interval(scores, clusters=captions.clusters),
            explanation="undefined for one picture: word rarities come from the set"
            if alone
            else f"mean over {len(scores)} pictures with {sum(map(len, references))} references",
            range=(0.0, _SCALE),
            metadata={"sigma": self.sigma},
        )
