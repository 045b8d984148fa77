"""What must hold of recorded executions and their scores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vlmops.datasets import ImageDataset
from vlmops.evaluators import (
    Score,
)
from vlmops.platforms import (
    ExecutionLink,
    ExecutionQuery,
    Platform,
    ScoreCondition,
    answered,
    collect,
    execution_link,
    pull,
    score_executions,
)
from vlmops.platforms.records import Execution, TargetedScore
from vlmops.testing.pictures import picture

if TYPE_CHECKING:
    from pathlib import Path
from vlmops.testing.contract.base import Contract
from vlmops.testing.contract.evaluators import HALF, WHOLE, TwoScores
from vlmops.testing.contract.reading import executions_on, written


class ExecutionContract(Contract):
    """Reading, scoring, choosing, collecting."""

    def test_recorded_executions_are_scored_once(self, platform: Platform, name: str) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        query = ExecutionQuery(project=name)
        for _ in range(2):
            report = score_executions(platform, query, [TwoScores()])
            assert (report.executions, report.written, report.failures) == (1, 2, [])
        execution = executions_on(platform, query)[0]
        assert execution.case.images[0].read() == picture(7).read()
        assert execution.case.output == "seven"
        held = self.score_values(platform, execution)
        if held is not None:
            assert held == {"two.length": 5.0, "two.seen": True}

    def test_a_refused_score_is_reported_never_lost(self, platform: Platform, name: str) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        execution = executions_on(platform, ExecutionQuery(project=name))[0]
        unknown = replace(execution.target, id=self.unknown_target(execution))
        good, bad = (TargetedScore(target, Score("x", 1.0)) for target in (execution.target, unknown))
        report = written(platform, [good, bad])
        assert report.written == 1
        assert [failure.id for failure in report.failures] == [unknown.id]

    def test_scores_whose_words_break_off_within_a_character_are_written(
        self, platform: Platform, name: str
    ) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        query = ExecutionQuery(project=name, with_scores=True)
        target = executions_on(platform, query)[0].target
        said = [
            Score("mood", f"smiling {HALF}", f"because {HALF}", "none", None, {HALF: [HALF, "😀"]}),
            Score("polite", 1.0, "because"),
        ]
        report = written(platform, [TargetedScore(target, score) for score in said])
        assert (report.written, list(report.failures)) == (2, [])
        held = {item.score.name: item.score for item in executions_on(platform, query)[0].scores}
        assert (held["mood"].value, held["mood"].explanation) == (f"smiling {WHOLE}", f"because {WHOLE}")
        assert held["mood"].metadata[WHOLE] == [WHOLE, "😀"]

    def test_executions_are_chosen_by_what_was_said_of_them(self, platform: Platform, name: str) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        execution = executions_on(platform, ExecutionQuery(project=name))[0]
        said = [Score("doubt", 0.25, range=(0.0, 1.0)), Score("verdict", "wrong", range=None)]
        assert written(platform, [TargetedScore(execution.target, score) for score in said]).written == 2

        def chosen(*conditions: str) -> list[Execution]:
            wanted = [ScoreCondition.parse(condition) for condition in conditions]
            return executions_on(platform, ExecutionQuery(project=name, scores=wanted, limit=1))

        for conditions in (["doubt<0.5"], ["verdict=wrong"], ["doubt>=0.25", "verdict!=right"], ["doubt"]):
            (found,) = chosen(*conditions)
            assert {item.score.name: item.score.value for item in found.scores} == {
                "doubt": 0.25,
                "verdict": "wrong",
            }
        assert not any(map(chosen, ("doubt>0.5", "verdict=right", "nobody said")))

    def test_executions_become_samples_of_a_dataset_once(
        self, platform: Platform, name: str, tmp_path: Path
    ) -> None:
        if not self.record_execution(platform, name, picture(7), "seven"):
            pytest.skip("this suite cannot record an execution here")
        query = ExecutionQuery(project=name)
        target = executions_on(platform, query)[0].target
        first = collect(platform, query, name, expected=answered).targets[0]
        again = collect(platform, query, name, expected=answered).targets[0]
        assert (first.created, first.failures) == (1, [])
        assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
        assert pull(platform, name, tmp_path / "pulled").failures == []
        (sample,) = ImageDataset.from_folder(tmp_path / "pulled")
        assert (sample.id, sample.expected) == (target.id, "seven")
        assert sample.images[0].read() == picture(7).read()
        link = execution_link(sample, platform.name)
        assert link == ExecutionLink(target.trace_id, target.id)
