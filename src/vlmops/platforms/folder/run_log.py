"""What a folder holds of one experiment's answers and scores."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from vlmops.evaluators import Failure
from vlmops.platforms.folder.json_lines import read_lines
from vlmops.platforms.folder.run_lines import case_of, results_of
from vlmops.platforms.records import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vlmops.datasets import Sample
    from vlmops.evaluators import Case
    from vlmops.platforms.folder.pictures import FolderPictures

ANSWERS = "answers.jsonl"
SCORES = "scores.jsonl"


class Spot(NamedTuple):
    """One answer's place in an experiment."""

    sample: str
    repetition: int


class RunLog:
    """Answers and scores of one experiment; of several lines for the same, the last counts.

    Args:
        folder: The experiment's folder.
        samples: The dataset's samples by id, in its order.
        pictures: The pictures that lines refer to.
    """

    def __init__(self, folder: Path, samples: Mapping[str, Sample], pictures: FolderPictures) -> None:
        self.samples = samples
        self._restored = partial(pictures.restored, base=folder)
        self._cases: dict[Spot, Case] = {}
        self._results: dict[Spot, dict[str, Mapping[str, Any]]] = {}
        for line in read_lines(folder / ANSWERS):
            self.add_answer(line)
        for line in read_lines(folder / SCORES):
            self.add_results(line)

    def add_answer(self, line: Mapping[str, Any]) -> None:
        """Take in an answer; what was said of an earlier one no longer counts."""
        spot = Spot(line["sample"], line["repetition"])
        if spot.sample in self.samples:
            self._cases[spot] = case_of(line, self.samples[spot.sample], self._restored)

    def add_results(self, line: Mapping[str, Any]) -> None:
        """Take in what one evaluator said of an answer."""
        spot = Spot(line["sample"], line["repetition"])
        self._results.setdefault(spot, {})[line["evaluator"]] = line

    def case(self, spot: Spot) -> Case:
        """What evaluators see of the answer there."""
        return self._cases[spot]

    def cases(self) -> Iterator[tuple[Spot, Case]]:
        """Every answer, in the dataset's order."""
        order = {sample_id: place for place, sample_id in enumerate(self.samples)}
        for spot in sorted(self._cases, key=lambda spot: (order[spot.sample], spot.repetition)):
            yield spot, self._cases[spot]

    def succeeded(self, spot: Spot) -> bool:
        """Whether there is an answer that is no failure."""
        return spot in self._cases and not isinstance(self._cases[spot].output, Failure)

    def evaluated(self, spot: Spot, evaluator: str, settings: str) -> bool:
        """Whether the evaluator, with these parameters, has finished with the answer and did not fail."""
        line = self._results.get(spot, {}).get(evaluator)
        if line is None or line.get("settings", "") != settings:
            return False
        return not any("kind_of_failure" in result for result in line["results"])

    def runs(self) -> list[Run]:
        """All answers with what was said of them, in the dataset's order."""
        return [
            Run(
                case,
                spot.repetition,
                [
                    result
                    for line in self._results.get(spot, {}).values()
                    for result in results_of(line, self._restored)
                ],
                f"{spot.sample}/{spot.repetition}",
            )
            for spot, case in self.cases()
        ]
