"""``vlmops review``: what is sent, what comes back, and what is told of mistakes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vlmops import Experiment, ImageDataset, Sample, function_task, push
from vlmops.evaluators import Case, Score
from vlmops.judges import read_labels
from vlmops.platforms import ScoreTarget, TargetedScore
from vlmops.platforms.folder import FolderPlatform

SEND = ("review", "send", "name:reader", "--dataset", "receipts", "--on", "stub", "--queue", "q")
COLLECT = ("review", "collect", "name:reader", "--dataset", "receipts", "--on", "stub", "--queue", "q")
RUBRIC = """
task = "Judge readings."
[[criteria]]
name = "right"
kind = "yes_no"
question = "Is it right?"
[[criteria]]
name = "clear"
kind = "scale"
question = "How clear is it?"
anchors = { 1 = "not", 5 = "very" }
"""


class Judged:
    """Is sure of even answers alone, and finds all of them right."""

    name = "right"

    def evaluate(self, case: Case) -> Score:
        confidence = "high" if int(case.id) % 2 == 0 else "low"
        return Score("right", True, f"read {case.output}", metadata={"confidence": confidence})


class Measured:
    """Finds answers above six wrong."""

    name = "cer"

    def evaluate(self, case: Case) -> Score:
        return Score("cer", 0.5 if int(case.id) > 6 else 0.0, direction="minimize")


@pytest.fixture
def ran(stub: Any) -> Any:
    """An experiment on ten samples whose answers have traces."""
    platform = stub.platform
    samples = [Sample(str(number), {"n": number}) for number in range(10)]
    assert push(ImageDataset.from_samples("receipts", samples), platform).ok
    task = function_task(lambda sample: f"text {sample.id}")
    record = Experiment("receipts", "reader", task, [Judged(), Measured()]).run(platform).record
    runs = platform.experiments.stored[record.id].runs
    runs |= {key: replace(run, trace_id=f"t{run.case.id}") for key, run in runs.items()}
    return platform


def says(platform: Any, case: int, value: bool) -> None:
    score = TargetedScore(ScoreTarget("trace", f"t{case}"), Score("right", value), "HUMAN")
    asyncio.run(platform.scores.write([score]))


class TestSend:
    def test_a_dry_run_says_which_and_why_and_sends_nothing(self, vlmops: Any, ran: Any) -> None:
        ended = vlmops(*SEND, "--ask", "right", "--unsure", "right", "--dry-run")
        assert ended.code == 0, ended
        assert "right is not sure: yes (read text 3)" in ended.out
        assert "5 of 10 answers would be sent" in ended.out
        assert ran.reviews.requests == {}
        listed = json.loads(vlmops(*SEND, "--ask", "right", "--unsure", "right", "--dry-run", "--json").out)
        assert {each["id"] for each in listed} == {"1", "3", "5", "7", "9"}

    def test_sending_twice_adds_nothing(self, vlmops: Any, ran: Any) -> None:
        rules = ("--unsure", "right", "--contradiction", "right=true,cer<=0.1")
        first = vlmops(*SEND, "--ask", "right", *rules)
        assert "6 sent for review, 0 there already, of 6 chosen" in first.out
        assert "review at memory:q" in first.out
        assert (
            "0 sent for review, 6 there already, of 6 chosen" in vlmops(*SEND, "--ask", "right", *rules).out
        )
        rules = {key[1].id: request.rules for key, request in ran.reviews.requests.items()}
        assert rules["t8"] == ("contradiction",)
        assert rules["t7"] == ("unsure", "contradiction")

    def test_a_judges_rubric_is_what_is_asked(self, vlmops: Any, ran: Any, tmp_path: Path) -> None:
        (tmp_path / "rubric.toml").write_text(RUBRIC)
        judge = 'judge={"rubric": "rubric.toml", "model": "openai:gpt-4.1", "name": "reading"}'
        ended = vlmops(*SEND, "--judge", judge, "--random", 1, "--limit", 3, "--blind", "--json")
        assert ended.code == 0, ended
        assert json.loads(ended.out)["requested"] == 3
        asked = ran.reviews.queues["q"].questions
        assert [(each.name, each.kind, each.range) for each in asked] == [
            ("reading.right", "pass/fail", None),
            ("reading.clear", "scale", (1.0, 5.0)),
        ]
        assert {request.why for request in ran.reviews.requests.values()} == {"random"}

    def test_what_cannot_be_sent_is_listed(self, vlmops: Any, ran: Any) -> None:
        runs = ran.experiments.stored[next(iter(ran.experiments.stored))].runs
        runs[("3", 1)] = replace(runs[("3", 1)], trace_id=None)
        ended = vlmops(*SEND, "--ask", "right", "--random", 1)
        assert ended.code == 3
        assert "failed: 3: the answer has no trace" in ended.err
        assert "9 sent for review" in ended.out

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--ask", "right"), "say which cases to send"),
            (("--random", "0.5"), "say what to ask"),
            (("--ask", "right=5", "--random", "0.5"), "'right=5' is no question"),
            (("--ask", "right", "--random", "1.5"), "above 0 and at most 1"),
            (("--ask", "right", "--unsure", "rihgt"), "no answer has a score 'rihgt'; there are: cer, right"),
            (("--ask", "right", "--contradiction", "right"), "--contradiction takes"),
            (("--ask", "right", "--contradiction", "right,cer<=1"), "does not say when"),
            (("--judge", "cer", "--random", "1"), "'cer' is no judge"),
        ],
    )
    def test_mistakes_are_told(self, vlmops: Any, ran: Any, arguments: tuple[str, ...], told: str) -> None:
        ended = vlmops(*SEND, *arguments)
        assert ended.code == 2
        assert told in ended.err
        assert "Traceback" not in ended.err

    def test_a_platform_without_reviewers_is_told(self, vlmops: Any, tmp_path: Path) -> None:
        place = f"folder:{FolderPlatform(tmp_path / 'results').location}"
        ended = vlmops("review", "send", "e", "--on", place, "--queue", "q", "--ask", "a", "--random", 1)
        assert (ended.code, "has no screens" in ended.err) == (2, True)


class TestCollect:
    def test_what_people_said_grows_in_a_file(self, vlmops: Any, ran: Any, tmp_path: Path) -> None:
        vlmops(*SEND, "--ask", "right", "--unsure", "right")
        says(ran, 1, True)
        first = vlmops(*COLLECT, "--output", "labels.csv")
        assert first.code == 0, first
        assert "right: 5 requested, 1 labelled, 4 still open" in first.out
        assert "labels.csv: 1 added, 0 changed, 0 unchanged; 1 labels" in first.out
        says(ran, 3, False)
        second = vlmops(*COLLECT, "--output", "labels.csv")
        assert "1 added, 0 changed, 1 unchanged; 2 labels" in second.out
        assert read_labels(tmp_path / "labels.csv") == {"1": True, "3": False}
        third = json.loads(vlmops(*COLLECT, "--output", "labels.csv", "--json").out)
        assert (third["open"], third["labelled"], third["file"]["unchanged"]) == (3, 2, 2)

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--output", "labels.txt"), "labels.txt: labels are kept as .jsonl or .csv"),
            (("--output", "l.csv", "--question", "clear"), "does not ask 'clear'"),
        ],
    )
    def test_mistakes_are_told(self, vlmops: Any, ran: Any, arguments: tuple[str, ...], told: str) -> None:
        vlmops(*SEND, "--ask", "right", "--unsure", "right")
        ended = vlmops(*COLLECT, *arguments)
        assert (ended.code, told in ended.err) == (2, True), ended

    def test_nothing_was_sent(self, vlmops: Any, ran: Any) -> None:
        ended = vlmops(*COLLECT, "--output", "l.csv")
        assert (ended.code, "nothing of 'reader' is in the queue 'q'" in ended.err) == (2, True), ended
