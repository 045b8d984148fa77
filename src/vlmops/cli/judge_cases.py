"""The judge, the cases and people's verdicts that a command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.cli.options import connected, made_evaluators, named_evaluator
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vlmops.evaluators import Case, Value
    from vlmops.judges import AnsweredCases, Judge, PairwiseJudge, Panel
    from vlmops.platforms import ExperimentRecord


PAIRWISE = "pairwise"
"""The name of the judge of pairs, which is no evaluator: it takes two answers."""


def made_any_judge(specification: str) -> Judge | PairwiseJudge | Panel:
    """A judge from ``name={json}`` or a file.

    Raises:
        UsageError: It is no judge, or a parameter is wrong.
    """
    from vlmops.judges import Judge, Panel, pairwise_judge

    name, parameters = named_evaluator(specification)
    if name == PAIRWISE:
        return pairwise_judge(**parameters)
    (made,) = made_evaluators([specification])
    if not isinstance(made, Judge | Panel):
        raise UsageError(f"{name!r} is no judge; 'vlmops judges list' lists them")
    return made


def made_judge(specification: str) -> Judge:
    """The same, of a judge of single answers that is no panel.

    Raises:
        UsageError: It is another.
    """
    from vlmops.judges import Judge

    made = made_any_judge(specification)
    if not isinstance(made, Judge):
        raise UsageError(f"{made.name}: this takes one judge of single answers, not {type(made).__name__}")
    return made


def made_single(specification: str) -> Judge | Panel:
    """The same, of one that judges single answers.

    Raises:
        UsageError: It judges pairs.
    """
    from vlmops.judges import PairwiseJudge

    made = made_any_judge(specification)
    if isinstance(made, PairwiseJudge):
        raise UsageError(f"{made.name} compares two answers: 'vlmops judges rank' and 'audit' take it")
    return made


def made_pairwise(specification: str) -> PairwiseJudge:
    """The same, of a judge of pairs.

    Raises:
        UsageError: It judges single answers.
    """
    from vlmops.judges import PairwiseJudge

    made = made_any_judge(specification)
    if not isinstance(made, PairwiseJudge):
        raise UsageError(f"{made.name} judges single answers: give 'pairwise={{...}}'")
    return made


def answered_cases(
    cases: Path | None,
    experiment: str | None,
    dataset: str | None,
    on: str,
    url: str | None,
    limit: int | None,
) -> AnsweredCases:
    """The cases of a file, or the answers of an experiment.

    Raises:
        UsageError: Neither or both are named, or there are none.
    """
    from dataclasses import replace

    from vlmops.judges import AnsweredCases, read_cases

    if (cases is None) == (experiment is None):
        raise UsageError("say which cases: --cases FILE, or --experiment ID")
    if cases is not None:
        found = read_cases(cases)
    else:
        (record,) = experiment_records([str(experiment)], dataset, on, url).values()
        found = AnsweredCases(first_answers(record))
    if not found.cases:
        raise UsageError("there are no answered cases")
    return replace(found, cases=found.cases[:limit])


def answers_to_compare(
    cases: Sequence[Path],
    experiments: Sequence[str],
    dataset: str | None,
    on: str,
    url: str | None,
    limit: int | None,
) -> dict[str, Sequence[Case]]:
    """Answers to the same samples, from two files or two experiments, by name.

    Raises:
        UsageError: There are not two of a kind.
    """
    from vlmops.judges import read_cases

    if {len(cases), len(experiments)} != {0, 2} or len(set(cases)) + len(set(experiments)) != 2:
        raise UsageError("a judge of pairs takes two: --experiment A --experiment B, or --cases A --cases B")
    if cases:
        return {str(path): read_cases(path).cases[:limit] for path in cases}
    records = experiment_records(experiments, dataset, on, url)
    return {name: first_answers(record)[:limit] for name, record in records.items()}


def preferences(labels: Path, pairs: Sequence[tuple[Case, Case]]) -> dict[str, float]:
    """What people prefer, by id: 1 the first answer, 0 the second, 0.5 neither.

    Raises:
        UsageError: A label says something else, or none is of one of the pairs.
    """
    from vlmops.judges import read_labels

    meant = {"first": 1.0, "tie": 0.5, "second": 0.0}
    said = read_labels(labels)
    if strange := [told for told in said.values() if told not in meant]:
        raise UsageError(f"{labels}: a label is {strange[0]!r}: of pairs it is first, second or tie")
    found = {case.id: meant[str(said[case.id])] for case, _ in pairs if case.id in said}
    if not found:
        raise UsageError(f"{labels}: none of its labels is of one of the pairs: are the ids the same?")
    return found


def experiment_records(
    selectors: Sequence[str], dataset: str | None, on: str, url: str | None
) -> dict[str, ExperimentRecord]:
    """The experiments by name; by name and id where two have the same."""
    from vlmops.cli.compare import read_experiments

    found = read_experiments(connected(on, url), selectors, dataset)
    names = [record.name for record in found]
    return {
        record.name if names.count(record.name) == 1 else f"{record.name} {record.id}": record
        for record in found
    }


def first_answers(record: ExperimentRecord) -> list[Case]:
    """The first answer to each sample; those that failed are nothing to judge."""
    from vlmops.evaluators import Failure

    answered = [run.case for run in record.runs if not isinstance(run.case.output, Failure)]
    return list({case.id: case for case in reversed(answered)}.values())[::-1]


def human_verdicts(answered: AnsweredCases, labels: Path | None) -> Mapping[str, Value]:
    """What people said, by id: of the cases themselves and of a file of labels.

    Raises:
        UsageError: None of it is about one of the cases.
    """
    from vlmops.judges import read_labels

    written = {} if labels is None else read_labels(labels)
    if labels is not None and not written:
        raise UsageError(f"{labels} holds no labels yet: 'vlmops review collect' adds what people have said")
    said = {**answered.human, **written}
    known = {case.id for case in answered.cases}
    if said and not said.keys() & known:
        raise UsageError(
            f"none of the {len(said)} labels is one of the {len(known)} cases: are the ids the same?"
        )
    return said


def annotated(
    experiment: str | None,
    dataset: str | None,
    on: str,
    url: str | None,
    name: str,
    project: str | None,
) -> Mapping[str, Value]:
    """What people said on the platform.

    Raises:
        UsageError: No experiment is named, or nobody said anything.
    """
    from vlmops.blocking import blocking
    from vlmops.cli.compare import read_experiments
    from vlmops.judges import human_labels

    if experiment is None:
        raise UsageError("--human reads what people said of an experiment: name it by --experiment")
    platform = connected(on, url)

    (record,) = read_experiments(platform, [experiment], dataset)
    return blocking(lambda: human_labels(platform, record, name, project), platform)
