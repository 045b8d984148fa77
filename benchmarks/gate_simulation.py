"""How often the gate cries wolf, and how often it sees the wolf.

Pairs of experiments are simulated from known truths, and each goes through the whole gate: records,
comparison, rules, verdict. Alike variants must fail it at most as often as its level says; real losses must
fail it as often as the power computed from them says.

    python benchmarks/gate_simulation.py            # 1,000 pairs a scenario
    python benchmarks/gate_simulation.py --pairs 200
"""

from __future__ import annotations

import argparse
import math
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vlmops.evaluators import Case, CharacterErrorRate, Failure, FailureKind, Score
from vlmops.gate import GateRules, Status, gate
from vlmops.platforms import ExperimentRecord, Run
from vlmops.statistics import power

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHOWN = (Status.FAIL, Status.UNCLEAR, Status.PASS, Status.ERROR)

Table = dict[str, np.ndarray]
"""Values by metric; NaN is a failed answer."""


@dataclass(frozen=True)
class Scenario:
    """A truth to draw pairs of experiments from.

    Attributes:
        name: What it is.
        draw: Two tables of values, baseline and candidate.
        rules: The gate's rules.
        questions: Answers to each picture.
    """

    name: str
    draw: Callable[[np.random.Generator], tuple[Table, Table]]
    rules: dict
    questions: int = 1


def passes(pictures: int, loss: float = 0.0, questions: int = 1, rate: float = 0.8) -> Callable:
    """Pass and fail: each picture has a difficulty of its own, each variant answers by itself."""

    def draw(random):
        ease = random.beta(rate * 2, (1 - rate) * 2, size=pictures)
        chance = np.repeat(ease, questions)
        # Questions about one picture share much of their luck: a picture is read well or badly as a whole.
        luck = [
            np.where(
                random.random(pictures * questions) < 0.5,
                np.repeat(random.random(pictures), questions),
                random.random(pictures * questions),
            )
            for _ in range(2)
        ]
        before = luck[0] < chance
        after = (luck[1] < chance) & (random.random(pictures * questions) >= loss / rate)
        return {"ok": before.astype(float)}, {"ok": after.astype(float)}

    return draw


def errors(pictures: int, loss: float = 0.0) -> Callable:
    """Skewed numbers, mostly zero, some large: the way error rates of readers look."""

    def draw(random):
        hard = random.lognormal(-2.5, 1, size=pictures)
        tables = [
            np.where(random.random(pictures) < 0.5, 0, hard * random.lognormal(0, 0.6, size=pictures))
            for _ in range(2)
        ]
        return {"err": tables[0]}, {"err": tables[1] + loss * (random.random(pictures) < 0.5) * 2}

    return draw


def many(pictures: int, metrics: int) -> Callable:
    """Several metrics that go together."""

    def draw(random):
        ease = random.beta(1.6, 0.4, size=(pictures, 1))
        tables = [(random.random((pictures, metrics)) < ease).astype(float) for _ in range(2)]
        return tuple({f"m{at}": table[:, at] for at in range(metrics)} for table in tables)

    return draw


def corpus(pictures: int) -> Callable:
    """Texts of uneven length with misread characters: micro-averaged CER."""

    def draw(random):
        lengths = random.integers(5, 80, size=pictures)
        hard = random.beta(0.5, 6, size=pictures)
        wrong = [random.binomial(lengths, hard) for _ in range(2)]
        return {"cer": lengths + wrong[0] / 1000}, {"cer": lengths + wrong[1] / 1000}

    return draw


def failing(pictures: int) -> Callable:
    """One answer in twenty fails, on either side."""

    def draw(random):
        tables = passes(pictures)(random)
        for table in tables:
            table["ok"][random.random(pictures) < 0.05] = math.nan
        return tables

    return draw


def record(name: str, table: Table, questions: int) -> ExperimentRecord:
    """The experiment that a platform would have given."""
    runs = []
    for row in range(len(next(iter(table.values())))):
        values = {metric: float(column[row]) for metric, column in table.items()}
        picture = row // questions
        metadata = {"part": f"p{picture % 3}"}
        identity = f"{picture}" if questions == 1 else f"{picture}-{row % questions}"
        if any(math.isnan(value) for value in values.values()):
            output = Failure(FailureKind.TIMEOUT, "no answer")
            runs.append(Run(Case(output, id=identity, metadata=metadata), 1, []))
        elif "cer" in values:
            length = int(values["cer"])
            wrong = round((values["cer"] - length) * 1000)
            case = Case("x" * wrong + "a" * (length - wrong), "a" * length, id=identity, metadata=metadata)
            runs.append(Run(case, 1, [CharacterErrorRate().evaluate(case)]))
        else:
            results = [
                Score(metric, bool(value), direction="maximize")
                if metric != "err"
                else Score(metric, value, direction="minimize")
                for metric, value in values.items()
            ]
            runs.append(
                Run(Case("a", inputs={"picture": picture}, id=identity, metadata=metadata), 1, results)
            )
    return ExperimentRecord(name, name, "", "d", "1", runs)


SAME = {
    "pass/fail, 30 pictures": (passes(30), {"ok": 0.0}),
    "pass/fail, 200 pictures": (passes(200), {"ok": 0.0}),
    "pass/fail, 200 pictures, tolerance 0.02": (passes(200), {"ok": 0.02}),
    "pass/fail, 97 % pass, 100 pictures": (passes(100, rate=0.97), {"ok": 0.0}),
    "pass/fail, 50 pictures x 6 questions": (passes(50, questions=6), {"ok": 0.0}),
    "skewed errors, 20 pictures": (errors(20), {"err": 0.0}),
    "skewed errors, 200 pictures": (errors(200), {"err": 0.0}),
    "micro CER, 30 pictures": (corpus(30), {"cer": 0.0}),
    "micro CER, 200 pictures": (corpus(200), {"cer": 0.0}),
    "5 % of answers fail, 200 pictures": (failing(200), {"ok": 0.0}),
}


def scenarios() -> Iterator[Scenario]:
    """Alike pairs, then real losses."""
    for name, (draw, drops) in SAME.items():
        questions = 6 if "x 6" in name else 1
        rules = {"metrics": {metric: {"max_drop": drop} for metric, drop in drops.items()}}
        yield Scenario(name, draw, rules, questions)
    metrics = {f"m{at}": {"max_drop": 0.0} for at in range(8)}
    yield Scenario(
        "8 metrics x 3 slices, 200 pictures", many(200, 8), {"metrics": metrics, "slices": ["part"]}
    )


def verdict(scenario: Scenario, seed: int) -> tuple[Status, float]:
    """What the gate says of one pair, and the standard error it saw."""
    before, after = scenario.draw(np.random.default_rng(seed))
    evaluators = [CharacterErrorRate()] if "cer" in before else []
    candidate = clustered(record("new", after, scenario.questions), scenario.questions)
    baseline = clustered(record("old", before, scenario.questions), scenario.questions)
    result = gate(candidate, GateRules.model_validate(scenario.rules), baseline, evaluators)
    found = next(iter(result.comparison.metrics)).values[-1].difference
    worst = next((each.status for each in result.checks if each.status in (Status.FAIL, Status.ERROR)), None)
    status = worst or next((c.status for c in result.checks if c.status is Status.UNCLEAR), Status.PASS)
    return status, found.paired.standard_error


def clustered(found: ExperimentRecord, questions: int) -> ExperimentRecord:
    """With one picture for all questions about it."""
    if questions == 1:
        return found
    from dataclasses import replace

    pictures = _pictures(max(int(run.case.id.partition("-")[0]) for run in found.runs) + 1)
    runs = [
        replace(run, case=replace(run.case, inputs={"image": pictures[int(run.case.id.partition("-")[0])]}))
        for run in found.runs
    ]
    return replace(found, runs=runs)


_MADE: list = []


def _pictures(count: int) -> list:
    from vlmops.testing import picture

    while len(_MADE) < count:
        _MADE.append(picture(len(_MADE)))
    return _MADE


def statuses(scenario_at: int, loss: float | None, seeds: range) -> list[tuple[Status, float]]:
    """What the gate says of many pairs; for a pool of processes, which cannot be sent a closure."""
    scenario = [*scenarios()][scenario_at] if loss is None else lossy(loss)
    return [verdict(scenario, seed) for seed in seeds]


def lossy(loss: float) -> Scenario:
    """A real loss of passes."""
    return Scenario(f"loss of {loss:g}", passes(200, loss), {"metrics": {"ok": {"max_drop": 0.02}}})


def simulated(at: int, loss: float | None, pairs: int, pool: ProcessPoolExecutor) -> list:
    """All pairs of a scenario."""
    workers = os.cpu_count() or 1
    parts = [range(start, pairs, workers) for start in range(workers)]
    done = [pool.submit(statuses, at, loss, part) for part in parts]
    return [each for part in done for each in part.result()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    pairs = parser.parse_args().pairs
    with ProcessPoolExecutor() as pool:
        print(f"{'alike pairs':45} {'fail':>7} {'unclear':>8} {'pass':>7} {'error':>7}")
        for at, scenario in enumerate(scenarios()):
            counts = Counter(status for status, _ in simulated(at, None, pairs, pool))
            shares = [counts[each] / pairs for each in SHOWN]
            fail, unclear, kept, error = shares
            print(f"{scenario.name:45} {fail:7.1%} {unclear:8.1%} {kept:7.1%} {error:7.1%}", flush=True)
        print(f"\n{'real loss, 200 pictures, tolerance 0.02':45} {'fail':>7} {'power':>8}")
        for loss in (0.02, 0.08, 0.12, 0.16, 0.2):
            found = simulated(0, loss, pairs, pool)
            failed = sum(status is Status.FAIL for status, _ in found) / pairs
            computed = float(np.mean([power(loss - 0.02, error, 199, sides=1) for _, error in found[:200]]))
            print(f"{loss:45g} {failed:7.1%} {computed:8.1%}", flush=True)


if __name__ == "__main__":
    main()
