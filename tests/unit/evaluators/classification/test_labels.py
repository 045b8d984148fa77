"""Reading labels out of answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import EvaluatorError
from vlmops.evaluators.classification import LabelSet, normalize_label

DEFECTS = LabelSet(
    ("ok", "scratch", "dent", "surface crack"), synonyms={"ok": ["no defect", "flawless"], "dent": ["dimple"]}
)


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("scratch", "scratch"),
        ("  **Scratch**.", "scratch"),
        ("surface_crack", "surface crack"),
        ("SURFACE-CRACK", "surface crack"),
        ("ｄｅｎｔ", "dent"),
        ("dimple", "dent"),
        ("The part has a dent near the edge.", "dent"),
        ("I first saw a scratch. Final answer: dent", "dent"),
        ("There is no scratch, only a dent.", "dent"),
        ("No defect, in particular no dent or", "ok"),
        ("It isn't a scratch; it's a dimple!", "dent"),
        ("a surface crack", "surface crack"),
        ("dent dent dent", "dent"),
    ],
)
def test_one_label_is_read(answer, label):
    assert DEFECTS.read(answer).label == label


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "empty"),
        (" .!", "empty"),
        ("a scratch or a dent", "several labels: scratch, dent"),
        ("scratch/dent", "several labels"),
        ("Answer: scratch or dent", "several labels"),
        ("rust", "names none"),
        ("not a dent", "names none"),
        ("scratches and indentation", "names none"),
        (3, "none of the labels"),
        (["dent"], "none of the labels"),
    ],
)
def test_no_label_is_guessed(answer, problem):
    reading = DEFECTS.read(answer)
    assert reading.label is None
    assert problem in reading.problem


def test_labels_that_are_numbers_are_not_found_inside_of_others():
    levels = LabelSet(("1", "-1", "2"))
    assert levels.read("-1").label == "-1"
    assert levels.read("the level is -1").label == "-1"
    assert levels.read("level 1.5").label is None
    assert levels.read("grade 12").label is None
    assert levels.read(2).label == "2"


def test_without_free_text_only_whole_answers_count():
    assert LabelSet(("ok", "dent"), free_text=False).read("a dent").label is None


def test_several_labels_are_read_together():
    assert DEFECTS.read_all("a dent and a scratch, no surface crack") == ("scratch", "dent")
    assert DEFECTS.read_all(["Dimple", "ok"]) == ("ok", "dent")
    assert DEFECTS.read_all(["dent", "rust"]) is None
    assert DEFECTS.read_all({"dent": True}) is None


def test_a_contradictory_configuration_is_an_error_at_once():
    with pytest.raises(EvaluatorError, match="names both"):
        LabelSet(("a", "b"), synonyms={"a": ["x"], "b": ["X"]})
    with pytest.raises(EvaluatorError, match="not among the labels"):
        LabelSet(("a",), synonyms={"c": ["x"]})
    with pytest.raises(EvaluatorError, match="without letters"):
        LabelSet(("...",))


@given(st.text())
def test_any_answer_gives_a_label_or_a_reason(answer):
    reading = DEFECTS.read(answer)
    assert (reading.label in DEFECTS.labels) != bool(reading.problem)


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalize_label(text)
    assert normalize_label(once) == once
