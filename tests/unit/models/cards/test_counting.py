"""What pictures count for: the published examples, the sources' own arithmetic, and what must always hold."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.models.cards import CardTable, card_of

VECTORS = json.loads((Path(__file__).with_name("image_tokens.json")).read_text())["rows"]
SIDES = st.integers(1, 20_000)


def tokens(model, width, height, detail="auto"):
    return card_of(model).image_tokens(width, height, detail).tokens


@pytest.mark.parametrize(
    ("model", "width", "height", "detail", "expected"),
    [
        ("gpt-4o", 1024, 1024, "high", 765),
        ("gpt-4o", 2048, 4096, "high", 1105),
        ("gpt-4.1", 4000, 3000, "low", 85),
        ("gpt-4o-mini", 1024, 1024, "high", 2833 + 4 * 5667),
        ("gpt-4o-mini", 1024, 1024, "low", 2833),
        ("gpt-5", 1024, 1024, "auto", 70 + 4 * 140),
        ("gpt-5.1", 512, 512, "high", 70 + 140),
        ("o3", 1024, 1024, "high", 75 + 4 * 150),
        ("gpt-5-mini", 1800, 2400, "high", 1743),  # 1452 patches
        ("gpt-5-mini", 2048, 768, "high", 1844),  # at the cap of 1536, as measured
        ("gpt-5-nano", 1024, 1024, "high", 1536),
        ("gpt-4.1-nano", 1800, 2400, "high", 3572),
        ("o4-mini", 1024, 1024, "high", 1762),
        ("gpt-4.1-mini", 1024, 1024, "high", 1659),
        ("gpt-5.5", 1024, 1024, "auto", 1229),
        ("claude-sonnet-4-5", 1920, 1080, "auto", 1560),
        ("claude-opus-4-7", 1920, 1080, "auto", 2691),
        ("claude-opus-5", 3840, 2160, "auto", 4784),
        ("gemini-2.5-flash", 384, 384, "auto", 258),
        ("gemini-2.0-flash", 960, 540, "auto", 6 * 258),
        ("gemini-3-pro-preview", 4000, 3000, "auto", 1120),
        ("gemini-3.5-flash", 4000, 3000, "low", 280),
        ("gemini-3.5-flash", 4000, 3000, "medium", 560),
        ("gemini-3.5-flash", 4000, 3000, "ultra_high", 2240),
        ("Qwen/Qwen2.5-VL-7B-Instruct", 1920, 1080, "auto", 47 * 26 + 2),
        ("Qwen/Qwen2-VL-2B-Instruct", 20, 20, "auto", 4 + 2),
        ("Qwen/Qwen3-VL-8B-Instruct", 640, 480, "auto", 20 * 15 + 2),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 300, 300, "auto", 147),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 672, 336, "auto", 144 * 3 + 2 + 3),
        ("mistralai/Pixtral-12B-2409", 1024, 1024, "auto", 65 * 64),
        ("mistral-small-2603", 1540, 1540, "auto", 56 * 55),
        ("OpenGVLab/InternVL3-8B", 448, 448, "auto", 258),
        ("OpenGVLab/InternVL3-8B", 896, 448, "auto", 256 * 3 + 2),
        ("google/gemma-3-27b-it", 4000, 3000, "auto", 256),
        ("google/gemma-4-31b-it", 1000, 1000, "auto", 256),
        ("moonshotai/Kimi-K2.5", 1920, 1080, "auto", 69 * 39),
    ],
)
def test_published_examples(model, width, height, detail, expected):
    assert tokens(model, width, height, detail) == expected


@pytest.mark.parametrize("row", VECTORS)
def test_counting_is_that_of_the_sources(row):
    model, _, detail = row.partition(" ")
    found = [[w, h, tokens(model, w, h, detail or "auto")] for w, h, _ in VECTORS[row]]
    assert found == VECTORS[row]


@settings(deadline=None)
@given(st.sampled_from(CardTable.built_in().names), SIDES, SIDES)
def test_every_card_counts_every_size(name, width, height):
    card = CardTable.built_in().named(name)
    for detail in card.details or ("auto",):
        counted = card.image_tokens(width, height, detail)
        assert counted.tokens > 0 or counted.rejected
        assert min(counted.seen_width, counted.seen_height) > 0
        assert counted.source
        assert counted.dated
        assert counted.scale == pytest.approx(counted.seen_width / width)


@settings(deadline=None)
@given(st.sampled_from(("gpt-4o", "gpt-5.4", "claude", "mistral")), SIDES, SIDES)
def test_turning_a_picture_changes_only_what_is_said_of_rows(name, width, height):
    card = CardTable.built_in().named(name)
    upright, lying = card.image_tokens(width, height), card.image_tokens(height, width)
    assert (upright.seen_width, upright.seen_height) == (lying.seen_height, lying.seen_width)
    assert (upright.patches, upright.tiles) == (lying.patches, lying.tiles)


def test_what_the_model_sees_is_said():
    counted = card_of("gpt-4o").image_tokens(2048, 4096)
    assert (counted.seen_width, counted.seen_height, counted.scale) == (768, 1536, 0.375)
    assert (counted.tiles, counted.patches, counted.detail) == (6, None, "high")


def test_a_picture_of_too_many_patches_is_refused_and_counted():
    counted = card_of("gpt-5.6-sol").image_tokens(8000, 6000)
    assert counted.detail == "original"
    assert counted.patches == 47_000
    assert "more than 30000" in counted.rejected
    assert not card_of("gpt-5.6-sol").image_tokens(8000, 6000, "high").rejected


def test_a_picture_of_extreme_aspect_is_refused_by_qwen():
    assert "200 times" in card_of("qwen3-vl").image_tokens(20_000, 10).rejected


def test_settings_of_the_server_count():
    qwen = card_of("Qwen/Qwen2.5-VL-7B-Instruct")
    assert qwen.adjusted(max_pixels=256 * 28 * 28).image_tokens(1920, 1080).tokens == 21 * 12 + 2
    assert qwen.adjusted(min_pixels=1024 * 28 * 28).image_tokens(28, 28).tokens == 1024 + 2
    assert qwen.adjusted(markers=0).image_tokens(1920, 1080).tokens == 47 * 26
    gemma = card_of("gemma-3-4b-it").adjusted(pan_and_scan=True)
    sizes = ((1000, 900), (2000, 1000), (500, 2000), (400, 500))
    assert [gemma.image_tokens(*size).tiles for size in sizes] == [1, 3, 5, 1]
    assert card_of("gemma-4-31b-it").adjusted(max_tokens=70).image_tokens(1000, 1000).tokens == 64
    with pytest.raises(UsageError, match="no parameter 'max_pixel'; it has: factor, markers, max_pixels"):
        qwen.adjusted(max_pixel=1)


def test_impossible_questions_are_refused():
    with pytest.raises(UsageError, match="positive sides, not 0x10"):
        card_of("gpt-4o").image_tokens(0, 10)
    with pytest.raises(UsageError, match="gpt-4o has no detail 'original'; it has: auto, low, high"):
        card_of("gpt-4o").image_tokens(10, 10, "original")


def test_detail_means_nothing_to_models_without_it():
    claude = card_of("claude-opus-5")
    assert claude.details == ()
    assert claude.image_tokens(500, 500, "high") == claude.image_tokens(500, 500)
