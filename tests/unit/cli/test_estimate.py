"""``vlmops estimate``: exact figures for machines, tables for people, plain words for what is not known."""

import json

import pytest

from vlmops.testing import picture


@pytest.fixture
def folder(tmp_path):
    here = tmp_path / "scenes"
    here.mkdir()
    for at in range(3):
        (here / f"{at}.png").write_bytes(picture(at).read())
    return here


def test_one_picture_exactly(vlmops):
    ended = vlmops("estimate", "--model", "gpt-4o", "--size", "1024x1024", "--detail", "high", "--json")
    told = json.loads(ended.out)
    assert ended.code == 0
    assert (told["image_tokens"], told["counted"]["tiles"], told["counted"]["detail"]) == (765, 4, "high")
    assert told["counted"]["source"]


def test_one_picture_at_several_models(vlmops):
    ended = vlmops("estimate", "-m", "gpt-4o", "-m", "claude-opus-5", "--size", "1920x1080", "--json")
    assert [row["image_tokens"] for row in json.loads(ended.out)["models"]] == [1105, 2691]
    ended = vlmops("estimate", "-m", "gpt-4o", "-m", "my-model", "--size", "1920x1080")
    assert ended.code == 3
    assert "1,105" in ended.out
    assert "my-model: no card" in ended.out


@pytest.mark.parametrize("size", ["1024 x 768", "1024X768", "1024×768"])
def test_a_size_may_be_written_in_several_ways(vlmops, size):
    assert json.loads(vlmops("estimate", "-m", "gpt-4o", "--size", size, "--json").out)["height"] == 768


def test_a_model_that_is_named_twice_counts_once(vlmops):
    told = json.loads(vlmops("estimate", "-m", "gpt-4o", "-m", "gpt-4o", "--size", "9x9", "--json").out)
    assert told["model"] == "gpt-4o"


def test_a_name_that_is_nearly_right_is_told(vlmops):
    ended = vlmops("estimate", "-m", "openai:gtp-4o", "--size", "9x9")
    assert (ended.code, "did you mean 'gpt-4o'?" in ended.out) == (3, True)


def test_a_picture_that_is_refused_is_no_estimate(vlmops):
    ended = vlmops("estimate", "-m", "qwen2.5-vl-7b", "--size", "1024x1024", "--set", "max_pixels=5")
    assert ended.code == 3
    assert "min_pixels=3136 is more than max_pixels=5" in ended.out


def test_settings_of_a_server_and_a_file_of_cards(vlmops, tmp_path):
    args = ("estimate", "-m", "qwen2.5-vl-7b", "--size", "1920x1080", "--json")
    assert json.loads(vlmops(*args, "--set", "max_pixels=200704").out)["image_tokens"] == 254
    cards = tmp_path / "cards.toml"
    cards.write_text('[cards.mine]\nlike = "gpt-4o"\nnames = ["mine"]\n')
    told = vlmops("estimate", "-m", "mine", "--size", "512x512", "--cards", str(cards), "--json")
    assert json.loads(told.out)["image_tokens"] == 255


def test_a_dataset(vlmops, folder):
    ended = vlmops(
        "estimate", str(folder), "-m", "gpt-4o", "-m", "my-model", "--prompt", "How many?", "--json"
    )
    told = json.loads(ended.out)
    assert (ended.code, told["samples"]) == (3, 3)
    gpt, unknown = told["models"]
    assert gpt["image_tokens"] == 3 * 255
    assert gpt["cost"] > 0
    assert (unknown["image_tokens"], unknown["cost"]) == (None, None)


def test_a_dataset_for_people(vlmops, folder):
    (folder / "broken.png").write_bytes(b"no picture")
    ended = vlmops("estimate", str(folder), "-m", "gpt-4o", "-m", "pixtral-12b", "--rpm", "1")
    assert ended.code == 3
    assert "price unknown" in ended.out
    assert "765" in ended.out
    assert "3 min 00 s" in ended.out
    assert "broken.png" in ended.out
    assert "one token for every four bytes" in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "gpt-4o"), "say what to estimate"),
        (("scenes", "-m", "gpt-4o", "--size", "1x1"), "leave out one of the two"),
        (("-m", "", "--size", "5x5"), "--model '' names no model"),
        (("-m", "openai:", "--size", "5x5"), "--model 'openai:' names no model"),
        (("-m", "gpt-4o", "--size", "99999999999x5"), "write width and height"),
        (("-m", "gpt-4o", "--size", "-5x5"), "write width and height"),
        (("-m", "gpt-4o", "--size", "5x5", "--set", "max_pixels=7"), "no model here has that setting"),
        (("-m", "qwen2.5-vl-7b", "--size", "5x5", "--set", "max_pixel=7"), "did you mean 'max_pixels'?"),
        (("-m", "gpt-4o", "--size", "1024"), "--size is '1024': write width and height"),
        (("-m", "gpt-4o", "--size", "0x5"), "--size is '0x5'"),
        (("-m", "gpt-4o", "--size", "5x5", "--detail", "finest"), "gpt-4o has no detail 'finest'"),
        (("-m", "gpt-4o", "--size", "5x5", "--set", "x"), "write name=value"),
        (("-m", "gpt-4o", "--size", "5x5", "--set", "x=y"), "neither a number"),
        (("-m", "gpt-4o", "--size", "5x5", "--cards", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("nowhere", "-m", "gpt-4o", "--schema", "nowhere.json"), "nowhere"),
    ],
)
def test_mistakes_are_one_line(vlmops, arguments, said):
    ended = vlmops("estimate", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.lines) == 1
