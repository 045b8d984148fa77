"""The judges' commands on experiments of a real Phoenix, and of a server that stands in for Langfuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from judging_models import cases, colour_of, is_blind, prefers_the_right_one

from langfuse_server import LangfuseServer
from vlmops.blocking import blocking
from vlmops.evaluators import Score
from vlmops.judges.spending import judging_cost
from vlmops.platforms import connect
from vlmops.platforms.records import ScoreTarget, TargetedScore

JUDGE = 'judge={"rubric": "rubric.toml", "model": "openai:judge-1", "name": "colour"}'
PAIRWISE = 'pairwise={"model": "openai:judge-1", "question": "Which names the colour?"}'
PRICED = JUDGE.replace("judge-1", "gpt-4.1")
COUNT = 24


@dataclass(frozen=True)
class Ran:
    """Ids of experiments by name, and the platform they ran on."""

    ids: dict[str, str]
    on: tuple[str, ...]
    platform: Any

    def record(self, name: str) -> Any:
        return blocking(lambda: self.platform.experiments.read(self.ids[name]), self.platform)


class JudgesContract:
    """What holds on every platform; a platform gives itself."""

    @pytest.fixture
    def ran(self) -> Ran:
        raise NotImplementedError

    def test_an_audit_of_its_answers_tells_a_blind_judge_from_one_that_sees(
        self, vlmops: Any, judging: Any, ran: Ran
    ) -> None:
        asked = ("judges", "audit", JUDGE, "--experiment", ran.ids["half"], *ran.on, "--repeats", 2, "--json")
        ended = vlmops(*asked)
        assert (ended.code, json.loads(ended.out)["verdict"]) == (0, "trusted"), ended
        judging.decide = is_blind
        ended = vlmops(*asked, "--fresh")
        assert ended.code == 1, ended
        assert "blank_picture, swapped_picture" in ended.err

    def test_a_ranking_is_on_both_experiments_and_ranking_again_updates(
        self, vlmops: Any, judging: Any, ran: Ran
    ) -> None:
        judging.decide = prefers_the_right_one
        ids = ("--experiment", ran.ids["half"], "--experiment", ran.ids["right"])
        for _ in range(2):
            ended = vlmops("judges", "rank", PAIRWISE, *ids, *ran.on, "--json")
            assert ended.code == 0, ended
        # Langfuse's names of runs hold more than the experiment's.
        named = {name: ran.record(name).name for name in ran.ids}
        assert [each["variant"] for each in json.loads(ended.out)["ratings"]] == [
            named["right"],
            named["half"],
        ]
        for name, other, total in (("half", "right", 6.0), ("right", "half", 18.0)):
            scores = [score for run in ran.record(name).runs for score in run.results]
            assert [score.name for score in scores] == [f"preference.vs.{named[other]}"] * COUNT
            assert sum(score.value for score in scores) == total


@pytest.mark.integration
class TestOnPhoenix(JudgesContract):
    @pytest.fixture
    def ran(
        self, phoenix_server: Any, monkeypatch: pytest.MonkeyPatch, run_experiments: Any, tmp_path: Path
    ) -> Ran:
        monkeypatch.setenv("VLMOPS_MEDIA_STORE", str(phoenix_server.media_store))
        platform = connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)
        on = ("--on", "phoenix", "--url", phoenix_server.url)
        return Ran(run_experiments(platform, COUNT, tmp_path.name), on, platform)

    def test_what_people_annotated_calibrates(self, vlmops: Any, judging: Any, ran: Ran) -> None:
        right = {case.id: case.output.split()[0] == colour_of(case.images[0]) for case in cases(COUNT)}
        record = ran.record("half")
        said = [
            TargetedScore(
                ScoreTarget("trace", run.trace_id), Score("looks_right", right[run.case.id], "seen"), "HUMAN"
            )
            for run in record.runs
        ]
        report = blocking(lambda: ran.platform.scores.write(said), ran.platform)
        assert report.written == COUNT, report
        experiment = httpx.get(f"{ran.on[3]}/v1/experiments/{record.id}").json()["data"]
        ended = vlmops(
            "judges", "calibrate", JUDGE, "--experiment", record.id, *ran.on,
            "--human", "looks_right", "--project", experiment["project_name"], "--json",
        )  # fmt: skip
        assert ended.code == 0, ended
        found = json.loads(ended.out)
        assert (found["n"], found["agreement"]["value"], found["kappa"]["value"]) == (COUNT, 1.0, 1.0)

    def test_what_judging_cost_is_read_back_failures_included(
        self, vlmops: Any, judging: Any, ran: Ran
    ) -> None:
        judging.decide = lambda shown, request: "nonsense" if "case 1" in shown["ANSWER"] else "yes"
        published = vlmops("judges", "publish", PRICED, *ran.on, "--json")
        (prompt,) = json.loads(published.out)
        judge = PRICED.replace("{", f'{{"prompt": {json.dumps(prompt)}, ', 1)
        assert vlmops("score", "--experiment", ran.ids["half"], *ran.on, "-e", judge).code == 3
        results = [run.results for run in ran.record("half").runs]
        spent = [judging_cost(each) for each in results]
        assert [(each.calls, each.unpriced) for each in spent] == [(1, 0)] * COUNT
        scores = [score for each in results for score in each if isinstance(score, Score)]
        assert 0 < len(scores) < COUNT
        assert all(score.metadata["judge"]["prompt"] == prompt for score in scores)
        refused = vlmops("judges", "deploy", PRICED, *ran.on)
        assert (refused.code, "they see no pictures" in refused.err) == (2, True), refused


class TestOnLangfuse(JudgesContract):
    @pytest.fixture
    def server(self) -> Iterator[LangfuseServer]:
        with LangfuseServer() as server:
            yield server

    @pytest.fixture
    def ran(
        self, server: LangfuseServer, monkeypatch: pytest.MonkeyPatch, run_experiments: Any, tmp_path: Path
    ) -> Ran:
        keys = {"public_key": server.public_key, "secret_key": server.secret_key}
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", server.public_key)
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", server.secret_key)
        platform = connect("langfuse", url=server.url, **keys)
        on = ("--on", "langfuse", "--url", server.url)
        return Ran(run_experiments(platform, COUNT, tmp_path.name), on, platform)
