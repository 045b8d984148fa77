"""Agreement between raters: Cohen's and Fleiss' kappa, Krippendorff's alpha, votes of judges and people.

All values are 1 for perfect agreement and about 0 for what chance alone would give; higher is better. They
are NaN where undefined: when no disagreement could have happened (everyone said the same of everything).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]

KappaWeights = Literal["linear", "quadratic"]
"""How far apart two labels are: by the difference of their positions, or by its square."""

Level = Literal["nominal", "ordinal", "interval", "ratio"]
"""Level of measurement of a rating."""


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    weights: KappaWeights | None = None,
    labels: Sequence[Hashable] | None = None,
) -> float:
    """Cohen's kappa of two raters who labelled the same items, as scikit-learn defines it.

    Args:
        first: Labels of one rater.
        second: Labels of the other, in the same order of items.
        weights: ``None`` counts every disagreement alike; otherwise by distance, for ordered labels.
        labels: All labels in their order; items with others are left out. By default all that occur, sorted.

    Returns:
        The kappa, -1 to 1; NaN when both raters gave one and the same label throughout, or without items.

    Raises:
        UsageError: The sequences differ in length.

    Example:
        >>> round(cohen_kappa(["y", "y", "n", "n"], ["y", "n", "n", "n"]), 4)
        0.5
    """
    return cohen_kappa_of_counts(_contingency(first, second, labels), weights=weights)


def cohen_kappa_of_counts(counts: ArrayLike, *, weights: KappaWeights | None = None) -> float:
    """Cohen's kappa from a square table of how often each pair of labels was given.

    Args:
        counts: Rows are labels of one rater, columns of the other, in the same order.
        weights: As in :func:`cohen_kappa`.

    Returns:
        The kappa; NaN when both raters gave one and the same label throughout, or without items.

    Example:
        >>> cohen_kappa_of_counts([[2, 0], [1, 1]])
        0.5
    """
    import numpy as np

    table = np.asarray(counts, dtype=float)
    total = table.sum()
    if total == 0:
        return math.nan
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    distance = _label_distance(len(table), weights)
    by_chance = float((distance * expected).sum())
    return 1 - float((distance * table).sum()) / by_chance if by_chance else math.nan


def fleiss_kappa(ratings_by_rater: Sequence[Sequence[Hashable]]) -> float:
    """Fleiss' kappa of several raters who all rated every item (Psychological Bulletin 76, 1971).

    Args:
        ratings_by_rater: One row per rater, one column per item; categories without order.

    Returns:
        The kappa; NaN when only one category occurs.

    Raises:
        UsageError: Fewer than two raters, no items, a missing rating or rows of different length; use
            :func:`krippendorff_alpha` where ratings are missing.

    Example:
        >>> round(fleiss_kappa([["a", "a", "b"], ["a", "b", "b"], ["a", "a", "b"]]), 4)
        0.55
    """
    import numpy as np

    _check_rectangle(ratings_by_rater)
    if any(_is_missing(rating) for row in ratings_by_rater for rating in row):
        raise UsageError("Fleiss' kappa needs every rating; use krippendorff_alpha where some are missing")
    raters = len(ratings_by_rater)
    if raters < 2:
        raise UsageError(f"agreement needs at least two raters; there is {raters}")
    categories = list({rating: None for row in ratings_by_rater for rating in row})
    counts = _value_counts(ratings_by_rater, categories)
    share = counts.sum(axis=0) / counts.sum()
    observed = float((((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))).mean())
    by_chance = float(np.square(share).sum())
    return (observed - by_chance) / (1 - by_chance) if by_chance < 1 else math.nan


def krippendorff_alpha(
    ratings_by_rater: Sequence[Sequence[Any]],
    level: Level = "nominal",
    *,
    domain: Sequence[Any] | None = None,
) -> float:
    """Krippendorff's alpha of any number of raters; ratings may be missing.

    Definition: K. Krippendorff, *Computing Krippendorff's alpha-reliability* (2011).

    Args:
        ratings_by_rater: One row per rater, one column per item; ``None`` or NaN where a rater gave none.
        level: What differences between ratings mean.
        domain: All possible ratings in their order; needed for ordinal labels that are not numbers.

    Returns:
        The alpha, at most 1; NaN when no item has two ratings or all ratings are equal.

    Raises:
        UsageError: Rows differ in length, a rating is not in ``domain``, or ratings that are not numbers are
            to be compared by more than equality without ``domain``.

    Example:
        >>> ratings = [[1, 2, 3, 3, None], [1, 2, 3, 2, 4], [None, 2, 3, 3, 4]]
        >>> round(krippendorff_alpha(ratings, "interval"), 4)
        0.9178
    """
    _check_rectangle(ratings_by_rater)
    values = _rating_domain(ratings_by_rater, level, domain)
    counts = _value_counts(ratings_by_rater, values)
    pairable = counts.sum(axis=1)
    counts, pairable = counts[pairable > 1], pairable[pairable > 1]
    coincidences = (counts / (pairable - 1)[:, None]).T @ counts
    coincidences[range(len(values)), range(len(values))] -= (counts / (pairable - 1)[:, None]).sum(axis=0)
    totals = coincidences.sum(axis=0)
    distance = _rating_distance(values, totals, level)
    observed = float((coincidences * distance).sum())
    expected = float(totals @ distance @ totals)
    return float(1 - (totals.sum() - 1) * observed / expected) if expected else math.nan


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often pairs of votes agree.

    Attributes:
        agreed: Pairs of votes that name the same winner.
        total: Pairs of votes that were compared.

    Example:
        >>> Agreement(3, 4).rate
        0.75
    """

    agreed: int
    total: int

    @property
    def rate(self) -> float:
        """Share of pairs that agree, 0 to 1; NaN without pairs."""
        return self.agreed / self.total if self.total else math.nan


@dataclass(frozen=True, slots=True)
class Vote:
    """One rater's verdict on one pair of answers.

    Attributes:
        question: What was asked; with several turns, the question and the turn.
        model_a: Model whose answer stood first.
        model_b: Model whose answer stood second.
        winner: ``"model_a"``, ``"model_b"``, or any word with ``tie`` in it.
    """

    question: Hashable
    model_a: str
    model_b: str
    winner: str


def vote_agreement(
    votes: Iterable[Vote], other_votes: Iterable[Vote] | None = None, *, ties: bool = True
) -> Agreement:
    """How often votes on the same pair of answers agree, whichever order the two models stood in.

    Definition: MT-bench (Zheng et al., NeurIPS 2023, section 4.2): every vote of one group is compared with
    every vote of the other on the same question and pair of models.

    Args:
        votes: Votes of one group, e.g. people.
        other_votes: Votes of the other group, e.g. the judge; ``None`` compares ``votes`` among each other.
        ties: Whether votes for a tie count; all kinds of ties are equal. Without, pairs with one are left
            out.

    Example:
        >>> people = [Vote(1, "m1", "m2", "model_a"), Vote(2, "m1", "m2", "tie")]
        >>> judge = [Vote(1, "m2", "m1", "model_b"), Vote(2, "m1", "m2", "model_a")]
        >>> vote_agreement(people, judge)
        Agreement(agreed=1, total=2)
        >>> vote_agreement(people, judge, ties=False)
        Agreement(agreed=1, total=1)
    """
    ours = _winners(votes, ties=ties)
    if other_votes is None:
        pairs = [pair for winners in ours.values() for pair in combinations(winners, 2)]
    else:
        theirs = _winners(other_votes, ties=ties)
        pairs = [
            (one, two) for key, winners in ours.items() for one in winners for two in theirs.get(key, ())
        ]
    return Agreement(sum(one == two for one, two in pairs), len(pairs))


def _winners(votes: Iterable[Vote], *, ties: bool) -> Mapping[Hashable, list[str]]:
    winners: dict[Hashable, list[str]] = defaultdict(list)
    for vote in votes:
        sides = {"model_a": vote.model_a, "model_b": vote.model_b}
        tie = "tie" in vote.winner
        if not tie and vote.winner not in sides:
            raise UsageError(f"a vote's winner is 'model_a', 'model_b' or a tie, not {vote.winner!r}")
        if ties or not tie:
            key = (vote.question, frozenset(sides.values()))
            # A tie is kept as the empty name, since a model may be called "tie".
            winners[key].append("" if tie else sides[vote.winner])
    return winners


def _contingency(
    first: Sequence[Hashable], second: Sequence[Hashable], labels: Sequence[Hashable] | None
) -> Array:
    import numpy as np

    if len(first) != len(second):
        raise UsageError(f"both raters must label the same items; they have {len(first)} and {len(second)}")
    known = _sorted_labels({*first, *second}) if labels is None else labels
    position = {label: index for index, label in enumerate(known)}
    cells = [
        position[one] * len(position) + position[two]
        for one, two in zip(first, second, strict=True)
        if one in position and two in position
    ]
    size = len(position)
    return np.bincount(np.asarray(cells, dtype=np.intp), minlength=size**2).reshape(size, size).astype(float)


def _sorted_labels(labels: Collection[Any]) -> list[Any]:
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


def _label_distance(size: int, weights: KappaWeights | None) -> Array:
    import numpy as np

    if weights is None:
        return 1 - np.eye(size)
    if weights not in ("linear", "quadratic"):
        raise UsageError(f"kappa weights are None, 'linear' or 'quadratic', not {weights!r}")
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(float)
    return apart if weights == "linear" else apart**2


def _check_rectangle(rows: Sequence[Sequence[Any]]) -> None:
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or 0 in lengths:
        raise UsageError("ratings need one row per rater and as many columns as there are items in each row")


def _is_missing(rating: Any) -> bool:
    return rating is None or bool(rating != rating)  # only NaN differs from itself


def _rating_domain(rows: Sequence[Sequence[Any]], level: Level, domain: Sequence[Any] | None) -> list[Any]:
    if level not in ("nominal", "ordinal", "interval", "ratio"):
        raise UsageError(f"level is 'nominal', 'ordinal', 'interval' or 'ratio', not {level!r}")
    found = {rating for row in rows for rating in row if not _is_missing(rating)}
    numbers = all(isinstance(rating, int | float) for rating in found)
    if not numbers and level in ("interval", "ratio"):
        raise UsageError(f"{level} ratings must be numbers; use 'ordinal' with 'domain', or 'nominal'")
    if not numbers and level == "ordinal" and domain is None:
        raise UsageError("ordinal ratings that are not numbers need 'domain', their order from low to high")
    if domain is not None:
        if strangers := found - set(domain):
            raise UsageError(f"ratings not in the domain: {', '.join(map(repr, _sorted_labels(strangers)))}")
        return list(domain)
    return _sorted_labels(found)


def _value_counts(rows: Sequence[Sequence[Any]], values: Sequence[Any]) -> Array:
    """How many raters gave each value (columns) to each item (rows)."""
    import numpy as np

    position = {value: index for index, value in enumerate(values)}
    counts = np.zeros((len(rows[0]), len(values)))
    for row in rows:
        for item, rating in enumerate(row):
            if not _is_missing(rating):
                counts[item, position[rating]] += 1
    return counts


def _rating_distance(values: Sequence[Any], totals: Array, level: Level) -> Array:
    import numpy as np

    size = len(values)
    if level == "nominal":
        return 1 - np.eye(size)
    # Ordinal values stand at the middle of their run of ranks: they are as far apart as the ranks between.
    ranks = np.cumsum(totals) - totals / 2
    scale = ranks if level == "ordinal" else np.asarray(values, dtype=float)
    difference = np.subtract.outer(scale, scale)
    if level == "ratio":
        both = np.add.outer(scale, scale)
        difference = np.divide(difference, both, out=np.zeros_like(difference), where=both != 0)
    squared: Array = difference**2
    return squared
