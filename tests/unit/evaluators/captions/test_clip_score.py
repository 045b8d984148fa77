"""CLIPScore with the embeddings of any model."""

import math

import numpy as np
import PIL.Image
import pytest

from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, FailureKind, create
from vlmops.evaluators.captions import (
    ClipScore,
    RefClipScore,
    clip_scores,
    ref_clip_scores,
    reference_similarities,
)
from vlmops.images import Image

EMBED = {"embed_image": lambda image: [1.0, 0.0], "embed_text": lambda text: [float(len(text)), 0.0]}
RED = Image.from_pil(PIL.Image.new("RGB", (2, 2), "red"))


def test_length_of_embeddings_does_not_matter():
    assert clip_scores([[1, 1]], [[300, 0]]) == pytest.approx(2.5 / math.sqrt(2))


def test_opposite_directions_are_clipped():
    assert clip_scores([[1.0, 0.0]], [[-1.0, 0.1]]).tolist() == [0.0]


def test_zero_embeddings_are_undefined():
    assert np.isnan(clip_scores([[0.0, 0.0]], [[1.0, 0.0]])).all()


def test_the_best_reference_counts_and_may_be_negative():
    similarities = reference_similarities([[1.0, 0.0]], [[[-1.0, 0.0], [-1.0, 1.0]]])
    assert similarities == pytest.approx(-1 / math.sqrt(2))
    assert ref_clip_scores([2.5], similarities)[0] < 0
    assert np.isnan(ref_clip_scores([0.0], [0.0])).all()


@pytest.mark.parametrize(
    ("images", "captions", "problem"),
    [
        ([[1.0]], [[1.0, 2.0]], "differ in shape"),
        ([], [], "one row per item"),
        ([1.0], [1.0], "one row per item"),
    ],
)
def test_shapes_are_checked(images, captions, problem):
    with pytest.raises(ValueError, match=problem):
        clip_scores(images, captions)


def test_every_caption_needs_references():
    with pytest.raises(ValueError, match="1 captions for 0 lists"):
        reference_similarities([[1.0]], [])


class TestEvaluators:
    case = Case(output="a red square", expected=["red", "a square"], inputs={"picture": RED})

    def test_the_prompt_precedes_every_text(self):
        seen = []
        ClipScore(embed_image=lambda _: [1.0], embed_text=lambda text: seen.append(text) or [1.0]).evaluate(
            self.case
        )
        assert seen == ["A photo depicts a red square"]

    def test_values(self):
        assert ClipScore(**EMBED).evaluate(self.case).value == 2.5
        assert RefClipScore(**EMBED).evaluate(self.case).value == pytest.approx(5 / 3.5)

    def test_what_is_missing_is_named(self):
        evaluator = RefClipScore(**EMBED)
        kinds = [
            evaluator.evaluate(case).kind
            for case in (
                Case(output="a", expected="a"),
                Case(output=None, expected="a", inputs=RED),
                Case(output={}, expected="a", inputs=RED),
                Case(output="a", inputs=RED),
                Case(output="a", expected=[], inputs=RED),
            )
        ]
        assert kinds == [
            FailureKind.BAD_IMAGE,
            FailureKind.MISSING_OUTPUT,
            FailureKind.UNPARSABLE,
            FailureKind.MISSING_EXPECTED,
            FailureKind.MISSING_EXPECTED,
        ]

    def test_it_needs_a_model(self):
        with pytest.raises(EvaluatorError, match="embed_image"):
            create("clip_score")
