import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.geometry import Box, Convention, Point, gold_boxes, gold_points, locate_boxes, locate_points

HD = (1920, 1080)
SQUARE = (1000, 1000)


def boxes(answer, convention="pixels", size=SQUARE, **options):
    located = locate_boxes(answer, convention, size, **options)
    assert not isinstance(located, Failure), located
    return [tuple(round(value, 3) for value in box.xyxy) for box in located.places]


@pytest.mark.parametrize(
    ("answer", "convention", "expected", "labels"),
    [
        (
            '[{"bbox_2d": [658, 364, 1316, 728], "label": "cat"}]',
            "qwen2.5-vl",
            [(960, 540, 1920, 1080)],
            ["cat"],
        ),
        (
            '[{"bbox_2d": [500, 500, 1000, 1000], "label": "cat"}]',
            "qwen3-vl",
            [(960, 540, 1920, 1080)],
            ["cat"],
        ),
        ('[{"box_2d": [500, 250, 1000, 500], "label": "a"}]', "gemini", [(480, 540, 960, 1080)], ["a"]),
        ("[728, 409.5, 1456, 819]", "claude", [(960, 540, 1920, 1080)], [""]),
        ("[960, 540, 1920, 1080]", "claude-high", [(960, 540, 1920, 1080)], [""]),
        (
            "<|ref|>two dogs<|/ref|><|det|>[[0, 0, 999, 999], [0, 0, 333, 333]]<|/det|>",
            "deepseek-vl2",
            [(0, 0, 1920, 1080), (0, 0, 640, 360)],
            ["two dogs", "two dogs"],
        ),
        (
            "<loc0512><loc0256><loc0768><loc0512> cat ; <loc0000><loc0000><loc0512><loc0512> a dog",
            "paligemma",
            [(480, 540, 960, 810), (0, 0, 960, 540)],
            ["cat", "a dog"],
        ),
        (
            "</s><s>car<loc_0><loc_0><loc_500><loc_500><loc_500><loc_500><loc_1000><loc_1000>door<loc_0><loc_0>"
            "<loc_10><loc_10></s>",
            "florence-2",
            [(0, 0, 960, 540), (960, 540, 1920, 1080), (0, 0, 19.2, 10.8)],
            ["car", "car", "door"],
        ),
        ("<ref>dog</ref><box>[[500, 500, 1000, 1000]]</box>", "internvl", [(960, 540, 1920, 1080)], ["dog"]),
        (
            "<|object_ref_start|>dog<|object_ref_end|><|box_start|>(500,500),(1000,1000)<|box_end|>",
            "qwen2-vl",
            [(960, 540, 1920, 1080)],
            ["dog"],
        ),
        (
            {"objects": [{"x_min": 0.5, "y_min": 0.5, "x_max": 1, "y_max": 1}]},
            "moondream",
            [(960, 540, 1920, 1080)],
            [""],
        ),
        ("[('a snowman', (12, 21), [(0.5, 0.5, 1.0, 1.0)])]", "kosmos-2", [(960, 540, 1920, 1080)], [""]),
    ],
)
def test_each_family_is_read_in_its_own_convention(answer, convention, expected, labels):
    assert boxes(answer, convention, HD) == expected
    assert [box.label for box in locate_boxes(answer, convention, HD).places] == labels


@pytest.mark.parametrize(
    "answer",
    [
        "[1, 2, 3, 4]",
        "The box is (1, 2, 3, 4), I think.",
        '```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "cup"}]\n```',
        '```\n{"bbox": ["1", "2", "3.0", "4 px"]}\n```\nHope that helps!',
        'Sure [see below]:\n{"bbox": [1, 2, 3, 4,],}',
        "{'box': [1, 2, 3, 4], 'label': \"a dog's bowl\"}",
        '{"cup": [1, 2, 3, 4]}',
        '{"bbox": [[1, 2], [3, 4]]}',
        '{"bbox": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}',
        '{"left": 1, "top": 2, "width": 2, "height": 2}',
        '{"xywh": [1, 2, 2, 2]}',
        {"result": {"detections": [{"bounding_box": [1, 2, 3, 4], "confidence": 0.5}]}},
        [1, 2, 3, 4],
        (1, 2, 3, 4),
        Box(1, 2, 3, 4),
    ],
)
def test_one_box_in_many_disguises(answer):
    assert boxes(answer) == [(1, 2, 3, 4)]


def test_a_cut_answer_keeps_its_whole_items():
    assert boxes('[{"bbox_2d": [1, 2, 3, 4]}, {"bbox_2d": [5, 6, 7, 8]}, {"bbox_2d": [9, 1') == [
        (1, 2, 3, 4),
        (5, 6, 7, 8),
    ]


@pytest.mark.parametrize("answer", ["[]", "```json\n[]\n```", '{"objects": []}', []])
def test_saying_that_there_is_nothing_is_an_answer(answer):
    assert boxes(answer) == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "none",
        "I cannot see a cup.",
        "[1, 2, 3]",
        '{"bbox": [1, 2, NaN, 4]}',
        '{"bbox": null}',
        None,
        7,
        {},
        "[" * 50000,
        "{" * 50000,
        "[1" * 20000,
    ],
)
def test_no_box_is_a_failure_and_never_zeros(answer):
    located = locate_boxes(answer, "pixels", SQUARE)
    assert isinstance(located, Failure)
    assert located.kind is FailureKind.UNPARSABLE
    assert len(located.message) < 300


def test_repairs_are_noted():
    located = locate_boxes('{"box_2d": [900, 500, 100, 1100]}', "gemini", SQUARE)
    assert located.places[0].xyxy == (500, 100, 1000, 900)
    assert "swapped" in located.notes[0]
    assert "100.0 px beyond" in located.notes[1]


def test_everything_about_the_reading_is_kept():
    located = locate_boxes("[728, 409.5, 1456, 819]", "claude", HD)
    assert json.loads(json.dumps(located.to_json())) == {
        "raw": [[728.0, 409.5, 1456.0, 819.0]],
        "convention": "claude",
        "seen_size": [1456, 819],
        "original_size": [1920, 1080],
        "canonical_xyxy_px": [[960.0, 540.0, 1920.0, 1080.0]],
        "notes": [],
    }


def test_a_measured_size_wins_over_a_computed_one():
    assert boxes("[0, 0, 100, 100]", "qwen2.5-vl", SQUARE, seen_size=(500, 200)) == [(0, 0, 200, 500)]


def test_a_convention_of_ones_own():
    own = Convention("own", order="xywh", full=10)
    assert boxes("[1, 2, 3, 4]", own) == [(100, 200, 400, 600)]


def test_a_pixel_convention_needs_no_picture_and_clips_nothing():
    located = locate_boxes("[-5, 0, 5000, 10]", "pixels")
    assert located.places[0].xyxy == (-5, 0, 5000, 10)


def test_what_the_model_saw_must_be_known():
    with pytest.raises(UsageError, match="seen_size"):
        locate_boxes("[1, 2, 3, 4]", Convention("own", unit="seen_px"), SQUARE)


@pytest.mark.parametrize(
    ("answer", "convention", "expected"),
    [
        ('<point x="50" y="25.0" alt="cup">cup</point>', "molmo", [(500, 250, "cup")]),
        (
            '<points x1="10" y1="20" x2="30" y2="40" alt="dogs">dogs</points>',
            "molmo",
            [(100, 200, "dogs"), (300, 400, "dogs")],
        ),
        ('[{"point": [500, 250], "label": "x"}]', "gemini", [(250, 500, "x")]),
        ("[(0.5, 0.25), (1, 1)]", "fraction", [(500, 250, ""), (1000, 1000, "")]),
        ('{"point_2d": [500, 250], "label": "x"}', "qwen3-vl", [(500, 250, "x")]),
        ({"x": "5", "y": 6}, "pixels", [(5, 6, "")]),
        (Point(5, 6), "pixels", [(5, 6, "")]),
    ],
)
def test_points(answer, convention, expected):
    located = locate_points(answer, convention, SQUARE)
    assert [(point.x, point.y, point.label) for point in located.places] == expected


def test_expected_places_are_pixels_of_the_original():
    assert gold_boxes([{"bbox_xywh": [1, 2, 3, 4], "label": "cup"}]) == (Box(1, 2, 4, 6, "cup"),)
    assert gold_points([[3, 4], [5, 6]]) == (Point(3, 4), Point(5, 6))
    for read in (gold_boxes, gold_points):
        with pytest.raises(UsageError, match="expected value"):
            read("nothing here")


@given(st.text(max_size=200) | st.text(alphabet='[]{}(),:"0123456789.-<>loc_box|det ', max_size=200))
def test_no_text_is_too_strange(text):
    for convention in ("pixels", "gemini", "paligemma", "deepseek-vl2", "internvl", "molmo"):
        located = locate_boxes(text, convention, SQUARE)
        if not isinstance(located, Failure):
            assert all(0 <= side <= 1000 for box in located.places for side in box.xyxy)
        assert isinstance(locate_points(text, convention, SQUARE), object)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["bbox", "x1", "label", "k"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_is_too_strange(tree):
    located = locate_boxes(tree, "pixels", SQUARE)
    assert isinstance(located, Failure) or all(box.area >= 0 for box in located.places)


@given(
    st.lists(st.tuples(*[st.integers(0, 1000)] * 4), min_size=1, max_size=5),
    st.sampled_from(["qwen3-vl", "gemini", "fraction", "percent"]),
)
def test_writing_and_reading_a_box_gives_the_box(corners, name):
    full = {"qwen3-vl": 1000, "gemini": 1000, "fraction": 1, "percent": 100}[name]
    wanted = [Box.from_corners(*four) for four in corners]
    raw = [[value / 1000 * full for value in box.xyxy] for box in wanted]
    if name == "gemini":
        raw = [[y1, x1, y2, x2] for x1, y1, x2, y2 in raw]
    located = locate_boxes(json.dumps([{"bbox_2d": numbers} for numbers in raw]), name, SQUARE)
    for box, found in zip(wanted, located.places, strict=True):
        assert found.xyxy == pytest.approx(box.xyxy)
