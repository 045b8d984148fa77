"""Rules by which cases are chosen for people to look at; each says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vlmops.evaluators.score import Value
    from vlmops.platforms.records import Run
    from vlmops.platforms.score_condition import ScoreCondition


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a case was chosen.

    Attributes:
        rule: Name of the rule.
        text: For the reviewer.
        weight: How strongly the case asks for a look, 0 to 1; of too many, the greatest go first.
    """

    rule: str
    text: str
    weight: float = 1.0


class ReviewRule(Protocol):
    """Tells whether a case is worth a person's look."""

    @property
    def name(self) -> str:
        """Names the rule in what is recorded."""
        ...

    @property
    def reads(self) -> Sequence[str]:
        """Names of the scores it looks at; empty when it needs none."""
        ...

    def reason(self, run: Run) -> Reason | None:
        """Why to look at this answer; ``None`` where there is no reason."""
        ...


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The judges of a panel did not all say the same, or found no majority.

    The weight is the share of votes against the winner, doubled; of numbers, how far they lie apart on
    their scale.

    Attributes:
        panel: Name of the panel's score; those of its parts count, too.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import Run
        >>> votes = [{"judge": "a", "value": True}, {"judge": "b", "value": False, "why": "it is blue"}]
        >>> run = Run(Case("red", id="s"), 1, [Score("colour", True, metadata={"votes": votes})])
        >>> Disagreement("colour").reason(run).text
        'the judges of colour disagree: a: yes; b: no (it is blue)'
    """

    panel: str
    name: ClassVar[str] = "disagreement"

    @property
    def reads(self) -> Sequence[str]:
        """The panel's score."""
        return (self.panel,)

    def reason(self, run: Run) -> Reason | None:
        """The part on which the judges lie furthest apart."""
        found = [
            Reason(self.name, f"the judges of {score.name} disagree: {_told(votes)}", apart)
            for score in _scores(run, self.panel)
            if (votes := score.metadata.get("votes")) and (apart := _apart(votes, score)) > 0
        ]
        found += [
            Reason(self.name, f"the judges of {self.panel} found no verdict: {failure.message}")
            for failure in _failures(run, self.panel)
            if failure.kind is FailureKind.ABSTAINED
        ]
        found += [
            Reason(self.name, f"the judges of {self.panel} found no verdict: {told}")
            for score in _scores(run, self.panel)
            for told in score.metadata.get("undecided", ())
        ]
        return max(found, key=lambda reason: reason.weight, default=None)


@dataclass(frozen=True, slots=True)
class Unsure:
    """A judge says that its confidence is low, abstained, or gave no verdict on an answer.

    Attributes:
        judge: Name of the judge's score; those of its criteria count, too.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import Run
        >>> score = Score("grounded", False, "the total is blurred", metadata={"confidence": "low"})
        >>> Unsure("grounded").reason(Run(Case("12.50", id="s"), 1, [score])).text
        'grounded is not sure: no (the total is blurred)'
    """

    judge: str
    name: ClassVar[str] = "unsure"

    @property
    def reads(self) -> Sequence[str]:
        """The judge's score."""
        return (self.judge,)

    def reason(self, run: Run) -> Reason | None:
        """The abstention, else the verdict of low confidence."""
        if isinstance(run.case.output, Failure):
            return None
        scores = list(_scores(run, self.judge))
        for failure in _failures(run, self.judge):
            if failure.kind is FailureKind.ABSTAINED:
                return Reason(self.name, f"{self.judge} abstained: {failure.message}")
        if not scores and not list(_failures(run, self.judge)):
            # Some platforms do not keep why an evaluator gave no score.
            return Reason(self.name, f"{self.judge} gave no verdict")
        for score in scores:
            if score.metadata.get("confidence") == "low":
                return Reason(self.name, f"{score.name} is not sure: {_said(score)}", 0.5)
        return None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A judge and a metric say the opposite: one of two conditions holds and the other does not.

    Attributes:
        judge: When the judge counts as content, e.g. ``grounded=true``.
        metric: When the metric does, e.g. ``cer<=0.1``.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> from vlmops.platforms import Run, ScoreCondition
        >>> rule = Contradiction(ScoreCondition.parse("grounded=true"), ScoreCondition.parse("cer<=0.1"))
        >>> said = [Score("grounded", True, "as printed"), Score("cer", 0.4, direction="minimize")]
        >>> rule.reason(Run(Case("T0TAL", id="s"), 1, said)).text
        'grounded is yes (as printed), yet cer is 0.4'
    """

    judge: ScoreCondition
    metric: ScoreCondition
    name: ClassVar[str] = "contradiction"

    def __post_init__(self) -> None:
        for condition in (self.judge, self.metric):
            if not condition.sign:
                raise UsageError(
                    f"{condition} does not say when it is content: write it as 'grounded=true' or 'cer<=0.1'"
                )

    @property
    def reads(self) -> Sequence[str]:
        """Both scores."""
        return (self.judge.name, self.metric.name)

    def reason(self, run: Run) -> Reason | None:
        """Both sides of the contradiction; ``None`` where one of them said nothing."""
        judged, measured = (_named(run, condition.name) for condition in (self.judge, self.metric))
        if judged is None or measured is None or self.judge.holds(judged) == self.metric.holds(measured):
            return None
        said = f"{judged.name} is {_said(judged)}, yet {measured.name} is {_said(measured)}"
        return Reason(self.name, said)


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no answer, or an evaluator failed on it other than by abstaining.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from vlmops.platforms import Run
        >>> answer = Failure(FailureKind.REFUSAL, "I would rather not")
        >>> Failed().reason(Run(Case(answer, id="s"), 1, [])).text
        'no answer: refusal: I would rather not'
    """

    name: ClassVar[str] = "failed"
    reads: ClassVar[Sequence[str]] = ()

    def reason(self, run: Run) -> Reason | None:
        """The failed answer, else the failed evaluation."""
        if isinstance(output := run.case.output, Failure):
            return Reason(self.name, f"no answer: {output.kind.value}: {output.message}")
        for result in run.results:
            if isinstance(result, Failure) and result.kind is not FailureKind.ABSTAINED:
                told = f"{result.evaluator} gave no score: {result.kind.value}: {result.message}"
                return Reason(self.name, told, 0.5)
        return None


@dataclass(frozen=True, slots=True)
class RandomShare:
    """A random share of all answers: what labels must come from that are to stand for the whole.

    Whether a case is in depends on its id and the seed alone: the same cases are chosen again, and stay
    chosen when a dataset grows or the share is raised.

    Attributes:
        share: Above 0, at most 1.
        seed: Another seed, another choice.

    Raises:
        UsageError: The share is out of range.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from vlmops.platforms import Run
        >>> runs = [Run(Case("a", id=str(n)), 1, []) for n in range(1000)]
        >>> chosen = [run.case.id for run in runs if RandomShare(0.1).reason(run)]
        >>> 70 < len(chosen) < 130
        True
    """

    share: float
    seed: int = 0
    name: ClassVar[str] = "random"
    reads: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UsageError(f"a random share of {self.share:g}: must be above 0 and at most 1")

    def reason(self, run: Run) -> Reason | None:
        """That it was drawn; nothing of what was said of it, which would sway the reviewer."""
        place = drawn(self.seed, run.case.id)
        if place >= self.share:
            return None
        return Reason(self.name, f"one of a random share of {self.share:.3g}", 1 - place)


def drawn(seed: int, identity: str) -> float:
    """A number from 0 to below 1 that depends on seed and id alone.

    Example:
        >>> drawn(7, "a") == drawn(7, "a") != drawn(8, "a")
        True
    """
    digest = blake2b(f"{seed}\n{identity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _scores(run: Run, name: str) -> Iterator[Score]:
    for result in run.results:
        if isinstance(result, Score) and (result.name == name or result.name.startswith(f"{name}.")):
            yield result


def _failures(run: Run, name: str) -> Iterator[Failure]:
    return (each for each in run.results if isinstance(each, Failure) and each.evaluator == name)


def _named(run: Run, name: str) -> Score | None:
    return next((each for each in run.results if isinstance(each, Score) and each.name == name), None)


def _apart(votes: Sequence[Mapping[str, Any]], score: Score) -> float:
    values = [vote["value"] for vote in votes if vote.get("value") is not None]
    if len(values) < 2:
        return 0.0
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        low, high = score.range or (min(values), max(values))
        spread = max(values) - min(values)
        return float(min(1.0, spread / (high - low))) if high > low else 0.0
    winner = Counter(values).most_common(1)[0][1]
    return min(1.0, 2 * (1 - winner / len(values)))


def _told(votes: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{vote.get('judge')}: {_vote(vote)}" for vote in votes)


def _vote(vote: Mapping[str, Any]) -> str:
    why = vote.get("why")
    said = _word(vote["value"]) if vote.get("value") is not None else str(vote.get("failure", "no vote"))
    return f"{said} ({why})" if why else said


def _said(score: Score) -> str:
    return f"{_word(score.value)} ({score.explanation})" if score.explanation else _word(score.value)


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, int | float) else value
