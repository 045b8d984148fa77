"""Rubrics from files, and judges by name."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from judging_models import AnswersDecide, ScriptedModel, cases, colour_of, picture, sees

from vlmops.errors import EvaluatorError, UsageError
from vlmops.evaluators import Case, create
from vlmops.judges import Choice, Judge, Rubric, Scale, View, YesNo, load_rubric
from vlmops.judges.audit import AuditReport, Control, audit
from vlmops.models import ModelRequest

WHOLE = """
task = "Judge how screws were counted."
abstain = false

[[criteria]]
name = "count"
kind = "yes_no"
question = "Is the number right?"
yes = "It is the number in the picture."

[[criteria]]
name = "readable"
kind = "scale"
question = "How well can they be counted?"
anchors = { 1 = "not", 2 = "some", 3 = "all" }
pass_at = 2

[[criteria]]
name = "kind"
kind = "choice"
question = "Which kind?"
labels = { metal = "of metal", wood = "" }
passing = ["metal"]

[view]
expected = true
reference = "good"
region_margin = 1

[[examples]]
picture = "pictures/red.png"
reference = "pictures/good.png"
question = "How many?"
answer = "Eight."

[examples.verdict]
count = { reason = "There are seven.", verdict = false, confidence = "low" }
readable = { reason = "Each lies alone.", verdict = 3 }
kind = { reason = "They shine.", verdict = "metal" }
"""
SMALL = """
task = "Judge colours."
[[criteria]]
name = "right"
kind = "yes_no"
question = "Is it the colour?"
"""


@pytest.fixture
def written(tmp_path: Path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "red.png").write_bytes(picture("red").read())

    (tmp_path / "pictures" / "good.png").write_bytes(picture("yellow").read())

    def write(text: str) -> Path:
        path = tmp_path / "rubric.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestFile:
    def test_all_of_it_is_read(self, written):
        found = load_rubric(written(WHOLE))
        assert found.rubric == Rubric(
            "Judge how screws were counted.",
            (
                YesNo("count", "Is the number right?", "It is the number in the picture."),
                Scale("readable", "How well can they be counted?", {1: "not", 2: "some", 3: "all"}, 2),
                Choice("kind", "Which kind?", {"metal": "of metal", "wood": ""}, frozenset({"metal"})),
            ),
            abstain=False,
        )
        assert found.view == View(expected=True, reference="good", region_margin=1)
        ((case, verdict),) = found.examples
        assert (case.output, case.inputs["question"], colour_of(case.images[0])) == (
            "Eight.",
            "How many?",
            "red",
        )
        assert verdict["count"] == {"reason": "There are seven.", "verdict": "no", "confidence": "low"}
        assert verdict["readable"]["verdict"] == "3"

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ("task =", "tusk =", "tusk: is unknown; there are: abstain, criteria"),
            ('task = "Judge how screws were counted."', "", "task: is missing"),
            ('task = "Judge how screws were counted."', "task = 7", "task: must be a text"),
            ("abstain = false", 'abstain = "no"', "abstain: must be true or false"),
            ('kind = "yes_no"', 'kind = "maybe"', r"criteria\[0\].kind: is 'maybe'; there are: yes_no"),
            ('name = "count"', 'name = "Count It"', "criteria: criterion 'Count It'"),
            ('name = "count"', 'name = "kind"', "criteria: two criteria"),
            ('question = "Which kind?"', "", r"criteria\[2\].question: is missing"),
            ("anchors = { 1", 'anchors = "1 to 3" # { 1', r"criteria\[1\].anchors: must tell what"),
            ("{ 1 = ", "{ one = ", r"criteria\[1\].anchors: must be told by whole numbers"),
            ("pass_at = 2", "pass_at = 9", r"criteria\[1\]: scale 'readable': pass_at=9"),
            ("pass_at = 2", "pass_at = true", r"criteria\[1\].pass_at: must be a whole number"),
            ('passing = ["metal"]', 'passing = "metal"', r"criteria\[2\].passing: must be a list"),
            ('passing = ["metal"]', 'passing = ["iron"]', "iron can pass but is no label"),
            ("expected = true", "expectd = true", "view: a view has no 'expectd'"),
            ("expected = true", 'expected = "yes"', "view: view.expected is 'yes': must be of type bool"),
            (
                "pictures/red.png",
                "pictures/blue.png",
                r"examples\[0\].picture: is 'pictures/blue.png': there is no",
            ),
            ('answer = "Eight."', "", r"examples\[0\].answer: is missing"),
            ('verdict = "metal"', 'verdict = "iron"', r"examples\[0\].verdict: kind: the verdict 'iron'"),
            ("readable = { reason", "legible = { reason", r"examples\[0\].verdict.legible: is unknown"),
            (", verdict = 3 }", " }", r"examples\[0\].verdict.readable: is missing"),
            ('reference = "pictures/good.png"', "", r"examples\[0\]: the case has no reference picture"),
            ('reference = "good"', "", r"examples\[0\].reference: is not shown"),
            ("[view]", "[view", "this is no TOML"),
        ],
    )
    def test_mistakes_are_named_with_file_and_key(self, written, old: str, new: str, told: str):
        assert old in WHOLE
        with pytest.raises(UsageError, match=rf"rubric\.toml: {told}|rubric\.toml: .*{told}"):
            load_rubric(written(WHOLE.replace(old, new, 1)))

    def test_a_file_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(UsageError, match=r"none\.toml: the rubric cannot be read"):
            load_rubric(tmp_path / "none.toml")


class TestByName:
    def test_a_rubric_of_ones_own_judges_with_its_view_and_examples(self, written):
        judge = create("judge", rubric=str(written(WHOLE)), model=AnswersDecide(), name="screws")
        case = Case(
            output="it is right", inputs={"image": picture("blue")}, expected={"good": picture("green")}
        )
        request = judge.request(case)
        assert isinstance(request, ModelRequest)
        assert [colour_of(image) for image in request.pictures] == ["red", "yellow", "blue", "green"]
        scores = asyncio.run(judge.evaluate(case))
        assert {score.name for score in scores} == {
            "screws",
            "screws.count",
            "screws.readable",
            "screws.kind",
        }

    def test_an_own_view_goes_before_the_files(self, written):
        judge = create("judge", rubric=str(written(WHOLE)), model=AnswersDecide(), view={"max_side": 200})
        assert judge.view == View(max_side=200)

    def test_parameters_are_those_of_json(self):
        judge = create(
            "judge_defect",
            model={"name": "openai:gpt-4.1", "base_url": "http://127.0.0.1:9/v1"},
            view={"reference": "good", "regions": "boxes"},
            parameters={"temperature": 1},
            key="defect",
        )
        assert judge.view == View(reference="good", regions="boxes")
        assert (judge.model.name, judge.parameters) == ("openai:gpt-4.1", {"temperature": 1})

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({}, "model"),
            ({"model": "no-such-model"}, "no model is named"),
            ({"model": {"base_url": "http://a"}}, "has no name"),
            ({"model": "openai:gpt-4.1", "view": {"side": 1}}, "a view has no 'side'"),
            ({"model": "openai:gpt-4.1", "view": "all"}, "a view is a table"),
            ({"model": "openai:gpt-4.1", "audit": "nowhere.json"}, "holds no audit"),
            ({"model": "openai:gpt-4.1", "rubric": 7}, "give a Rubric, or the path"),
        ],
    )
    def test_mistakes_are_told(self, given: dict, told: str):
        with pytest.raises((UsageError, EvaluatorError), match=told):
            create("judge_grounded", **given)


class TestAuditOfAJudge:
    @pytest.fixture
    def report(self, tmp_path: Path) -> Path:
        judge = create("judge_grounded", model=AnswersDecide())
        controls = [Control("blank_picture", 0.9, 0.2, False, 30)]
        path = tmp_path / "audit.json"
        AuditReport(judge.name, judge.model.name, judge.fingerprint, controls, 30, date="2026-01-02").save(
            path
        )
        return path

    def test_its_scores_carry_it(self, report: Path):
        judge = create("judge_grounded", model=AnswersDecide(), audit=str(report))
        case = Case(output="right", inputs=[picture("red")])
        told = asyncio.run(judge.evaluate(case)).metadata["judge"]["audit"]
        assert (told["verdict"], told["failed"], told["date"]) == (
            "not trusted",
            ["blank_picture"],
            "2026-01-02",
        )
        json.dumps(told)

    def test_one_of_another_rubric_is_refused(self, report: Path):
        with pytest.raises(UsageError, match="audit of another rubric"):
            create("judge_caption", model=AnswersDecide(), audit=str(report))

    def test_one_of_another_view_is_refused(self, report: Path):
        with pytest.raises(UsageError, match="audit of another rubric, view"):
            create("judge_grounded", model=AnswersDecide(), view={"max_side": 64}, audit=str(report))

    def test_one_of_another_model_is_refused(self, report: Path):
        with pytest.raises(UsageError, match="of the model answers-decide, and not of openai"):
            create("judge_grounded", model="openai:gpt-4.1", audit=str(report))


def test_a_judge_of_a_file_can_be_audited(written):
    judge = create("judge", rubric=str(written(SMALL)), model=ScriptedModel("right", sees))
    assert isinstance(judge, Judge)
    assert audit(judge, cases(24)).verdict == "trusted"
