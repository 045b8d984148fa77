"""BLEU, ROUGE-L, CIDEr-D, sacreBLEU and chrF, against the values of the references."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, Evaluator, Failure, FailureKind, SetEvaluator
from vlmops.evaluators.captions import (
    Bleu,
    Chrf,
    Cider,
    RougeL,
    SacreBleu,
    cider_d,
    corpus_bleu,
    corpus_chrf,
    rouge_l,
    sacre_bleu,
    tokenize_13a,
)

CORPORA = json.loads((Path(__file__).parent / "corpora.json").read_text())
CORPUS_MEASURES = (corpus_bleu, cider_d, sacre_bleu, corpus_chrf)
CASES = [
    Case(output="A red car, parked on the street.", expected=["a red car on a street", "red automobile"]),
    Case(output="A plate of food", expected="a plate of rice"),
    Case(output=Failure(FailureKind.TIMEOUT, "60 s"), expected="a dog"),
    Case(output="a dog"),
    Case(output={"text": "a dog"}, expected="a dog"),
    Case(output="a dog", expected=[]),
]


def test_reference_vectors(failing_vectors):
    assert failing_vectors("captions") == []


@pytest.mark.parametrize("corpus", CORPORA)
def test_agrees_with_the_references(corpus):
    candidates, references = corpus["candidates"], corpus["references"]
    assert corpus_bleu(candidates, references) == pytest.approx(corpus["bleu"], rel=1e-9)
    assert [*map(rouge_l, candidates, references)] == pytest.approx(corpus["rouge_l"], rel=1e-9)
    assert cider_d(candidates, references) == pytest.approx(corpus["cider"], rel=1e-9, abs=1e-12)
    assert sacre_bleu(candidates, references) == pytest.approx(corpus["sacrebleu"], rel=1e-9)
    assert corpus_chrf(candidates, references) == pytest.approx(corpus["chrf"], rel=1e-9)


@pytest.mark.parametrize("measure", CORPUS_MEASURES)
@pytest.mark.parametrize(
    ("candidates", "references", "problem"),
    [
        ([], [], "no captions"),
        (["a"], [], "1 captions for 0 lists"),
        (["a"], [[]], r"references\[0\]"),
        (["a"], ["a dog"], r"references\[0\]: a list"),
    ],
)
def test_corpora_must_be_whole(measure, candidates, references, problem):
    with pytest.raises(ValueError, match=problem):
        measure(candidates, references)


captions = st.lists(st.sampled_from(["a", "dog", "runs", "é", "."]), max_size=8).map(" ".join)


@given(st.lists(st.tuples(captions, st.lists(captions, min_size=1, max_size=3)), min_size=1, max_size=5))
def test_values_stay_within_their_range(pairs):
    candidates, references = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert all(0 <= score <= 1 for score in corpus_bleu(candidates, references))
    assert all(0 <= rouge_l(c, r) <= 1 for c, r in pairs)
    assert all(-1e-9 <= score <= 10 + 1e-9 for score in cider_d(candidates, references))
    assert 0 <= sacre_bleu(candidates, references) <= 100 + 1e-9
    assert 0 <= corpus_chrf(candidates, references) <= 100 + 1e-9


@given(st.permutations(range(4)))
def test_cider_does_not_depend_on_the_order_of_pictures(order):
    candidates = ["a dog", "a red car", "two men", ""]
    references = [["a dog runs"], ["the red car", "a car"], ["two men sit"], ["a dog"]]
    scores = cider_d(candidates, references)
    moved = cider_d([candidates[i] for i in order], [references[i] for i in order])
    assert moved == pytest.approx([scores[i] for i in order])


def test_tokens_of_mteval():
    assert tokenize_13a('He said: "3.5-4, ok?" &amp; left.') == 'He said : " 3.5 - 4 , ok ? " & left .'


class TestEvaluators:
    @pytest.mark.parametrize("evaluator", [Bleu(), Cider(), SacreBleu()])
    def test_measures_of_a_set_score_sets_only(self, evaluator):
        assert isinstance(evaluator, SetEvaluator)
        assert not isinstance(evaluator, Evaluator)

    @pytest.mark.parametrize("evaluator", [Bleu(), Cider(), SacreBleu(), Chrf()])
    def test_unusable_cases_are_counted(self, evaluator):
        found = evaluator.evaluate_set(CASES)
        for score in found if isinstance(found, list) else [found]:
            assert (score.n, score.failures) == (2, 4)
            assert score.interval is not None
            assert score.interval.low <= score.interval.high

    @pytest.mark.parametrize("evaluator", [Bleu(), Cider(), SacreBleu(), Chrf()])
    def test_a_set_without_captions_is_a_failure(self, evaluator):
        assert isinstance(evaluator.evaluate_set(CASES[2:]), Failure)

    def test_bleu_names_its_orders(self):
        scores = Bleu(orders=2, name="caption_bleu").evaluate_set(CASES)
        assert [score.name for score in scores] == ["caption_bleu.1", "caption_bleu.2"]

    def test_cider_is_undefined_for_one_picture(self):
        score = Cider().evaluate_set(CASES[:1])
        assert math.isnan(score.value)
        assert "undefined for one picture" in score.explanation
        assert score.interval is None

    def test_tokens_are_made_as_asked(self):
        case = Case(output="A dog runs.", expected="a dog runs")
        assert RougeL().evaluate(case).value == 1.0
        assert RougeL(tokenizer="spaces").evaluate(case).value < 0.5

    def test_rouge_names_the_closest_reference(self):
        score = RougeL().evaluate(Case(output="a dog", expected=["a cat sleeps", "The dog."]))
        assert score.explanation == "closest of 2: 'the dog'"

    def test_a_key_selects_the_caption(self):
        case = Case(output={"caption": "a dog"}, expected={"captions": ["a dog"]})
        assert RougeL(key="caption", expected_key="captions").evaluate(case).value == 1.0
        score = Chrf(key="caption", expected_key="captions").evaluate_set([case])
        assert score.value == pytest.approx(100)
        assert Bleu(key="caption", expected_key="captions").evaluate_set([case])[0].n == 1

    @pytest.mark.parametrize("evaluator", [RougeL(), Chrf()])
    def test_structured_output_is_unparsable(self, evaluator):
        failure = evaluator.evaluate(Case(output=["a dog"], expected="a dog"))
        assert failure.kind is FailureKind.UNPARSABLE
        assert failure.message.startswith("output: ")
