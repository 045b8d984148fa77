"""Verdicts of a model that judges: reading them from text, and cancelling the favour of a position."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Iterable

PairVerdict = Literal["A", "B", "tie"]
"""Which of two answers is better, by the place in which the judge saw it."""

Winner = Literal["model_1", "model_2", "tie", "error"]
"""Which of two models won; ``"error"`` where the judge gave no verdict that could be read."""

_PAIR_MARKS: dict[str, PairVerdict] = {"[[A]]": "A", "[[B]]": "B", "[[C]]": "tie"}
_SCORE = re.compile(r"\[\[(\d+\.?\d*)\]\]")
_SCORE_IN_SINGLE_BRACKETS = re.compile(r"\[(\d+\.?\d*)\]")
_SIGNED_SCORE = re.compile(r"\[\[\s*([+-]?\d+(?:\.\d+)?)\s*(?:/\s*\d+(?:\.\d+)?\s*)?\]\]", re.ASCII)
_TAIL = 80


def pair_verdict(judgment: str) -> PairVerdict | Failure:
    """The verdict ``[[A]]``, ``[[B]]`` or ``[[C]]`` (a tie) of a judgment.

    Returns:
        The verdict; a :class:`Failure` when there is none, or several different ones, rather than a guess.

    Example:
        >>> pair_verdict("A is shorter. My verdict: [[B]]")
        'B'
        >>> pair_verdict("Not [[A]] but [[B]]").message
        'the judgment gives several verdicts: A, B'
    """
    found = {verdict for mark, verdict in _PAIR_MARKS.items() if mark in judgment}
    if len(found) == 1:
        return found.pop()
    if found:
        return _unparsable(f"the judgment gives several verdicts: {', '.join(sorted(found))}")
    return _unparsable(f"no verdict [[A]], [[B]] or [[C]] in the judgment, which ends in {_end_of(judgment)}")


def score_verdict(judgment: str, *, low: float = 1.0, high: float = 10.0) -> float | Failure:
    """The rating ``[[n]]`` of a judgment; ``[[n/10]]`` and repeats of one rating are understood.

    Args:
        judgment: What the judge wrote.
        low: Least possible rating.
        high: Greatest possible rating.

    Returns:
        The rating; a :class:`Failure` when there is none, several different ones, or one out of range.

    Example:
        >>> score_verdict("Good, with one slip. Rating: [[8]]")
        8.0
        >>> score_verdict("[[11]]").message
        'the rating 11 is not between 1 and 10'
    """
    found = {float(match) for match in _SIGNED_SCORE.findall(judgment)}
    if not found:
        return _unparsable(f"no rating [[n]] in the judgment, which ends in {_end_of(judgment)}")
    if len(found) > 1:
        shown = ", ".join(f"{rating:g}" for rating in sorted(found))
        return _unparsable(f"the judgment gives several ratings: {shown}")
    rating = found.pop()
    if not low <= rating <= high:
        return _unparsable(f"the rating {rating:g} is not between {low:g} and {high:g}")
    return rating


def fastchat_pair_verdict(judgment: str) -> PairVerdict | Literal["error"]:
    """The verdict as FastChat reads it: ``[[A]]`` anywhere wins over ``[[B]]``, that over ``[[C]]``.

    For comparison with published MT-bench figures; :func:`pair_verdict` does not guess.

    Example:
        >>> fastchat_pair_verdict("Not [[A]] but [[B]]")
        'A'
    """
    for mark, verdict in _PAIR_MARKS.items():
        if mark in judgment:
            return verdict
    return "error"


def fastchat_score_verdict(judgment: str) -> float:
    """The rating as FastChat reads it: the first ``[[n]]``, else the first ``[n]``, else -1.

    For comparison with published MT-bench figures; :func:`score_verdict` does not guess.

    Raises:
        UsageError: The number cannot be read, as with leading zeros or digits outside of ASCII, where
            FastChat fails as well.

    Example:
        >>> fastchat_score_verdict("[[10]] then [[2]]"), fastchat_score_verdict("eight")
        (10, -1)
    """
    match = _SCORE.search(judgment) or _SCORE_IN_SINGLE_BRACKETS.search(judgment)
    if match is None:
        return -1
    try:
        return cast("float", ast.literal_eval(match.group(1)))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"FastChat's reading of the rating {match.group(1)!r} fails: {error}") from error


@dataclass(frozen=True, slots=True)
class SwappedJudgment:
    """Two verdicts on one pair of answers, the second with the answers in the other order.

    Attributes:
        model_1: The model whose answer stood first in the first order.
        model_2: The other model.
        first: Which model won in the first order.
        second: Which model won with the answers swapped.
    """

    model_1: str
    model_2: str
    first: Winner
    second: Winner

    @property
    def winner(self) -> Winner:
        """The model that won in both orders, a tie when they differ, an error when either is one."""
        if "error" in (self.first, self.second):
            return "error"
        return self.first if self.first == self.second else "tie"


def swapped_judgment(model_1: str, model_2: str, first: PairVerdict, second: PairVerdict) -> SwappedJudgment:
    """Name the winners of two verdicts, the second of which saw ``model_2``'s answer as A.

    Example:
        >>> swapped_judgment("small", "large", "A", "A").winner
        'tie'
        >>> swapped_judgment("small", "large", "B", "A").winner
        'model_2'
    """
    straight: dict[PairVerdict, Winner] = {"A": "model_1", "B": "model_2", "tie": "tie"}
    swapped: dict[PairVerdict, Winner] = {"A": "model_2", "B": "model_1", "tie": "tie"}
    return SwappedJudgment(model_1, model_2, straight[first], swapped[second])


@dataclass(slots=True)
class WinRecord:
    """Wins, losses and ties of one model.

    Attributes:
        win: Comparisons won in both orders.
        loss: Comparisons lost in both orders.
        tie: Comparisons that were a tie, or in which the orders disagree.

    Example:
        >>> WinRecord(win=2, loss=1, tie=1).adjusted_win_rate
        0.625
    """

    win: int = 0
    loss: int = 0
    tie: int = 0

    @property
    def total(self) -> int:
        """Comparisons counted."""
        return self.win + self.loss + self.tie

    @property
    def win_rate(self) -> float:
        """Share of comparisons won, 0 to 1; higher is better; NaN without comparisons."""
        return self.win / self.total if self.total else float("nan")

    @property
    def loss_rate(self) -> float:
        """Share of comparisons lost, 0 to 1; lower is better; NaN without comparisons."""
        return self.loss / self.total if self.total else float("nan")

    @property
    def adjusted_win_rate(self) -> float:
        """Share of comparisons won, a tie counting half."""
        return (self.win + self.tie / 2) / self.total if self.total else float("nan")


@dataclass(frozen=True, slots=True)
class PairwiseResult:
    """Outcome of a pairwise evaluation in both orders.

    Attributes:
        records: Wins, losses and ties by model.
        errors: Comparisons left out because a verdict could not be read.
        inconsistent: Comparisons in which the two orders name different winners; a measure of position bias.
    """

    records: dict[str, WinRecord]
    errors: int
    inconsistent: int


def pairwise_position_swap(judgments: Iterable[SwappedJudgment]) -> PairwiseResult:
    """Count wins when each pair was judged in both orders: a model wins only if it wins in both.

    Zheng et al., *Judging LLM-as-a-judge with MT-bench and Chatbot Arena* (NeurIPS 2023, section 3.4).

    Example:
        >>> result = pairwise_position_swap([
        ...     SwappedJudgment("a", "b", "model_1", "model_1"),
        ...     SwappedJudgment("a", "b", "model_1", "model_2"),
        ... ])
        >>> result.records["a"], result.inconsistent
        (WinRecord(win=1, loss=0, tie=1), 1)
    """
    records: dict[str, WinRecord] = {}
    errors = inconsistent = 0
    for judgment in judgments:
        if judgment.winner == "error":
            errors += 1
            continue
        inconsistent += judgment.first != judgment.second
        first = records.setdefault(judgment.model_1, WinRecord())
        second = records.setdefault(judgment.model_2, WinRecord())
        if judgment.winner == "tie":
            first.tie += 1
            second.tie += 1
        else:
            won, lost = (first, second) if judgment.winner == "model_1" else (second, first)
            won.win += 1
            lost.loss += 1
    return PairwiseResult(records, errors, inconsistent)


def _unparsable(message: str) -> Failure:
    return Failure(FailureKind.UNPARSABLE, message)


def _end_of(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _TAIL else "…" + flat[-_TAIL:])
