import re

import pytest

from vlmops.errors import UsageError
from vlmops.geometry import CONVENTIONS, RESIZES, convention_for, convention_named


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen2-VL-7B-Instruct", "qwen2-vl"),
        ("Qwen/Qwen2.5-VL-72B-Instruct-AWQ", "qwen2.5-vl"),
        ("qwen2_5_vl", "qwen2.5-vl"),
        ("qwen3-vl-8b", "qwen3-vl"),
        ("qwen3.5-plus", "qwen3-vl"),
        ("models/gemini-3-pro", "gemini"),
        ("claude-3-5-sonnet-20241022", "claude"),
        ("claude-sonnet-4-20250514", "claude"),
        ("claude-opus-4-1", "claude"),
        ("anthropic/claude-opus-4.7", "claude-high"),
        ("claude-sonnet-5", "claude-high"),
        ("claude-opus-4-7-thinking", "claude-high"),
        ("claude-4.7-opus", "claude-high"),
        ("claude-opus-10", "claude-high"),
        ("claude-mythos-preview", "claude-high"),
        ("deepseek-ai/deepseek-vl2-small", "deepseek-vl2"),
        ("google/paligemma2-3b-mix-448", "paligemma"),
        ("microsoft/Florence-2-large", "florence-2"),
        ("OpenGVLab/InternVL3-8B", "internvl"),
        ("allenai/Molmo-7B-D", "molmo"),
    ],
)
def test_models_are_known_by_their_names(model, name):
    assert convention_for(model).name == name


@pytest.mark.parametrize("model", ["gpt-5.6", "o3", "mistral-medium", ""])
def test_a_model_without_a_documented_convention_has_none(model):
    assert convention_for(model) is None


def test_every_row_is_dated_sourced_and_computable():
    for name, row in CONVENTIONS.items():
        assert name == row.name
        assert row.source
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row.seen)
        assert (row.unit == "seen_px") == (row.resize in RESIZES)
        across, down = row.to_pixels((640, 480))
        assert across > 0
        assert down > 0


def test_a_share_of_the_sides_needs_the_picture():
    with pytest.raises(UsageError, match="picture's size"):
        CONVENTIONS["gemini"].to_pixels(None)
    assert CONVENTIONS["pixels"].to_pixels(None) == (1.0, 1.0)


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UsageError, match=r"there are: .*qwen3-vl"):
        convention_named("nobody")
