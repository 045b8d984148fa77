import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators import create
from vlmops.evaluators.failure import FailureKind
from vlmops.evaluators.grounding import SYNONYMS, relation_holds, relation_named, relations_mentioned
from vlmops.geometry import Box

LEFT, RIGHT = Box(0, 0, 10, 10), Box(20, 0, 30, 10)
INVERSE = [
    ("left of", "right of"),
    ("above", "below"),
    ("inside", "containing"),
    ("overlapping", "overlapping"),
]
SIDE = st.integers(0, 50)
BOXES = st.tuples(SIDE, SIDE, SIDE, SIDE).map(lambda b: Box(b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(BOXES, BOXES, st.sampled_from(INVERSE))
def test_relations_have_their_inverse(first, second, pair):
    relation, inverse = pair
    assert relation_holds(first, relation, second) == relation_holds(second, inverse, first)


@given(BOXES, BOXES)
def test_opposites_never_hold_together(first, second):
    for one, other in (("left of", "right of"), ("above", "below"), ("larger than", "smaller than")):
        assert not (relation_holds(first, one, second) and relation_holds(first, other, second))
    assert relation_holds(first, "overlapping", second) != relation_holds(first, "apart from", second)


@pytest.mark.parametrize(
    ("subject", "relation", "other", "holds"),
    [
        (LEFT, "left of", RIGHT, True),
        (LEFT, "right of", RIGHT, False),
        (Box(0.4, 0, 10.4, 10), "right of", LEFT, False),
        (Box(0.6, 0, 10.6, 10), "right of", LEFT, True),
        (Box(0, 20, 10, 30), "below", LEFT, True),
        (Box(2, 2, 8, 8), "inside", LEFT, True),
        (Box(5, 0, 15, 10), "inside", LEFT, False),
        (Box(5, 0, 15, 10), "overlapping", LEFT, True),
        (Box(10, 0, 20, 10), "overlapping", LEFT, False),
        (Box(0, 0, 20, 10), "larger than", LEFT, True),
        (Box(0, 0, 10.2, 10), "larger than", LEFT, False),
    ],
)
def test_relations_and_their_tolerance(subject, relation, other, holds):
    assert relation_holds(subject, relation, other) is holds


def test_nearer_needs_a_third_thing():
    far = Box(80, 0, 90, 10)
    assert relation_holds(LEFT, "nearer to", RIGHT, far)
    assert relation_holds(far, "farther from", RIGHT, LEFT)
    with pytest.raises(UsageError, match="third thing"):
        relation_holds(LEFT, "nearer to", RIGHT)


def test_words_for_relations():
    for relation, words in SYNONYMS.items():
        assert all(relation_named(word.upper()) == relation for word in words)
    assert relations_mentioned("It is under the table and to the left of the chair, left of it.") == [
        "below",
        "left of",
    ]
    with pytest.raises(UsageError, match="left of"):
        relation_named("betwixt")


def test_a_relation_said_in_words():
    evaluator = create("spatial_relation")
    assert evaluator.compare("The cup is on top of the book.", "above").value is True
    assert evaluator.compare("under", "above").value is False
    boxes = {"subject": list(LEFT.xyxy), "object": list(RIGHT.xyxy)}
    assert evaluator.compare("left", boxes).value is True
    assert evaluator.compare("It is hard to say.", boxes).kind is FailureKind.UNPARSABLE
    assert evaluator.compare("left of or right of", boxes).kind is FailureKind.UNPARSABLE
    assert evaluator.compare("left", "betwixt").kind is FailureKind.MISSING_EXPECTED
    assert evaluator.compare("left", {"subject": [0, 0, 1, 1]}).kind is FailureKind.MISSING_EXPECTED


def test_a_layout_of_predicted_boxes():
    evaluator = create("spatial_layout", convention="pixels")
    answer = [{"bbox": list(LEFT.xyxy), "label": "Cup"}, {"bbox": list(RIGHT.xyxy), "label": "plate"}]
    wanted = [
        {"subject": "cup", "relation": "left of", "object": "plate"},
        {"subject": "cup", "relation": "above", "object": "plate"},
        {"subject": "cup", "relation": "left of", "object": "fork"},
    ]
    score = evaluator.compare(answer, wanted)
    assert score.value == pytest.approx(1 / 3)
    assert "cup above plate" in score.explanation
    assert evaluator.compare(answer, []).kind is FailureKind.MISSING_EXPECTED
    assert evaluator.compare(answer, [{"subject": "cup"}]).kind is FailureKind.MISSING_EXPECTED
    assert evaluator.compare(answer, "left").kind is FailureKind.MISSING_EXPECTED
