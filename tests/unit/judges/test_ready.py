"""The ready judges: each asks what it is for, sees what it needs, and reads what comes back."""

from __future__ import annotations

import asyncio

import pytest
from judging_models import best, colour_of, picture, pieces

from vlmops import Image
from vlmops.evaluators import Case, evaluate
from vlmops.judges import Judge, View, ready
from vlmops.models import ModelReply, ModelRequest

CLASSES = {getattr(ready, name).default_name: getattr(ready, name) for name in ready.__all__}


class Favourable:
    """Gives every criterion its best verdict."""

    name = "favourable"

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []

    async def answer(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        told = {
            name: {
                "reason": "seen",
                "verdict": best(part["properties"]["verdict"]["enum"]),
                "confidence": "high",
            }
            for name, part in request.schema["properties"].items()
        }
        return ModelReply(output=told, text="")


def case() -> Case:
    inputs = {"image": picture("red"), "question": "Do it."}
    return Case(output={"picture": picture("blue"), "note": "done"}, inputs=inputs, id="1")


@pytest.mark.parametrize("name", CLASSES)
class TestEach:
    def test_it_is_named_for_what_it_judges_and_gives_scores_of_that_name(self, name: str):
        judge: Judge = CLASSES[name](model=Favourable())
        assert judge.name == name
        found = asyncio.run(evaluate(judge, case()))
        scores = found if isinstance(found, list) else [found]
        assert all(score.name == name or score.name.startswith(f"{name}.") for score in scores)
        assert all(score.explanation for score in scores)

    def test_the_best_verdicts_are_no_fault(self, name: str):
        found = asyncio.run(evaluate(CLASSES[name](model=Favourable()), case()))
        for score in found if isinstance(found, list) else [found]:
            if isinstance(score.value, bool):
                assert score.value is True
            elif isinstance(score.value, float):
                assert score.value == score.range[1]

    def test_it_sees_the_pictures_that_it_judges_by(self, name: str):
        model = Favourable()
        asyncio.run(evaluate(CLASSES[name](model=model), case()))
        seen = {label: colour_of(p) for label, p in pieces(model.requests[0]).items() if isinstance(p, Image)}
        expected = {"PICTURE": "red", "PICTURE THAT IS THE ANSWER": "blue"}
        if name == "judge_image_alignment":
            del expected["PICTURE"]
        assert seen == expected

    def test_every_verdict_of_a_scale_has_an_anchor(self, name: str):
        for criterion in CLASSES[name](model=Favourable()).rubric.criteria:
            anchors = getattr(criterion, "anchors", None)
            assert anchors is None or [str(number) for number in anchors] == criterion.verdicts()


def test_there_is_one_for_each_use():
    assert (
        len(CLASSES)
        == len({judge.rubric.task for judge in (c(model=Favourable()) for c in CLASSES.values())})
        == 11
    )


def test_the_defect_judge_sees_a_good_part_and_the_regions():
    model = Favourable()
    view = View(reference="good", regions="boxes")
    inspected = Case(
        output="a dent",
        inputs={"image": picture("red")},
        expected={"good": picture("green"), "boxes": [[40, 40, 80, 80]]},
    )
    asyncio.run(evaluate(ready.DefectJudge(model=model, view=view), inspected))
    shown = {label: colour_of(p) for label, p in pieces(model.requests[0]).items() if isinstance(p, Image)}
    assert shown == {"PICTURE": "red", "REFERENCE PICTURE": "green", "REGION 1 OF PICTURE 1": "red"}
