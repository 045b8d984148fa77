"""The judge, the cases and people's verdicts that a command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.cli.options import connected, made_evaluators
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vlmops.evaluators import Case, Value
    from vlmops.judges import AnsweredCases, Judge
    from vlmops.platforms import ExperimentRecord


def made_judge(specification: str) -> Judge:
    """A judge from ``name={json}``.

    Raises:
        UsageError: It is no judge.
    """
    from vlmops.judges import Judge

    (made,) = made_evaluators([specification])
    if not isinstance(made, Judge):
        raise UsageError(f"{specification.partition('=')[0]!r} is no judge; 'vlmops judges list' lists them")
    return made


def answered_cases(
    cases: Path | None, experiment: str | None, on: str, url: str | None, limit: int | None
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
        (record,) = experiment_records([str(experiment)], on, url).values()
        found = AnsweredCases(first_answers(record))
    if not found.cases:
        raise UsageError("there are no answered cases")
    return replace(found, cases=found.cases[:limit])


def experiment_records(ids: Sequence[str], on: str, url: str | None) -> dict[str, ExperimentRecord]:
    """The experiments by name; by name and id where two have the same."""
    from vlmops.blocking import blocking

    platform = connected(on, url)

    async def read() -> list[ExperimentRecord]:
        return [await platform.experiments.read(identity) for identity in ids]

    found = blocking(read, platform)
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

    said = {**answered.human, **(read_labels(labels) if labels is not None else {})}
    known = {case.id for case in answered.cases}
    if said and not said.keys() & known:
        raise UsageError(
            f"none of the {len(said)} labels is one of the {len(known)} cases: are the ids the same?"
        )
    return said


def annotated(
    experiment: str | None, on: str, url: str | None, name: str, project: str | None
) -> Mapping[str, Value]:
    """What people said on the platform.

    Raises:
        UsageError: No experiment is named, or nobody said anything.
    """
    from vlmops.blocking import blocking
    from vlmops.judges import human_labels

    if experiment is None:
        raise UsageError("--human reads what people said of an experiment: name it by --experiment")
    platform = connected(on, url)

    async def read() -> Mapping[str, Value]:
        return await human_labels(platform, await platform.experiments.read(experiment), name, project)

    return blocking(read, platform)
