"""``vlmops judges``: what is asked for wrongly, what is read, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from judging_models import ScriptedModel, cases, colour_of, sees

from vlmops.errors import UsageError
from vlmops.judges import read_cases, read_labels
from vlmops.models import register

RUBRIC = """
task = "Judge colours."
[[criteria]]
name = "right"
kind = "yes_no"
question = "Is it the colour?"
"""
JUDGE = 'judge={"rubric": "rubric.toml", "model": "seeing_judge", "name": "colour"}'
PAIRWISE = 'pairwise={"model": "seeing_judge"}'
TWO = ("--experiment", "a", "--experiment", "b")


@register("seeing_judge")
class SeeingJudge(ScriptedModel):
    def __init__(self) -> None:
        super().__init__("right", sees)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A rubric, and a table of 24 answered cases with what people say of them."""
    (tmp_path / "rubric.toml").write_text(RUBRIC)
    rows = []
    for case in cases(24):
        (tmp_path / f"{case.id}.png").write_bytes(case.images[0].read())
        right = case.output.split()[0] == colour_of(case.images[0])
        rows.append({"id": case.id, "image": f"{case.id}.png", "output": case.output, "human": right})
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


class TestList:
    def test_ready_judges_and_the_one_for_ones_own_rubric(self, vlmops: Any) -> None:
        names = [entry["name"] for entry in json.loads(vlmops("judges", "list", "--json").out)]
        assert {"judge", "judge_grounded", "judge_defect", "panel", "pairwise"} <= set(names)
        assert "cer" not in names
        assert "judge_edit" in vlmops("judges", "list").out


class TestAudit:
    def test_cases_of_a_file_with_what_people_said(self, vlmops: Any, written: Path) -> None:
        ended = vlmops(
            "judges", "audit", JUDGE, "--cases", "cases.jsonl", "--repeats", 2, "--output", "a.json"
        )
        assert ended.code == 0, ended
        assert "answer_only" in ended.out
        assert "at most 168 calls of scripted" in ended.err
        report = json.loads((written / "a.json").read_text())
        assert (report["verdict"], report["cases"]) == ("trusted", 24)

    def test_what_would_decide_an_open_control_is_told(self, vlmops: Any, written: Path) -> None:
        ended = vlmops("judges", "audit", JUDGE, "--cases", "cases.jsonl", "--limit", 6)
        assert ended.code == 3
        assert "too few cases to decide: blank_picture" in ended.out
        assert "; audit on more cases" in ended.out

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ((JUDGE,), "--cases FILE, or --experiment ID"),
            ((JUDGE, "--cases", "cases.jsonl", "--experiment", "e"), "--cases FILE, or --experiment ID"),
            (("cer", "--cases", "cases.jsonl"), "'cer' is no judge"),
            (("judge_grounded", "--cases", "cases.jsonl"), "model"),
            ((JUDGE, "--cases", "none.jsonl"), "none.jsonl"),
            ((JUDGE, "--cases", "cases.jsonl", "--labels", "others.csv"), "others.csv"),
            (("judge={", "--cases", "cases.jsonl"), "not JSON"),
        ],
    )
    def test_mistakes_are_told(
        self, vlmops: Any, written: Path, arguments: tuple[str, ...], told: str
    ) -> None:
        ended = vlmops("judges", "audit", *arguments)
        assert ended.code == 2
        assert told in ended.err
        assert "Traceback" not in ended.err

    def test_labels_of_other_cases_are_told(self, vlmops: Any, written: Path) -> None:
        (written / "labels.csv").write_text("id,label\nx,yes\n")
        (written / "bare.jsonl").write_text('{"id": "0", "image": "0.png", "output": "red"}')
        ended = vlmops("judges", "audit", JUDGE, "--cases", "bare.jsonl", "--labels", "labels.csv")
        assert (ended.code, "are the ids the same?" in ended.err) == (2, True)


class TestCalibrate:
    def test_tables_for_people(self, vlmops: Any, written: Path) -> None:
        ended = vlmops("judges", "calibrate", JUDGE, "--cases", "cases.jsonl")
        assert ended.code == 0, ended
        assert "agreement" in ended.out
        assert "colour and people on 24 cases (pass/fail)" in ended.out

    def test_a_handful_of_labels_is_told_to_be_one(self, vlmops: Any, written: Path) -> None:
        ended = vlmops("judges", "calibrate", JUDGE, "--cases", "cases.jsonl", "--limit", "8")
        assert (ended.code, "warning: 8 labelled cases" in ended.out) == (0, True)

    def test_a_file_without_labels_is_told(self, vlmops: Any, written: Path) -> None:
        (written / "labels.csv").write_text("id,label\n")
        ended = vlmops("judges", "calibrate", JUDGE, "--cases", "cases.jsonl", "--labels", "labels.csv")
        assert (ended.code, "labels.csv holds no labels yet" in ended.err) == (2, True)

    def test_without_people_there_is_nothing_to_compare(self, vlmops: Any, written: Path) -> None:
        (written / "bare.jsonl").write_text('{"id": "0", "image": "0.png", "output": "red"}')
        ended = vlmops("judges", "calibrate", JUDGE, "--cases", "bare.jsonl")
        assert (ended.code, "say what people said" in ended.err) == (2, True)


class TestRank:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ((PAIRWISE, "--experiment", "a"), "two different experiments"),
            ((PAIRWISE, "--experiment", "a", "--experiment", "a"), "two different experiments"),
            (("pairwise={", *TWO), "not JSON"),
            (('pairwise={"model": "seeing_judge", "view": {"side": 1}}', *TWO), "a view has no 'side'"),
            (('pairwise={"model": "seeing_judge", "ask": "?"}', *TWO), "it takes: rubric"),
            (("pairwise", *TWO), "model"),
            ((JUDGE, *TWO), "judges single answers"),
            (("none.toml", *TWO), "none.toml"),
        ],
    )
    def test_mistakes_are_told(
        self, vlmops: Any, written: Path, arguments: tuple[str, ...], told: str
    ) -> None:
        ended = vlmops("judges", "rank", *arguments)
        assert ended.code == 2
        assert told in ended.err


class TestFiles:
    def test_cases_carry_human_verdicts_and_families(self, written: Path) -> None:
        line = (
            '{"id": "a", "image": "0.png", "question": "?", "output": {"n": 1}, "human": "no", "family": "x"}'
        )
        (written / "one.jsonl").write_text(line)
        found = read_cases(written / "one.jsonl")
        (case,) = found.cases
        assert (case.output, case.inputs["question"], len(case.images)) == ({"n": 1}, "?", 1)
        assert (dict(found.human), dict(found.families), dict(case.metadata)) == (
            {"a": False},
            {"a": "x"},
            {},
        )

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ('{"id": "a", "image": "0.png"}', "has no answer: fill 'output'"),
            ('{"id": "a", "image": "0.png", "output": "x"}\n' * 2, "was used by an earlier"),
            ('{"id": "a", "output": "x"}', "no picture"),
        ],
    )
    def test_cases_that_cannot_be_judged(self, written: Path, text: str, told: str) -> None:
        (written / "bad.jsonl").write_text(text)
        with pytest.raises(UsageError, match=told):
            read_cases(written / "bad.jsonl")

    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("l.csv", "id,label\na,\n", "l.csv:2: there is no 'label'"),
            ("l.csv", "id,verdict\na,yes\n", "l.csv:2: there is no 'label'"),
            ("l.csv", "id,label\na,yes\na,no\n", "'a' is there more than once"),
            ("l.jsonl", "[1]", "l.jsonl:1: this is no JSON object"),
            ("l.jsonl", "{", "l.jsonl:1: this is no JSON"),
        ],
    )
    def test_labels_that_cannot_be_read(self, tmp_path: Path, name: str, text: str, told: str) -> None:
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError, match=told):
            read_labels(tmp_path / name)

    def test_labels_as_people_write_them(self, tmp_path: Path) -> None:
        (tmp_path / "l.csv").write_text("\ufeffid,label\na,Yes\nb,FAIL\nc,4\nd,scratch\n", encoding="utf-8")
        assert read_labels(tmp_path / "l.csv") == {"a": True, "b": False, "c": 4.0, "d": "scratch"}
        (tmp_path / "l.jsonl").write_text('{"id": "a", "label": true}\n\n{"id": "b", "label": 3}\n')
        assert read_labels(tmp_path / "l.jsonl") == {"a": True, "b": 3.0}
