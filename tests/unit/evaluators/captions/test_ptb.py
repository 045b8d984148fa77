"""Words of captions, against those of CoreNLP."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators.captions import ptb_tokenize

REFERENCE = json.loads((Path(__file__).parent / "ptb_tokens.json").read_text())


@pytest.mark.parametrize(("text", "words"), REFERENCE)
def test_agrees_with_corenlp(text, words):
    assert ptb_tokenize(text) == words


@given(st.text(max_size=100))
def test_any_text_gives_words_between_single_spaces(text):
    words = ptb_tokenize(text)
    assert words == words.strip(" ")
    assert "  " not in words
    assert words == words.lower() or not text.isascii()


@given(st.lists(st.sampled_from(["a", "Dog", "runs", "isn't", "U.S.", "5", "red,", "(big)"]), max_size=12))
def test_words_do_not_depend_on_the_short_cut_for_plain_captions(words):
    assert ptb_tokenize(" ".join(words)).split() == ptb_tokenize("  ".join(words)).split()


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "'" * 5_000, "(" * 5_000, "a." * 2_000, "<a " * 2_000, "1-" * 2_000]
)
def test_long_texts_are_tokenised(text):
    assert isinstance(ptb_tokenize(text), str)
