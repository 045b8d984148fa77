"""Rankings of models from battles between pairs of them: Elo, Bradley-Terry, Luce spectral ranking.

Higher is better throughout. Elo depends on the order of the battles, Bradley-Terry does not: prefer the
latter for a fixed set of verdicts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from vlmops.errors import UsageError
from vlmops.statistics.resampling import CONFIDENCE, Clusters, percentile_interval, resampled_sums

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    import numpy as np

    from vlmops.evaluators.score import Interval

    Array = np.ndarray[Any, np.dtype[Any]]

_MAX_ITERATIONS = 200
_CHAIN_TOLERANCE = 1e-8
_NEWTON_TOLERANCE = 1e-9
_LIKELIHOOD_ROUNDING = 1e-12
_NO_CURVATURE = 1e-12
"""Share of the greatest curvature below which there is none: along the mean of a group, but for rounding."""
_SOLVED_TOGETHER = 1_000_000
"""Numbers in the tables of wins that are solved at once, which bounds the memory."""


class Battle(NamedTuple):
    """One comparison of two models.

    Attributes:
        model_a: One model.
        model_b: The other.
        winner: ``"model_a"``, ``"model_b"``, or a word that starts with ``tie`` (half a win for both).

    Example:
        >>> Battle("small", "large", "model_b").score
        0.0
    """

    model_a: str
    model_b: str
    winner: str

    @property
    def score(self) -> float:
        """What ``model_a`` gets: 1 for a win, 0.5 for a tie, 0 for a loss.

        Raises:
            UsageError: The winner is none of the three.
        """
        if self.winner == "model_a":
            return 1.0
        if self.winner == "model_b":
            return 0.0
        if self.winner.startswith("tie"):
            return 0.5
        raise UsageError(f"the winner of a battle is 'model_a', 'model_b' or 'tie', not {self.winner!r}")


def elo(
    battles: Iterable[Sequence[str]],
    *,
    k: float = 4.0,
    scale: float = 400.0,
    base: float = 10.0,
    initial: float = 1000.0,
) -> dict[str, float]:
    """Elo ratings after all battles, one after the other; their order matters.

    Args:
        battles: :class:`Battle` values or triples (model_a, model_b, winner).
        k: Most points that one battle can move.
        scale: Difference of ratings at which the odds are ``base`` to one.
        base: See ``scale``.
        initial: Rating before the first battle.

    Returns:
        Rating by model, in order of appearance. The defaults are those of FastChat.

    Example:
        >>> elo([("a", "b", "model_a"), ("b", "a", "tie")], k=32)["a"] > 1000
        True
    """
    ratings: dict[str, float] = {}
    for battle in map(Battle._make, battles):
        rating_a = ratings.setdefault(battle.model_a, initial)
        rating_b = ratings.setdefault(battle.model_b, initial)
        expected_a = 1 / (1 + base ** ((rating_b - rating_a) / scale))
        expected_b = 1 / (1 + base ** ((rating_a - rating_b) / scale))
        ratings[battle.model_a] += k * (battle.score - expected_a)
        ratings[battle.model_b] += k * (1 - battle.score - expected_b)
    return ratings


def bradley_terry(
    battles: Iterable[Sequence[str]],
    *,
    scale: float = 400.0,
    base: float = 10.0,
    initial: float = 1000.0,
    prior_games: float = 0.0,
) -> dict[str, float]:
    """Bradley-Terry ratings: the strengths under which these battles are most likely, in any order.

    A tie is half a win for both. Models that never met, even indirectly, are placed around ``initial`` each
    in their own group and cannot be compared.

    Args:
        battles: :class:`Battle` values or triples (model_a, model_b, winner).
        scale: Difference of ratings at which the odds are ``base`` to one.
        base: See ``scale``.
        initial: Mean of the ratings.
        prior_games: Tied games to add between every two models; a small number (0.1) keeps the rating of a
            model that never loses, or never wins, finite.

    Returns:
        Rating by model, in order of appearance.

    Raises:
        UsageError: Some models never lose to some others, so that no finite rating fits them best.

    Example:
        >>> ratings = bradley_terry([("a", "b", "model_a"), ("a", "b", "model_a"), ("a", "b", "model_b")])
        >>> {model: round(rating, 1) for model, rating in ratings.items()}
        {'a': 1060.2, 'b': 939.8}
    """
    parsed = [Battle._make(battle) for battle in battles]
    position = _positions(parsed)
    wins = _with_prior(_wins(parsed, position), prior_games)
    _check_finite(wins, list(position), "pass prior_games, e.g. 0.1")
    ratings = initial + scale / math.log(base) * _most_likely_strengths(wins)
    return dict(zip(position, ratings.tolist(), strict=True))


def bradley_terry_intervals(
    battles: Sequence[Sequence[str]],
    *,
    clusters: Sequence[Hashable] | None = None,
    scale: float = 400.0,
    base: float = 10.0,
    initial: float = 1000.0,
    prior_games: float = 0.1,
    confidence: float = CONFIDENCE,
    resamples: int = 1000,
) -> dict[str, Interval | None]:
    """Bootstrap intervals of :func:`bradley_terry` ratings, battles about one picture drawn together.

    Args:
        battles: As there.
        clusters: One key per battle; battles with equal keys are resampled together.
        scale: As there.
        base: As there.
        initial: As there.
        prior_games: As there; above 0, since a resample may hold a model that never loses.
        confidence: Level in (0, 1).
        resamples: How many bootstrap samples.

    Returns:
        Interval by model; ``None`` with fewer than two clusters.

    Example:
        >>> battles = [("a", "b", "model_a")] * 6 + [("a", "b", "model_b")] * 2
        >>> intervals = bradley_terry_intervals(battles, resamples=200)
        >>> intervals["a"].low < bradley_terry(battles, prior_games=0.1)["a"] < intervals["a"].high
        True
    """
    import numpy as np

    parsed = [Battle._make(battle) for battle in battles]
    position = _positions(parsed)
    groups = Clusters.of(len(parsed), clusters)
    if groups.count < 2:
        return dict.fromkeys(position)
    size = len(position)
    won = np.stack([_wins(those, position).ravel() for those in _clustered(parsed, groups)])
    drawn = resampled_sums(won, resamples).reshape(-1, size, size)
    parts = np.array_split(drawn, math.ceil(drawn.size / _SOLVED_TOGETHER))
    strengths = np.concatenate([_most_likely_strengths(_with_prior(part, prior_games)) for part in parts])
    ratings = initial + scale / math.log(base) * strengths
    return {
        model: percentile_interval(ratings[:, at], confidence, groups.keys) for model, at in position.items()
    }


def _positions(battles: Iterable[Battle]) -> dict[str, int]:
    """Row of each model, in order of appearance."""
    position: dict[str, int] = {}
    for battle in battles:
        for model in (battle.model_a, battle.model_b):
            position.setdefault(model, len(position))
    return position


def _clustered(battles: Sequence[Battle], clusters: Clusters) -> list[list[Battle]]:
    """The battles of each cluster."""
    found: list[list[Battle]] = [[] for _ in clusters.keys]
    for battle, cluster in zip(battles, clusters.of_row.tolist(), strict=True):
        found[cluster].append(battle)
    return found


def _wins(battles: Iterable[Battle], position: Mapping[str, int]) -> Array:
    """How often the model of the row beat that of the column."""
    import numpy as np

    wins = np.zeros((len(position), len(position)))
    for battle in battles:
        a, b = position[battle.model_a], position[battle.model_b]
        wins[a, b] += battle.score
        wins[b, a] += 1 - battle.score
    return wins


def _with_prior(wins: Array, games: float) -> Array:
    import numpy as np

    return (wins + games / 2) * (1 - np.eye(wins.shape[-1]))


def luce_spectral_ranking(
    n_items: int, winner_loser: Iterable[Sequence[int]], *, alpha: float = 0.0
) -> list[float]:
    """Log-strengths of items from wins, with mean 0, by iterative Luce spectral ranking.

    Without ``alpha`` these are the Bradley-Terry maximum-likelihood estimates in natural units. Maystre and
    Grossglauser, *Fast and accurate inference of Plackett-Luce models* (NeurIPS 2015); the parameters of
    ``choix.ilsr_pairwise``.

    Args:
        n_items: How many items there are; they are numbered from 0.
        winner_loser: Pairs (winner, loser).
        alpha: Rate added to every transition of the Markov chain, in games; keeps unbeaten items finite.

    Raises:
        UsageError: Without ``alpha`` some items never lose to some others; or the iteration does not settle.

    Example:
        >>> [round(value, 3) for value in luce_spectral_ranking(2, [(0, 1), (0, 1), (1, 0)])]
        [0.347, -0.347]
    """
    import numpy as np

    wins = np.zeros((n_items, n_items))
    for winner, loser in winner_loser:
        wins[winner, loser] += 1
    if alpha == 0:
        _check_finite(wins, [str(item) for item in range(n_items)], "pass alpha, e.g. 0.01", connected=True)
    strengths = previous = np.zeros(n_items)
    for _ in range(_MAX_ITERATIONS):
        weights = np.exp(strengths)
        weights *= n_items / weights.sum()
        strengths = np.log(_stationary(alpha + wins.T / np.add.outer(weights, weights)))
        strengths -= strengths.mean()
        if np.abs(strengths - previous).mean() <= _CHAIN_TOLERANCE:
            return [float(value) for value in strengths]
        previous = strengths
    raise UsageError(f"the ranking does not settle within {_MAX_ITERATIONS} rounds; pass a larger alpha")


def _stationary(rates: Array) -> Array:
    """Stationary distribution of a continuous-time Markov chain; diagonal rates do not matter."""
    import numpy as np

    balance = rates.T - np.diag(rates.sum(axis=1))
    balance[-1] = 1
    total = np.zeros(len(rates))
    total[-1] = len(rates)
    return np.linalg.solve(balance, total)


def _check_finite(wins: Array, names: Sequence[str], fix: str, *, connected: bool = False) -> None:
    """Ford's condition (1957): within a group that met, everyone must lose, if indirectly, to everyone."""
    import numpy as np

    beats = (wins > 0) | np.eye(len(wins), dtype=bool)
    while True:
        further = (beats.astype(float) @ beats.astype(float)) > 0
        if (further == beats).all():
            break
        beats = further
    one_way = beats & ~beats.T
    if one_way.any():
        strong, weak = np.argwhere(one_way)[0]
        raise UsageError(f"{names[strong]!r} never loses to {names[weak]!r}: no finite rating fits; {fix}")
    if connected and not beats.all():
        strong, weak = np.argwhere(~beats)[0]
        raise UsageError(f"{names[strong]!r} and {names[weak]!r} never met: they cannot be ranked; {fix}")


def _most_likely_strengths(wins: Array) -> Array:
    """Newton's method on the concave log-likelihood, from equal strengths; the mean of each group stays 0.

    Takes one table of wins or a stack of them, which are solved together.
    """
    import numpy as np

    lost = np.swapaxes(wins, -1, -2)
    strengths = np.zeros(wins.shape[:-1])
    for _ in range(_MAX_ITERATIONS):
        chance = 1 / (1 + np.exp(-_differences(strengths)))
        # The other's chance, not 1 less this one's: near 1, that would be rounding more than chance.
        other = np.swapaxes(chance, -1, -2)
        gradient = (wins * other - lost * chance).sum(axis=-1)
        curvature = (wins + lost) * chance * other
        laplacian = curvature.sum(axis=-1)[..., None] * np.eye(wins.shape[-1]) - curvature
        step = (np.linalg.pinv(laplacian, _NO_CURVATURE, hermitian=True) @ gradient[..., None])[..., 0]
        step = _that_climbs(step, strengths, wins)
        strengths = strengths + step
        # It converges quadratically: what is left after so small a step is less than rounding.
        if np.abs(step).max(initial=0) < _NEWTON_TOLERANCE:
            break
    return strengths


def _that_climbs(step: Array, strengths: Array, wins: Array) -> Array:
    """The step, halved where the whole of it would lower the likelihood by more than rounding does."""
    import numpy as np

    before = _log_likelihood(wins, strengths)
    least = before - _LIKELIHOOD_ROUNDING * (1 + np.abs(before))
    while (falls := _log_likelihood(wins, strengths + step) < least).any():
        step = np.where(falls[..., None], step / 2, step)
    return step


def _log_likelihood(wins: Array, strengths: Array) -> Array:
    import numpy as np

    return np.asarray(-(wins * np.logaddexp(0, -_differences(strengths))).sum(axis=(-1, -2)))


def _differences(strengths: Array) -> Array:
    """Strength of the row less that of the column."""
    return strengths[..., :, None] - strengths[..., None, :]
