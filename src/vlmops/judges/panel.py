"""A panel: several judges on one case, their votes made one, and how far they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from vlmops.concurrency import map_each
from vlmops.errors import UsageError
from vlmops.evaluators.bases import NamedEvaluator
from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.evaluator import evaluate
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.model_use import asked_through, models_of
from vlmops.evaluators.registry import create, register
from vlmops.evaluators.score import Score, SetScore
from vlmops.judges.spending import judging_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators.case import Case, Usage
    from vlmops.evaluators.evaluator import Annotator, Evaluator, Result
    from vlmops.models.model import Model
    from vlmops.statistics.agreement import Level

_LEVEL: Mapping[type, Level] = {bool: "nominal", str: "nominal", int: "interval", float: "interval"}


@dataclass(frozen=True, slots=True)
class PanelVote:
    """One member's vote.

    Attributes:
        judge: The member's name.
        result: Its score, or why it gave none; an abstention is a failure of that kind.
    """

    judge: str
    result: Score | Failure


@register("panel")
@dataclass(frozen=True, kw_only=True)
class Panel(NamedEvaluator):
    """Several judges who vote; best of different model families, which share fewer faults.

    Every member must give scores of the same parts: the same rubric with different models. Votes that failed
    or abstained are counted and left out; with fewer votes than ``quorum``, or with no majority, the
    panel abstains, which is a failure and not a score. Of several parts those that have a majority are
    scores, whose metadata says under ``"undecided"`` why others are not.

    Attributes:
        judges: The members, each with a name of its own; in TOML and JSON tables of an evaluator's name under
            ``use`` and its parameters. A member without a name is named after its model.
        numbers: How votes on a scale become one: their ``"mean"`` or ``"median"``. Pass/fail and labels go by
            absolute majority of the votes given.
        quorum: How many votes it takes; more than half of the members when ``None``.

    Raises:
        UsageError: There are fewer than two members, two have one name, their rubrics have no score in
            common, or the quorum cannot be met.

    Example:
        >>> import asyncio
        >>> from dataclasses import dataclass
        >>> from vlmops.evaluators import Case, Score
        >>> @dataclass(frozen=True)
        ... class Always:
        ...     name: str
        ...     value: bool
        ...     def evaluate(self, case):
        ...         return Score(self.name, self.value)
        >>> panel = Panel(judges=(Always("x", True), Always("y", True), Always("z", False)))
        >>> score = asyncio.run(panel.evaluate(Case(output="a")))
        >>> score.value, score.explanation
        (True, '2 of 3 votes')
    """

    default_name: ClassVar[str] = "panel"
    annotator: ClassVar[Annotator] = "LLM"
    nested: ClassVar[tuple[str, ...]] = ("judges",)
    """Parameters that hold tables of evaluators; files within start where the specification lies, too."""

    judges: Sequence[Evaluator]
    numbers: Literal["mean", "median"] = "mean"
    quorum: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "judges", tuple(_member(each) for each in self.judges))
        names = [judge.name for judge in self.judges]
        if len(names) < 2 or len(set(names)) < len(names):
            raise UsageError(f"a panel takes two judges at least, each with a name of its own: {names}")
        _require_common_part(self.judges)
        if self.quorum is not None and not 1 <= self.quorum <= len(names):
            raise UsageError(f"a quorum of {self.quorum} cannot be met by {len(names)} judges")

    def applies(self, case: Case) -> bool:
        """Whether any member has anything to say of the case."""
        from vlmops.evaluators.evaluator import applies

        return any(applies(judge, case) for judge in self.judges)

    @property
    def models(self) -> Sequence[Model]:
        """The models of all members."""
        return models_of(self.judges)

    def asking(self, care: Callable[[Model], Model]) -> Self:
        """The same panel, its members asking what ``care`` makes of their models."""
        return replace(self, judges=tuple(asked_through(self.judges, care)))

    async def evaluate(self, case: Case) -> Result:
        """Have all members judge the case, at once."""
        results = await map_each(self.judges, lambda judge: evaluate(judge, case))
        ballots = self._ballots(results)
        if not ballots:
            failures = [result for result in results if isinstance(result, Failure)]
            kind = Counter(each.kind for each in failures).most_common(1)[0][0] if failures else None
            told = "; ".join(f"{each.evaluator or '?'}: {each.message}" for each in failures)
            failure = self.failure(kind or FailureKind.ABSTAINED, f"no judge gave a score: {told}")
            return replace(failure, usage=_spent(results))
        scores = [self._counted(part, votes) for part, votes in ballots.items()]
        failed = next((score for score in scores if isinstance(score, Failure)), None)
        given = [score for score in scores if isinstance(score, Score)]
        if failed is not None:
            if not given:
                return replace(failed, usage=_spent(results))
            # Result has no place for scores and a failure at once; none may vanish without a word.
            lost = [score.message for score in scores if isinstance(score, Failure)]
            given = [replace(score, metadata={**score.metadata, "undecided": lost}) for score in given]
        return given[0] if len(given) == 1 else given

    def _ballots(self, results: Sequence[Result]) -> dict[str, list[PanelVote]]:
        """The votes on each part; ``""`` is the judge's score of its own name."""
        given: list[dict[str, Score]] = []
        for judge, result in zip(self.judges, results, strict=True):
            scores = [] if isinstance(result, Failure) else result if isinstance(result, list) else [result]
            given.append({score.name.removeprefix(judge.name).removeprefix("."): score for score in scores})
        parts = dict.fromkeys(part for scores in given for part in scores)
        return {
            part: [
                PanelVote(judge.name, scores.get(part) or _absent(judge.name, result))
                for judge, scores, result in zip(self.judges, given, results, strict=True)
            ]
            for part in parts
        }

    def _counted(self, part: str, votes: Sequence[PanelVote]) -> Score | Failure:
        given = [vote.result for vote in votes if isinstance(vote.result, Score)]
        needed = self.quorum or len(self.judges) // 2 + 1
        name = self.part(part) if part else self.name
        if len(given) < needed:
            return self.failure(
                FailureKind.ABSTAINED,
                f"{name}: {len(given)} of {len(votes)} judges voted, {needed} are needed",
            )
        metadata = {"votes": [_shown(vote) for vote in votes]}
        if isinstance(given[0].value, float | int) and not isinstance(given[0].value, bool):
            numbers = [float(score.value) for score in given]
            value = fmean(numbers) if self.numbers == "mean" else median(numbers)
            told = f"{self.numbers} of {len(numbers)} votes, {min(numbers):g} to {max(numbers):g}"
            return Score(name, value, told, given[0].direction, given[0].range, metadata)
        winner, count = Counter(score.value for score in given).most_common(1)[0]
        if 2 * count <= len(given):
            tally = ", ".join(f"{value}: {n}" for value, n in Counter(str(s.value) for s in given).items())
            return self.failure(FailureKind.ABSTAINED, f"{name}: no majority among the judges ({tally})")
        told = f"{count} of {len(given)} votes"
        return Score(name, winner, told, given[0].direction, given[0].range, metadata)


def panel_agreement(cases: Sequence[Case], scores: Sequence[Score], name: str = "") -> SetScore:
    """How far the members of a panel agree over many cases: Krippendorff's alpha.

    Alpha is 1 where all agree, 0 where they agree as often as by chance, and below 0 where less; 0.8 is what
    is commonly asked for, 0.667 the least for tentative conclusions (Krippendorff, *Content Analysis*, 2004).

    Args:
        cases: The cases, for the clusters of the interval.
        scores: What the panel gave for each, of one part.
        name: Of the result; the scores' name with ``.agreement`` when empty.

    Raises:
        UsageError: There is no score, or not one for each case.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> def scored(*votes):
        ...     given = [{"judge": str(n), "value": vote} for n, vote in enumerate(votes)]
        ...     return Score("panel", True, metadata={"votes": given})
        >>> cases = [Case(output="a", id="1"), Case(output="b", id="2")]
        >>> panel_agreement(cases, [scored(True, True), scored(False, False)]).value
        1.0
    """
    from vlmops.statistics import bootstrap_interval, krippendorff_alpha

    rows = [[vote.get("value") for vote in score.metadata["votes"]] for score in scores]
    if not rows or len(rows) != len(cases):
        raise UsageError(f"{len(cases)} cases, {len(rows)} scores: give the score of each case, one at least")
    level = _LEVEL[type(next(value for row in rows for value in row if value is not None))]

    def alpha(positions: Sequence[int]) -> float:
        columns = list(zip(*(rows[position] for position in positions), strict=True))
        return krippendorff_alpha(columns, level=level)

    return SetScore(
        name or f"{scores[0].name}.agreement",
        alpha(range(len(rows))),
        len(rows),
        interval=bootstrap_interval(alpha, len(rows), clusters=picture_clusters(cases), resamples=1000),
        explanation=f"Krippendorff's alpha of {len(rows[0])} judges on {len(rows)} cases",
        range=(-1.0, 1.0),
    )


def _member(given: Evaluator | Mapping[str, Any]) -> Evaluator:
    if not isinstance(given, Mapping):
        return given
    parameters = dict(given)
    use = parameters.pop("use", None)
    if not isinstance(use, str):
        raise UsageError(f'the panel\'s judge {dict(given)!r} has no use = "judge_grounded" or the like')
    made: Evaluator = create(use, **parameters)
    if parameters.get("name") or not isinstance(made, NamedEvaluator) or not (asked := models_of([made])):
        return made
    return replace(made, name=asked[0].name)


def _require_common_part(judges: Sequence[Evaluator]) -> None:
    """Raise where rubrics have nothing in common: their votes would never be counted together."""
    from vlmops.judges.judge import Judge

    parts = {judge.name: judge.rubric.parts for judge in judges if isinstance(judge, Judge)}
    if parts and not frozenset.intersection(*parts.values()):
        given = {name: ", ".join(sorted(part or "the whole" for part in own)) for name, own in parts.items()}
        raise UsageError(
            "the judges of a panel must vote on the same, as one rubric with different models does: "
            + "; ".join(f"{name} votes on {what}" for name, what in given.items())
        )


def _absent(judge: str, result: Result) -> Failure:
    if isinstance(result, Failure):
        return result
    return Failure(FailureKind.ABSTAINED, "gave no score of this part", evaluator=judge)


def _shown(vote: PanelVote) -> dict[str, Any]:
    if isinstance(vote.result, Failure):
        return {
            "judge": vote.judge,
            "value": None,
            "failure": vote.result.kind.value,
            "why": vote.result.message,
            **({"usage": _known(vote.result.usage)} if vote.result.usage is not None else {}),
        }
    usage = vote.result.metadata.get("judge", {})
    return {
        "judge": vote.judge,
        "value": vote.result.value,
        "why": vote.result.explanation,
        **({"usage": usage["usage"]} if "usage" in usage else {}),
    }


def _spent(results: Sequence[Result]) -> Usage | None:
    """What the members' calls cost in all, as far as it is known."""
    from vlmops.evaluators.case import Usage

    spent = judging_cost(score for each in results for score in (each if isinstance(each, list) else [each]))
    return Usage(cost=spent.cost) if spent.calls or spent.unpriced else None


def _known(usage: Usage) -> dict[str, Any]:
    return {key: value for key, value in asdict(usage).items() if value is not None}
