"""``vlmops judges`` with a judge behind HTTP that decodes what it is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from judging_models import (
    cases,
    colour_of,
    goes_by_place,
    is_blind,
    likes_length,
    obeys,
    prefers_the_right_one,
    sees,
    wavers,
)

JUDGE = 'judge={"rubric": "rubric.toml", "model": "openai:judge-1", "name": "colour"}'
PAIRWISE = 'pairwise={"model": "openai:judge-1", "question": "Which names the colour?"}'


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """What people say of the answers of ``half``."""
    rows = [
        f"{case.id},{'yes' if case.output.split()[0] == colour_of(case.images[0]) else 'no'}"
        for case in cases(32)
    ]
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n" + "\n".join(rows) + "\n")
    return path


class TestAudit:
    def test_a_judge_that_sees_is_trusted_and_its_scores_say_so(
        self, vlmops: Any, ran: Any, judging: Any, labels: Path
    ) -> None:
        ended = vlmops(
            "judges", "audit", JUDGE, "--experiment", ran.ids["half"], *ran.on,
            "--labels", labels, "--output", "audit.json",
        )  # fmt: skip
        assert (ended.code, "colour with openai:judge-1: trusted" in ended.out) == (0, True), ended
        assert "at most 256 calls of openai:judge-1" in ended.err
        assert {"blank_picture", "answer_only", "injected_picture"} <= set(ended.out.split())
        assert all("PICTURE" in shown for shown in judging.seen[:32])

        asked = len(judging.requests)
        carried = JUDGE.replace('"name"', '"audit": "audit.json", "name"')
        scored = vlmops("score", "--experiment", ran.ids["half"], *ran.on, "-e", carried, "--json")
        assert scored.code == 0, scored
        (result,) = json.loads(scored.out)
        (score,) = result["summary"]["scores"]
        assert (score["name"], score["value"], score["n"]) == ("colour", 0.5, 32)
        assert len(judging.requests) == asked, "the audit asked the same already"

    @pytest.mark.parametrize(
        ("decide", "failed"),
        [
            (is_blind, {"blank_picture", "swapped_picture", "answer_only"}),
            (likes_length, {"padded_answer"}),
            (obeys, {"injected_answer"}),
            (wavers, {"repeated"}),
        ],
    )
    def test_a_bad_one_is_found_out(
        self, vlmops: Any, ran: Any, judging: Any, labels: Path, decide: Any, failed: set[str]
    ) -> None:
        judging.decide = decide
        ended = vlmops(
            "judges", "audit", JUDGE, "--experiment", ran.ids["half"], *ran.on, "--labels", labels, "--json"
        )
        assert ended.code == 1, ended
        report = json.loads(ended.out)
        assert report["verdict"] == "not trusted"
        assert failed <= {control["name"] for control in report["controls"] if control["passed"] is False}
        assert "not trusted: colour fails" in ended.err

    def test_few_cases_show_nothing(self, vlmops: Any, ran: Any, judging: Any) -> None:
        ended = vlmops("judges", "audit", JUDGE, "--experiment", ran.ids["half"], *ran.on, "--limit", 4)
        assert ended.code == 3
        assert "colour with openai:judge-1: not shown" in ended.out

    def test_a_spent_budget_stops_it_and_the_next_run_goes_on(
        self, vlmops: Any, ran: Any, judging: Any
    ) -> None:
        asked = (
            "judges",
            "audit",
            JUDGE.replace("judge-1", "gpt-4.1"),
            "--experiment",
            ran.ids["half"],
            *ran.on,
        )
        ended = vlmops(*asked, "--budget", "0.02", "--limit", 12)
        assert ended.code == 4, ended
        assert "stopped: the budget of $0.02" in ended.err
        paid = len(judging.requests)
        assert 0 < paid < 84
        assert vlmops(*asked, "--limit", 12).code in (0, 3)
        assert len(judging.requests) <= 84, "nothing was paid for twice"


class TestCalibrate:
    def test_agreement_and_the_corrected_pass_rate(
        self, vlmops: Any, ran: Any, judging: Any, labels: Path
    ) -> None:
        judging.decide = lambda shown, request: "yes" if "case 1" in shown["ANSWER"] else sees(shown, request)
        ended = vlmops(
            "judges",
            "calibrate",
            JUDGE,
            "--experiment",
            ran.ids["half"],
            *ran.on,
            "--labels",
            labels,
            "--json",
        )
        assert ended.code == 0, ended
        found = json.loads(ended.out)
        assert (found["kind"], found["n"]) == ("pass/fail", 32)
        assert found["sensitivity"]["value"] == 1.0
        assert found["specificity"]["value"] < 1.0
        assert found["uncorrected"] > found["corrected"]["value"] == pytest.approx(0.5)
        assert {"human": False, "judge": True} in [
            {key: row[key] for key in ("human", "judge")} for row in found["confusion"]
        ]

    def test_for_people(self, vlmops: Any, ran: Any, judging: Any, labels: Path) -> None:
        ended = vlmops(
            "judges", "calibrate", JUDGE, "--experiment", ran.ids["half"], *ran.on, "--labels", labels
        )
        assert ended.code == 0, ended
        assert "kappa" in ended.out
        assert "pass rate corrected" in ended.out


class TestRank:
    @pytest.fixture
    def both(self, ran: Any) -> tuple[str, ...]:
        ids = ("--experiment", ran.ids["half"], "--experiment", ran.ids["right"])
        return ("judges", "rank", PAIRWISE, *ids, *ran.on)

    def test_the_better_experiment_wins_and_both_carry_the_result(
        self, vlmops: Any, ran: Any, judging: Any, both: tuple[str, ...]
    ) -> None:
        judging.decide = prefers_the_right_one
        ended = vlmops(*both, "--json")
        assert ended.code == 0, ended
        found = json.loads(ended.out)
        assert [rating["variant"] for rating in found["ratings"]] == ["right", "half"]
        (duel,) = found["duels"]
        assert (duel["wins"], duel["losses"], duel["ties"]) == (0, 16, 16)
        assert duel["consistency"]["value"] == 1.0

        for _ in range(2):
            scores = {
                name: [s for run in _record(ran, identity).runs for s in run.results]
                for name, identity in ran.ids.items()
            }
            assert {s.name for s in scores["half"]} == {"preference.vs.right"}
            assert sum(s.value for s in scores["half"]) == 8.0
            assert sum(s.value for s in scores["right"]) == 24.0
            assert {s.metadata["label"] for s in scores["right"]} == {"won", "tied"}
            again = vlmops(*both)
            assert (again.code, "at most 64 calls of openai:judge-1" in again.err) == (0, True), again

    def test_a_judge_that_goes_by_place_ranks_nothing(
        self, vlmops: Any, judging: Any, both: tuple[str, ...]
    ) -> None:
        judging.decide = goes_by_place
        ended = vlmops(*both, "--no-record", "--json")
        assert ended.code == 1, ended
        assert "goes by the place of an answer: position, consistency" in ended.err
        (duel,) = json.loads(ended.out)["duels"]
        assert (duel["win_rate"]["value"], duel["consistency"]["value"]) == (0.5, 0.0)


def _record(ran: Any, identity: str) -> Any:
    from vlmops.blocking import blocking

    return blocking(lambda: ran.platform.experiments.read(identity), ran.platform)


class TestPairs:
    @pytest.fixture
    def better(self, tmp_path: Path) -> str:
        (tmp_path / "better.toml").write_text(
            'question = "Which names the colour?"\ncriteria = "Length counts for nothing."\n'
        )
        (tmp_path / "judge.toml").write_text(
            'use = "pairwise"\nname = "better"\nrubric = "better.toml"\nmodel = "openai:judge-1"\n'
        )
        return "judge.toml"

    @pytest.fixture
    def two(self, ran: Any) -> tuple[str, ...]:
        return ("--experiment", ran.ids["half"], "--experiment", ran.ids["right"], *ran.on)

    def test_a_judge_of_pairs_is_audited_and_its_scores_say_so(
        self, vlmops: Any, ran: Any, judging: Any, better: str, two: tuple[str, ...], tmp_path: Path
    ) -> None:
        judging.decide = prefers_the_right_one
        labels = tmp_path / "preferred.csv"
        labels.write_text(
            "id,label\n" + "".join(f"{n},{'tie' if n // 4 % 2 else 'second'}\n" for n in range(32))
        )
        ended = vlmops(
            "judges", "audit", better, *two, "--labels", labels, "--own", "first", "--repeats", 2,
            "--output", "audit.json",
        )  # fmt: skip
        assert (ended.code, "better with openai:judge-1: trusted" in ended.out) == (0, True), ended
        assert {"position", "consistency", "swapped_picture", "self_preference"} <= set(ended.out.split())
        (tmp_path / better).write_text((tmp_path / better).read_text() + 'audit = "audit.json"\n')
        assert vlmops("judges", "rank", better, *two).code == 0
        scores = [score for run in _record(ran, ran.ids["half"]).runs for score in run.results]
        assert {score.metadata["judge"]["audit"]["verdict"] for score in scores} == {"trusted"}

    def test_one_that_goes_by_place_is_found_out(
        self, vlmops: Any, judging: Any, better: str, two: tuple[str, ...]
    ) -> None:
        judging.decide = goes_by_place
        ended = vlmops("judges", "audit", better, *two, "--json")
        assert ended.code == 1, ended
        assert {"position", "consistency"} <= {
            control["name"] for control in json.loads(ended.out)["controls"] if control["passed"] is False
        }

    def test_a_panel_in_a_file_scores_and_is_published_as_one_prompt(
        self, vlmops: Any, ran: Any, judging: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "panel.toml").write_text(
            'use = "panel"\nname = "colours"\njudges = [\n'
            + "".join(
                f'  {{ use = "judge", rubric = "rubric.toml", model = "openai:judge-{n}" }},\n'
                for n in range(3)
            )
            + "]\n"
        )
        scored = vlmops("score", "--experiment", ran.ids["half"], *ran.on, "-e", "panel.toml", "--json")
        assert scored.code == 0, scored
        (score,) = json.loads(scored.out)[0]["summary"]["scores"]
        assert (score["name"], score["value"], score["n"]) == ("colours", 0.5, 32)
        for _ in range(2):
            ended = vlmops("judges", "publish", "panel.toml", *ran.on, "--json")
            assert (ended.code, json.loads(ended.out)) == (0, [{"name": "colours", "version": "1"}]), ended
        refused = vlmops("judges", "deploy", JUDGE, *ran.on)
        assert (refused.code, "no server that could judge" in refused.err) == (2, True), refused
