"""CHAIR: objects that a caption mentions and the picture does not show."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, Failure, FailureKind
from vlmops.evaluators.hallucination import (
    Chair,
    ChairCounts,
    ObjectVocabulary,
    chair_counts,
    coco_vocabulary,
)


def objects(caption, vocabulary=None):
    return [mention.object for mention in (vocabulary or coco_vocabulary()).mentions(caption)]


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("Two men and three WOMEN ride bikes.", ["person", "person", "bicycle"]),
        ("A baby elephant behind an adult zebra", ["elephant", "zebra"]),
        ("a passenger train", ["train"]),
        ("The toilet seat is up near the seat", ["toilet"]),
        ("He eats a hot dog, not a dog", ["hot dog", "dog"]),
        ("Wine glasses and buses, knives and sheep", ["wine glass", "bus", "knife", "sheep"]),
        ("a teddy bear; a bear", ["teddy bear", "bear"]),
        ("The dog's ball", ["dog"]),
        ("Un chien et un chat", []),
        ("", []),
    ],
)
def test_finds_coco_objects(caption, found):
    assert objects(caption) == found


def test_coco_has_eighty_objects():
    assert len(coco_vocabulary().synonyms) == 80


@pytest.mark.parametrize("name", sorted(coco_vocabulary().synonyms))
def test_every_object_is_found_by_name_and_in_the_plural(name):
    assert objects(f"There is a {name} here") == [name]
    plural = {"person": "people", "mouse": "mice", "knife": "knives"}.get(name)
    ending = "es" if name.endswith(("s", "sh", "ch", "x")) else "s"
    irregular = name in ("skis", "scissors", "sheep")
    assert objects(f"two {plural or (name if irregular else name + ending)}") == [name]


def test_positions_count_words():
    mention = coco_vocabulary().mentions("A big black dog")[0]
    assert (mention.words, mention.object, mention.position) == ("dog", "dog", 3)


def test_a_vocabulary_of_ones_own():
    vocabulary = ObjectVocabulary({"crack": ["fissure", "hairline crack"], "rust": ["corrosion"]})
    assert objects("Hairline cracks, and some corrosion", vocabulary) == ["crack", "rust"]
    assert vocabulary.object_of("Fissures") == "crack"
    assert vocabulary.object_of("dent") is None


def test_a_word_belongs_to_one_object():
    with pytest.raises(EvaluatorError, match="'plane' names both 'airplane' and 'tool'"):
        ObjectVocabulary({"airplane": ["plane"], "tool": ["plane"]})


@given(st.text(max_size=80))
def test_any_text_can_be_read(text):
    assert set(objects(text)) <= set(coco_vocabulary().synonyms)


def test_counts_repeat_mentions_and_not_repeated_objects():
    counts = chair_counts(["cat", "cat", "dog"], ["dog", "dog"])
    assert (counts.chair_i, counts.chair_s, counts.recall) == (2 / 3, 1.0, 1.0)


def test_nothing_mentioned_is_undefined():
    total = sum([chair_counts([], ["dog"])], ChairCounts())
    assert math.isnan(total.chair_i)
    assert (total.chair_s, total.recall) == (0.0, 0.0)
    assert math.isnan(ChairCounts().chair_s)


class TestEvaluator:
    def test_names_what_is_not_there(self):
        score = Chair().evaluate(Case(output="Two cats and a man", expected=["person"]))
        assert score.value == 0.5
        assert score.metadata["hallucinated_objects"] == ["cat"]

    def test_a_caption_without_objects_is_no_score(self):
        assert Chair().evaluate(Case(output="Blue sky", expected=["person"])).kind is FailureKind.UNPARSABLE

    def test_expected_is_a_list_of_known_objects(self):
        assert (
            "not in the vocabulary: sky" in Chair().evaluate(Case(output="a dog", expected=["sky"])).message
        )
        assert "a list of object names" in Chair().evaluate(Case(output="a dog", expected="dog")).message

    def test_a_set_counts_mentions_captions_and_objects(self):
        cases = [
            Case(output="a dog and a cat", expected=["dog"]),
            Case(output="blue sky", expected=["dog", "couch"]),
            Case(output="a dog", expected=["martian"]),
        ]
        chair_i, chair_s, recall = Chair().evaluate_set(cases)
        assert [score.name for score in (chair_i, chair_s, recall)] == ["chair.i", "chair.s", "chair.recall"]
        assert (chair_i.value, chair_s.value, recall.value) == (0.5, 0.5, 1 / 3)
        assert (chair_i.n, chair_i.failures, recall.direction) == (2, 1, "maximize")

    def test_an_empty_set_has_no_value(self):
        assert Chair().evaluate_set([]).message == "there are no cases"

    def test_failed_calls_are_counted(self):
        failed = Case(output=Failure(FailureKind.TIMEOUT, "60 s"), expected=["dog"])
        told = Case(output="A dog.", expected=["dog"])
        assert [score.failures for score in Chair().evaluate_set([failed, told])] == [1, 1, 1]
        assert Chair().evaluate_set([failed]).kind is FailureKind.TIMEOUT
