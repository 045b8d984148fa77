"""Reference values were made with pycocotools 2.0.11."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from vlmops.errors import EvaluatorError, UsageError
from vlmops.evaluators import Case, create
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.grounding import FIGURES, DetectionSet, MeanAveragePrecision, coco_average_precision

SCENARIOS = json.loads((Path(__file__).parent / "coco_reference.json").read_text())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_figures_equal_those_of_pycocotools(scenario):
    boxes = DetectionSet.from_annotations(
        scenario["gold"], scenario["detections"], range(1, scenario["images"] + 1)
    )
    assert coco_average_precision(boxes) == scenario["expected"]


def test_reference_vectors(failing_vectors):
    assert failing_vectors("grounding") == []


def test_many_pictures_are_matched_in_blocks(monkeypatch):
    from vlmops.evaluators.grounding import coco_matching

    scenario = SCENARIOS[1]
    monkeypatch.setattr(coco_matching, "_CHUNK_PAIRS", 3)
    boxes = DetectionSet.from_annotations(scenario["gold"], scenario["detections"], range(1, 5))
    assert coco_average_precision(boxes) == scenario["expected"]


def test_nothing_predicted_scores_zero_and_nothing_expected_has_no_figure():
    row = {"image_id": 1, "category_id": "cup", "bbox": [0, 0, 50, 50]}
    missed = coco_average_precision(DetectionSet.from_annotations([row], []))
    assert (missed["AP"], missed["AR100"], missed["APl"]) == (0.0, 0.0, -1.0)
    nothing = coco_average_precision(DetectionSet.from_annotations([], [{**row, "score": 1.0}]))
    assert set(nothing.values()) == {-1.0}
    assert set(coco_average_precision(DetectionSet.from_annotations([], [])).values()) == {-1.0}


def test_a_box_of_an_unknown_picture_is_refused():
    row = {"image_id": 9, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 1}
    with pytest.raises(UsageError, match="not in the set"):
        DetectionSet.from_annotations([], [row], images=[1])


def cases(count=12):
    rng = np.random.default_rng(3)
    for index in range(count):
        gold = [{"bbox": [10, 10, 60, 60], "label": "Cup", "iscrowd": 0}]
        moved = 10 + (0 if index % 2 else 40)
        output = [{"bbox": [moved, 10, moved + 50, 60], "label": "cup", "score": float(rng.random())}]
        yield Case(output=json.dumps(output), expected=gold, id=str(index))


def test_over_a_set_there_are_n_failures_and_an_interval():
    evaluator = create("mean_average_precision", convention="pixels", figure="AP50")
    broken = [Case(output="I see nothing of the kind", expected=[{"bbox": [0, 0, 5, 5], "label": "cup"}])]
    score = evaluator.evaluate_set([*cases(), *broken])
    assert (score.n, score.failures) == (12, 1)
    assert score.interval.low <= score.value <= score.interval.high
    assert score.metadata["figures"]["AP50"] == score.value
    assert set(score.metadata["figures"]) == set(FIGURES)


def test_missing_confidence_is_said():
    case = Case(output=[{"bbox": [0, 0, 50, 50]}], expected=[{"bbox": [0, 0, 50, 50]}])
    score = MeanAveragePrecision(convention="pixels").evaluate_set([case])
    assert "0 with a confidence" in score.explanation
    assert "F1" in score.explanation
    assert score.interval is None


def test_a_figure_without_gold_is_undefined_and_no_minus_one():
    case = Case(output=[{"bbox": [0, 0, 50, 50]}], expected=[{"bbox": [0, 0, 50, 50]}])
    score = MeanAveragePrecision(convention="pixels", figure="APl").evaluate_set([case])
    assert math.isnan(score.value)


def test_crowds_of_the_expected_value_count():
    crowd = {"bbox": [100, 100, 300, 300], "label": "cup", "iscrowd": 1}
    gold = [{"bbox": [0, 0, 50, 50], "label": "cup"}, crowd]
    output = [
        {"bbox": [0, 0, 50, 50], "label": "cup", "score": 0.9},
        {"bbox": [110, 110, 150, 150], "label": "cup", "score": 0.95},
    ]
    evaluator = MeanAveragePrecision(convention="pixels")
    assert evaluator.evaluate_set([Case(output=output, expected=gold)]).value == pytest.approx(1)


def test_one_case_gives_f1():
    score = MeanAveragePrecision(convention="pixels").compare([[0, 0, 10, 10]], [[0, 0, 10, 10]])
    assert (score.name, score.value) == ("mean_average_precision.f1", 1.0)


def test_a_wrong_figure_and_an_empty_set():
    with pytest.raises(EvaluatorError, match="AP50"):
        MeanAveragePrecision(figure="mAP")
    assert isinstance(MeanAveragePrecision().evaluate_set([]), Failure)
