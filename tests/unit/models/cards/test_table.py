"""Finding a model's card by its name, correcting the table by a file, and what cards cost."""

import textwrap

import pytest

from vlmops.errors import UsageError
from vlmops.models.cards import CardTable, card_of


@pytest.mark.parametrize(
    ("model", "card"),
    [
        ("gpt-4o-2024-11-20", "gpt-4o"),
        ("chatgpt-4o-latest", "gpt-4o"),
        ("openai:gpt-4o", "gpt-4o"),
        ("openai/gpt-4.1", "gpt-4o"),
        ("azure/eu/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("ft:gpt-4o-mini-2024-07-18:acme::x1", "gpt-4o-mini"),
        ("openrouter/openai/gpt-5.1:free", "gpt-5"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("gpt-5.4-nano", "gpt-5.4-mini"),
        ("gpt-5.6-luna", "gpt-5.6"),
        ("gpt-6-astra", "gpt-6-astra"),
        ("gpt-6.1-sol", "gpt-6"),
        ("o1-pro-2025-03-19", "o1"),
        ("anthropic/claude-3-5-sonnet-20241022", "claude"),
        ("claude-opus-4-20250514", "claude"),
        ("claude-opus-4-6", "claude"),
        ("claude-opus-4-7-20260416", "claude-high"),
        ("claude-sonnet-4.8", "claude-high"),
        ("claude-haiku-5-5", "claude-high"),
        ("claude-opus-4-7-thinking", "claude-high"),
        ("claude-opus-4-7-20260416-1m", "claude-high"),
        ("claude-opus-4-7[1m]", "claude-high"),
        ("claude-4.7-opus", "claude-high"),
        ("claude-5-opus-latest", "claude-high"),
        ("claude-opus-10", "claude-high"),
        ("claude-4-sonnet-20250514", "claude"),
        ("claude-sonnet-4-5-thinking", "claude"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude"),
        ("vertex_ai/claude-opus-5@20260601", "claude-high"),
        ("models/gemini-2.5-pro", "gemini"),
        ("gemini-1.5-flash-002", "gemini"),
        ("google/gemini-3-flash-preview", "gemini-3"),
        ("Qwen/Qwen2-VL-7B-Instruct", "qwen2.5-vl"),
        ("qwen2.5vl:7b", "qwen2.5-vl"),
        ("accounts/fireworks/models/qwen2p5-vl-32b-instruct", "qwen2.5-vl"),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct-FP8", "qwen3-vl"),
        ("Qwen3.5-397B-A17B", "qwen3-vl"),
        ("llama4:scout", "llama-4"),
        ("mistralai/Pixtral-Large-Instruct-2411", "pixtral"),
        ("mistral/mistral-medium-latest", "mistral"),
        ("OpenGVLab/InternVL3_5-8B", "internvl"),
        ("gemma3:27b", "gemma-3"),
        ("google/gemma-4-31b-it", "gemma-4"),
        ("moonshotai/Kimi-K2.5", "kimi"),
    ],
)
def test_names_lead_to_their_family(model, card):
    assert card_of(model).name == card


@pytest.mark.parametrize(
    "model",
    [
        "",
        "my-model",
        "rapidocr",
        "gpt-3.5-turbo",
        "gpt-4o-audio-preview",
        "text-embedding-3-large",
        "claude-2.1",
        "Qwen/Qwen3-8B",
        "Qwen/Qwen2.5-7B-Instruct",
        "gemma-3-1b-it",
        "mistral-small-2409",
        "ministral-8b-2410",
        "kimi-k2-0905-preview",
        "llama-3.1-405b",
    ],
)
def test_unknown_names_have_no_card(model):
    assert card_of(model) is None


def test_every_row_says_where_and_when_it_was_read():
    table = CardTable.built_in()
    for name in table.names:
        card = table.named(name)
        assert card.counting, name
        assert (card.source, card.dated) != ("", ""), name
    for model in ("gpt-4o", "claude-opus-5", "gemini-2.5-pro"):
        price = card_of(model).price
        assert price.source
        assert price.dated == "2026-11-22"


def test_uncertain_rows_say_so():
    certainty = {name: CardTable.built_in().named(name).certainty for name in CardTable.built_in().names}
    assert certainty["gpt-5.4-mini"] == "disputed"
    assert certainty["gpt-6"] == "assumed"
    assert certainty["gemini-3"] == "reported"
    assert certainty["gpt-5-mini"] == "measured"


def test_the_box_convention_is_that_of_the_model():
    assert card_of("gemini-2.5-pro").convention.name == "gemini"
    assert card_of("claude-opus-5").convention.name == "claude-high"
    assert card_of("gpt-4o").convention is None


def test_a_snapshot_with_a_price_of_its_own_keeps_it():
    assert card_of("gpt-4o-2024-05-13").price.input == 5.0
    assert card_of("gpt-4o-2024-08-06").price.input == 2.5
    assert card_of("Qwen/Qwen3-VL-32B-Instruct").price is None
    assert card_of("dashscope/qwen3-vl-32b-instruct").price.output == 0.64


def test_cost_of_tokens_in_out_cached_and_long():
    card = card_of("gpt-5.4")
    assert card.cost(input_tokens=1_000_000 // 10, output_tokens=1000) == pytest.approx(0.25 + 0.015)
    cached = card.cost(input_tokens=100_000, cached_tokens=80_000)
    assert cached == pytest.approx(20_000 * 2.5e-6 + 80_000 * 0.25e-6)
    assert card.cost(input_tokens=300_000, output_tokens=1000) == pytest.approx(1.5 + 0.0225)
    assert card_of("o1-pro").cost(input_tokens=10, cached_tokens=10) == pytest.approx(10 * 150e-6)
    assert card_of("qwen3-vl").cost(input_tokens=10) is None


def test_pictures_may_have_a_price_of_their_own():
    table = CardTable.built_in().extended(
        {
            "cards": {"ours": {"like": "gpt-4o", "names": ["ours"]}},
            "models": {"ours": {"input": 1.0, "output": 2.0, "image": 10.0}},
        }
    )
    cost = table.card_of("ours").cost(input_tokens=1000, image_tokens=765)
    assert cost == pytest.approx((235 * 1.0 + 765 * 10.0) / 1e6)


def file(tmp_path, text):
    path = tmp_path / "cards.toml"
    path.write_text(textwrap.dedent(text))
    return path


def test_a_file_adds_rows_and_corrects_keys(tmp_path, monkeypatch):
    path = file(
        tmp_path,
        """
        [cards.prod]
        like = "gpt-4o"
        names = ["prod-vision-.*"]
        max_side = 1000

        [cards.gpt-4o]
        parameters = { tile = 171 }

        [models."gpt-4o"]
        input = 3.0
        dated = 2027-01-01
        """,
    )
    monkeypatch.setenv("VLMOPS_MODEL_CARDS", str(path))
    own = card_of("prod-vision-eu")
    assert (own.name, own.max_side, own.price) == ("prod", 1000, None)
    assert own.image_tokens(1024, 1024).tokens == 85 + 4 * 171
    corrected = card_of("gpt-4o-2024-11-20")
    assert (corrected.price.input, corrected.price.output, corrected.price.dated) == (3.0, 10.0, "2027-01-01")
    assert corrected.max_images == 500
    monkeypatch.delenv("VLMOPS_MODEL_CARDS")
    assert card_of("gpt-4o").price.input == 2.5
    assert card_of("gpt-4o", cards=file(tmp_path, "[models.gpt-4o]\ninput = 9.0")).price.input == 9.0


def test_another_rule_starts_anew():
    table = CardTable.built_in().extended(
        {"cards": {"gpt-4o": {"rule": "flat", "parameters": {"tokens": 7}}}}
    )
    card = table.card_of("gpt-4o")
    assert card.details == ()
    assert card.image_tokens(10, 10).tokens == 7


def test_an_explicit_card_serves_a_deployment():
    card = CardTable.built_in().named("gpt-4.1-mini", "deployment-7")
    assert (card.model, card.price.input) == ("deployment-7", 0.4)
    with pytest.raises(UsageError, match="no model card is named 'gtp-4o'; there are: claude"):
        CardTable.built_in().named("gtp-4o")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[card.x]", "card: no such table; there are: cards, models"),
        ("[cards]\nx = 1", "cards.x: must be a table"),
        ("[cards.x]\nlik = 'gpt-4o'", "cards.x.lik: Extra inputs are not permitted"),
        ("[cards.x]\nlike = 'gtp'", "cards.x.like: no card is named 'gtp'"),
        ("[cards.x]\nlike = 'x'", "cards.x.like: x -> x leads back to itself"),
        ("[cards.x]\nnames = ['(']", r"cards.x.names: '\(' is no regular expression"),
        ("[cards.x]\nrule = 'tile'", "cards.x.rule: no rule 'tile'; there are: budget"),
        ("[cards.x]\nrule = 'tiles'", "cards.x.parameters.base: Field required"),
        (
            "[cards.x]\nrule = 'qwen'\nparameters = { facto = 3 }",
            "cards.x.parameters.facto: Unexpected keyword argument",
        ),
        (
            "[cards.x]\nlike = 'gpt-4o'\ndetails = { high = { tile = 'many' } }",
            "cards.x.details.high.tile: Input should be a valid integer",
        ),
        ("[cards.x]\nrule = 'qwen'\ndetails = { auto = 'high' }", "cards.x: details.auto must name one"),
        ("[cards.x]\nconvention = 'yx'", "cards.x.convention: no convention is named 'yx'"),
        ("[cards.x]\ncertainty = 'sure'", "cards.x.certainty: Input should be 'documented'"),
        ("[models.x]\ninput = -1", "models.x.input: Input should be greater than or equal to 0"),
        ("[models.x]\nlong = { over = 1 }", "models.x.long.input: Field required"),
        ("[cards.x", "is not TOML"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path, text, message):
    path = file(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        card_of("gpt-4o", cards=path)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"nowhere\.toml cannot be read"):
        card_of("gpt-4o", cards=tmp_path / "nowhere.toml")
    monkeypatch.setenv("VLMOPS_MODEL_CARDS", str(tmp_path / "nowhere.toml"))
    with pytest.raises(UsageError, match=r"VLMOPS_MODEL_CARDS: .*nowhere\.toml cannot be read"):
        card_of("gpt-4o")
