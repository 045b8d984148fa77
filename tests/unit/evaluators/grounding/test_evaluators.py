import io
import json
import math

import numpy as np
import pytest
from PIL import Image as PilImage

from vlmops.evaluators import Case, Score, create, entries
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.geometry import Box, Point
from vlmops.images import Image

NAMES = [
    "accuracy_at_iou",
    "box_diou",
    "box_f1",
    "box_giou",
    "box_iou",
    "center_accuracy",
    "point_accuracy",
]
PICTURE = Image.from_pil(PilImage.new("RGB", (200, 100), (40, 60, 80)))


def case(output, expected, model=None, **metadata):
    if model:
        metadata["model"] = model
    return Case(output=output, expected=expected, inputs={"picture": PICTURE}, metadata=metadata, id="1")


def test_all_are_registered():
    known = {entry.name: entry for entry in entries()}
    for name in [*NAMES, "mean_average_precision", "spatial_layout", "spatial_relation"]:
        assert known[name].error == ""
        assert known[name].summary


@pytest.mark.parametrize("name", [name for name in NAMES if name != "point_accuracy"])
def test_a_perfect_box_is_perfect_and_shown(name):
    answer = '[{"box_2d": [0, 0, 500, 500], "label": "cup"}]'
    score = create(name).evaluate(case(answer, [[0, 0, 100, 50]], "gemini-3-pro"))
    assert isinstance(score, Score)
    assert score.value in (True, 1.0)
    assert score.explanation
    assert score.metadata["located"]["convention"] == "gemini"
    assert score.metadata["located"]["canonical_xyxy_px"] == [[0, 0, 100, 50]]
    json.dumps(dict(score.metadata))
    assert PilImage.open(io.BytesIO(score.evidence.read())).width >= 480
    assert score.range is None or score.range[0] <= score.value <= score.range[1]


@pytest.mark.parametrize("name", NAMES)
def test_failures_are_no_scores(name):
    evaluator = create(name, convention="pixels")
    assert evaluator.evaluate(case("I cannot tell.", [0, 0, 5, 5])).kind is FailureKind.UNPARSABLE
    assert evaluator.evaluate(case("[1, 2, 3, 4]", None)).kind is FailureKind.MISSING_EXPECTED
    assert evaluator.evaluate(case(None, [0, 0, 5, 5])).kind is FailureKind.MISSING_OUTPUT
    answer = "(1, 2)" if name == "point_accuracy" else "[1, 2, 3, 4]"
    assert evaluator.evaluate(case(answer, "somewhere")).kind is FailureKind.MISSING_EXPECTED
    assert evaluator.evaluate(case(answer, [0, 0, 5, 5])).evidence is not None


@pytest.mark.parametrize("name", NAMES)
def test_coordinates_are_never_guessed(name):
    found = create(name).evaluate(case("[1, 2, 3, 4]", [0, 0, 5, 5], "gpt-5.6"))
    assert found.kind is FailureKind.EVALUATOR_ERROR
    assert "convention" in found.message
    assert "gpt-5.6" in found.message
    assert isinstance(create(name).evaluate(case("[1, 2, 3, 4]", [0, 0, 5, 5])), Failure)


def test_a_broken_picture_is_named():
    broken = Image.from_bytes(b"no picture", name="broken.png")
    found = create("box_iou", convention="pixels").evaluate(
        Case(output="[1, 2, 3, 4]", expected=[1, 2, 3, 4], inputs=broken)
    )
    assert found.kind is FailureKind.BAD_IMAGE
    assert "broken.png" in found.message


@pytest.mark.parametrize(
    ("predicted", "expected", "value"),
    [
        ([], [], 1.0),
        ([], [[0, 0, 10, 10]], 0.0),
        ([[0, 0, 10, 10]], [], 0.0),
        ([[0, 0, 10, 10], [50, 50, 60, 60]], [[0, 0, 10, 10]], 0.5),
        ([[20, 0, 30, 10], [0, 0, 10, 10]], [[0, 0, 10, 10], [20, 0, 30, 10]], 1.0),
    ],
)
def test_several_boxes_are_assigned_and_the_lonely_cost(predicted, expected, value):
    assert create("box_iou", convention="pixels").compare(predicted, expected).value == value
    lowest = create("box_giou", convention="pixels").compare(predicted, expected).value
    assert lowest <= value


@pytest.mark.parametrize(("take", "value"), [("all", 0.5), ("first", 0.0), ("last", 1.0), ("surest", 0.0)])
def test_which_of_several_boxes_counts(take, value):
    answer = [{"bbox": [50, 50, 60, 60], "score": 0.9}, {"bbox": [0, 0, 10, 10], "score": 0.2}]
    assert create("box_iou", convention="pixels", take=take).compare(answer, [0, 0, 10, 10]).value == value


def test_accuracy_includes_its_threshold():
    compare = create("accuracy_at_iou", convention="pixels").compare
    assert compare([0, 0, 10, 10], [0, 0, 10, 5]).value is True
    assert compare([0, 0, 10, 10], [0, 0, 10, 4.99]).value is False
    assert compare([[0, 0, 10, 10]] * 2, [0, 0, 10, 10]).value is False
    assert compare([], [0, 0, 10, 10]).value is False


def test_an_expected_box_without_area_is_the_datas_fault():
    found = create("box_giou", convention="pixels").compare([0, 0, 1, 1], [5, 5, 5, 9])
    assert found.kind is FailureKind.MISSING_EXPECTED


def test_places_of_our_own_need_no_convention():
    assert create("box_iou").compare(Box(0, 0, 10, 10), [0, 0, 10, 10]).value == 1.0
    assert create("point_accuracy").compare([Point(5, 5)], [0, 0, 10, 10]).value == 1.0


def test_expected_places_may_be_in_another_convention():
    evaluator = create("box_iou", convention="thousandths", expected_convention="fraction")
    assert evaluator.evaluate(case("[0, 0, 500, 500]", [0, 0, 0.5, 0.5])).value == pytest.approx(1)


def test_points_in_boxes_and_masks():
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[20:40, 50:100] = 255
    mask = Image.from_array(pixels)
    evaluator = create("point_accuracy", convention="fraction")
    assert evaluator.evaluate(case("[(0.25, 0.2), (0.5, 0.4), (5, 5)]", mask)).value == pytest.approx(1 / 3)
    assert evaluator.evaluate(case("[(0.25, 0.2), (0.5, 0.4)]", [50, 20, 100, 40])).value == 1.0
    assert evaluator.evaluate(case("[]", [50, 20, 100, 40])).value == 0.0
    assert evaluator.evaluate(case("[]", [])).value == 1.0


def test_f1_over_a_set_sums_first_and_counts_failures():
    gold = [[0, 0, 10, 10], [20, 0, 30, 10]]
    found = [
        case([[0, 0, 10, 10]], gold),
        case(gold, gold),
        case([[90, 90, 99, 99]], [[0, 0, 10, 10]]),
        case("no idea", gold),
    ]
    score = create("box_f1", convention="pixels").evaluate_set(found)
    assert score.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert (score.n, score.failures) == (3, 1)
    assert score.interval is None, "all cases share one picture: one cluster has no interval"
    apart = [Case(output=c.output, expected=c.expected) for c in found]
    score = create("box_f1", convention="pixels").evaluate_set(apart)
    assert score.interval.low <= score.value <= score.interval.high
    assert isinstance(create("box_f1").evaluate_set([]), Failure)


def test_a_failed_output_stays_what_it_was():
    refused = Failure(FailureKind.REFUSAL, "I cannot help with that")
    assert create("box_iou").evaluate(case(refused, [0, 0, 5, 5])).kind is FailureKind.REFUSAL


@pytest.mark.parametrize("name", NAMES)
def test_no_value_is_nan(name):
    evaluator = create(name, convention="pixels")
    score = evaluator.compare([5, 5, 5, 5] if name != "point_accuracy" else [5, 5], [0, 0, 10, 10])
    assert not math.isnan(score.value)
