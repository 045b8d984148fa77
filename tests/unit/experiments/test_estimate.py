"""What an experiment will take: sums over pictures, text, answers; cost, time; and how far off it was."""

import io
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from vlmops import Image, ImageDataset, Sample
from vlmops.engine import Limits
from vlmops.errors import ImageError, UsageError
from vlmops.evaluators import Case, Failure, FailureKind, Usage
from vlmops.experiments import drift, estimate, estimate_picture, record_drift
from vlmops.experiments.picture_size import picture_size
from vlmops.models import ModelRequest, create
from vlmops.models.cards import CardEstimator, card_of, text_tokens
from vlmops.platforms.records import ExperimentRecord, Run


def picture(width, height):
    return Image.from_pil(Pillow.new("1", (width, height)))


def dataset(*sizes, **inputs):
    samples = [Sample(str(at), {"image": picture(*size), **inputs}) for at, size in enumerate(sizes)]
    return ImageDataset.from_samples("scenes", samples)


def test_sums_of_pictures_text_and_answers():
    done = estimate(
        dataset((1024, 1024), (512, 512), kind="coins"),
        ["gpt-4o", "openai:claude-opus-5"],
        prompt="How many {kind}?",
        repetitions=3,
        output_tokens=10,
    )
    assert (done.dataset, done.samples, done.pictures, done.unusable) == ("scenes", 2, 2, 0)
    gpt, claude = done.models
    assert (gpt.calls, gpt.pictures) == (6, 6)
    assert gpt.image_tokens == 3 * (765 + 255)
    assert gpt.text_tokens == 3 * 2 * 4
    assert gpt.input_tokens == gpt.image_tokens + gpt.text_tokens
    assert gpt.output_tokens == 60
    assert gpt.cost == pytest.approx((gpt.input_tokens * 2.5 + 60 * 10) / 1e6)
    assert (gpt.certainty, gpt.dated, gpt.price_dated) == ("source", "2026-11-22", "2026-11-22")
    assert claude.image_tokens == 3 * (37 * 37 + 19 * 19)


def test_the_samples_own_question_counts_and_so_does_the_schema():
    (row,) = estimate(dataset((512, 512), question="How many coins?"), ["gpt-4o"]).models
    assert row.text_tokens == 4
    (schema,) = estimate(dataset((512, 512)), ["gpt-4o"], schema={"type": "object"}).models
    assert schema.text_tokens == text_tokens(json.dumps({"type": "object"}))


def test_what_is_not_known_is_said_and_not_taken_for_nothing():
    unknown, weights = estimate(dataset((512, 512)), ["my-model", "Qwen/Qwen2.5-VL-7B-Instruct"]).models
    assert (unknown.card, unknown.image_tokens, unknown.input_tokens, unknown.cost) == ("", None, None, None)
    assert "no card" in unknown.problem
    assert weights.image_tokens == 18 * 18 + 2
    assert (weights.cost, weights.problem) == (None, "price unknown")


def test_a_model_that_runs_here_takes_nothing_but_time():
    (row,) = estimate(dataset((512, 512)), [Local()], latency=3.0).models
    assert (row.image_tokens, row.output_tokens, row.cost, row.seconds, row.problem) == (0, 0, 0.0, 3.0, "")
    (named,) = estimate(dataset((512, 512)), ["rapidocr"]).models
    assert (named.cost, named.problem) == (0.0, "")
    assert estimate_picture("rapidocr", 10, 10).image_tokens == 0


class Local:
    name, local = "local", True

    async def answer(self, request):
        raise AssertionError("an estimate asks nobody")


def test_refused_shrunk_and_too_long():
    (row,) = estimate(dataset((8000, 6000), (100, 100)), ["gpt-5.6-sol"]).models
    assert (row.rejected, row.image_tokens) == (1, 20)
    (row,) = estimate(dataset((9000, 100), (100, 100)), ["claude-opus-5"]).models
    assert row.shrunk == 1
    (row,) = estimate(dataset((2000, 1000)), ["gpt-4o"], max_side=512).models
    assert (row.shrunk, row.image_tokens) == (1, 255)
    table = {"models": {"gpt-4o": {"context_window": 500}}}
    (row,) = estimate(dataset((1024, 1024), (64, 64)), ["gpt-4o"], cards=table).models
    assert row.too_long == 1


def test_time_is_that_of_the_tightest_limit():
    def seconds(**limits):
        (row,) = estimate(
            dataset(*[(512, 512)] * 10), ["gpt-4o"], latency=2.0, limits=Limits(**limits)
        ).models
        return row.seconds

    assert seconds(concurrency=4) == 6.0
    assert seconds(concurrency=10, requests_per_minute=30) == 20.0
    assert seconds(concurrency=10, tokens_per_minute=1000) == pytest.approx(10 * (255 + 500) / 1000 * 60)


def test_detail_holds_where_there_is_one_and_must_exist():
    gpt, claude = estimate(dataset((1024, 1024)), ["gpt-4o", "claude-opus-5"], detail="low").models
    assert (gpt.image_tokens, claude.image_tokens) == (85, 37 * 37)
    assert "no such setting: detail 'low' changes nothing" in claude.note
    assert "no such setting" not in gpt.note
    assert "changes nothing" in estimate_picture("rapidocr", 5, 5, detail="high").note
    assert "no such setting" not in estimate_picture("claude-opus-5", 5, 5).note
    with pytest.raises(UsageError, match="gpt-4o has no detail 'original'"):
        estimate(dataset((1024, 1024)), ["gpt-4o"], detail="original")
    with pytest.raises(UsageError, match="repetitions is 0"):
        estimate(dataset((1024, 1024)), ["gpt-4o"], repetitions=0)


def test_a_models_own_settings_hold():
    made = create("openai:prod", card="gpt-4o", detail="low")
    (row,) = estimate(dataset((1024, 1024)), [made]).models
    assert (row.model, row.image_tokens) == ("openai:prod", 85)


def test_settings_of_the_server_count_for_models_that_have_them():
    given = {"max_pixels": 256 * 28 * 28}
    qwen, gpt = estimate(
        dataset((1920, 1080)), ["Qwen/Qwen2.5-VL-7B-Instruct", "gpt-4o"], parameters=given
    ).models
    assert (qwen.image_tokens, gpt.image_tokens) == (254, 1105)


def test_unusable_samples_are_counted_apart(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    samples = [
        Sample("1", {"image": picture(512, 512), "kind": "coins"}),
        Sample("2", {"image": Image.from_path(tmp_path / "broken.png"), "kind": "coins"}),
        Sample("3", {"image": Image.from_url("https://host.test/a.png"), "kind": "coins"}),
        Sample("4", {"image": picture(512, 512)}),
    ]
    done = estimate(ImageDataset.from_samples("scenes", samples), ["gpt-4o"], prompt="How many {kind}?")
    assert (done.samples, done.unusable) == (1, 3)
    assert done.models[0].image_tokens == 255
    broken, remote, nameless = done.problems
    assert "broken.png: not a picture" in broken
    assert "not known without fetching it" in remote
    assert "the prompt names 'kind'" in nameless


def test_progress_is_told():
    told = []
    estimate(dataset((8, 8), (8, 8)), ["gpt-4o"], progress=told.append)
    assert told == [1, 2]


def test_one_picture():
    done = estimate_picture("gpt-4o", 2048, 4096, detail="high")
    assert (done.image_tokens, done.counted.tiles, done.cost) == (1105, 6, pytest.approx(1105 * 2.5e-6))
    unknown = estimate_picture("my-model", 10, 10)
    assert (unknown.image_tokens, unknown.counted) == (None, None)
    assert "no card" in unknown.problem
    for model, side, why in (("gpt-5.6", 8000, "more than 30000"), ("qwen3-vl", 20, "200 times")):
        refused = estimate_picture(model, 6000, side)
        assert why in refused.problem
        assert (refused.image_tokens, refused.cost) == (None, None)
    with pytest.raises(UsageError, match="positive sides"):
        estimate_picture("gpt-4o", 0, 1)


def encoded(kind, size, orientation=1, **save):
    out = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.new("RGB", size).save(out, kind, exif=exif, **save)
    return out.getvalue()


def png_with_exif_last(size, orientation):
    """A PNG whose orientation stands after its pixels."""
    data = encoded("PNG", size)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\x00\x00")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    end = data.rindex(b"IEND") - 4
    bare = data[:end]
    at = bare.find(b"eXIf")
    if at > 0:
        length = int.from_bytes(bare[at - 4 : at], "big")
        bare = bare[: at - 4] + bare[at + 8 + length :]
    return bare + chunk + data[end:]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "late PNG"])
def test_headers_tell_the_size_as_seen(tmp_path, kind, orientation):
    data = (
        png_with_exif_last((40, 20), orientation)
        if kind == "late PNG"
        else encoded(kind, (40, 20), orientation)
    )
    path = tmp_path / "picture"
    path.write_bytes(data)
    assert picture_size(Image.from_path(path)) == Image.from_bytes(data).size
    assert picture_size(Image.from_path(path)) == ((20, 40) if orientation > 4 else (40, 20))


def test_no_more_than_the_header_is_read(tmp_path):
    path = tmp_path / "large.jpg"
    whole = encoded("JPEG", (400, 300))
    path.write_bytes(whole[: whole.index(b"\xff\xda") + 20] + bytes(1000))
    image = Image.from_path(path)
    assert picture_size(image) == (400, 300)
    assert not image.is_known


@settings(deadline=None, max_examples=60)
@given(cut=st.integers(0, 400), kind=st.sampled_from(("JPEG", "PNG", "GIF", "WEBP")))
def test_damaged_files_are_errors_or_agree_with_a_closer_look(tmp_path_factory, cut, kind):
    out = io.BytesIO()
    Pillow.new("RGB", (40, 20)).save(out, kind)
    path = tmp_path_factory.mktemp("cut") / "picture"
    path.write_bytes(out.getvalue()[:cut])
    try:
        size = picture_size(Image.from_path(path))
    except ImageError:
        with pytest.raises(ImageError):
            _ = Image.from_path(path).size
    else:
        assert size == (40, 20) == Image.from_path(path).size


def test_an_empty_and_a_missing_file(tmp_path):
    (tmp_path / "empty.png").touch()
    for name in ("empty.png", "missing.png"):
        with pytest.raises(ImageError, match=name):
            picture_size(Image.from_path(tmp_path / name))


def record(*cases):
    return ExperimentRecord("1", "scenes", "", "d", "v", [Run(case, 1, []) for case in cases])


def test_drift_sets_measured_beside_expected():
    (row,) = estimate(dataset((1024, 1024)), ["gpt-4o"], prompt="How many?", output_tokens=10).models
    found = drift(
        row,
        record(
            Case("3", usage=Usage(input_tokens=1000, output_tokens=5, cost=0.004), latency=4.0),
            Case("4", usage=Usage(input_tokens=1200, output_tokens=15), latency=8.0),
            Case("5"),
            Case(Failure(FailureKind.TIMEOUT, "late"), usage=Usage(input_tokens=9), latency=600.0),
        ),
        latency=5.0,
    )
    rows = {one.name: one for one in found}
    assert rows["input_tokens"].expected == row.input_tokens
    assert (rows["input_tokens"].measured, rows["input_tokens"].n) == (1100, 2)
    assert rows["input_tokens"].ratio == pytest.approx(1100 / row.input_tokens)
    assert rows["output_tokens"].ratio == 1.0
    assert (rows["cost"].measured, rows["cost"].n) == (0.004, 1)
    assert (rows["image_tokens"].measured, rows["image_tokens"].ratio) == (None, None)
    assert (rows["latency"].measured, rows["latency"].ratio) == (6.0, 1.2)


def test_drift_where_nothing_was_expected():
    (row,) = estimate(dataset((10, 10)), ["my-model"]).models
    rows = {one.name: one for one in drift(row, record(Case("3", usage=Usage(input_tokens=9))))}
    assert (rows["input_tokens"].expected, rows["input_tokens"].ratio) == (None, None)


def ran_with(metadata, *cases):
    return ExperimentRecord(
        "1", "scenes", "", "d", "v", [Run(case, 1, []) for case in cases], metadata=metadata
    )


def test_an_experiment_is_held_against_the_estimate_for_what_it_answered():
    inputs = {"image": picture(1024, 1024)}
    inputs["image"].sha256  # noqa: B018 - what has run knows its pictures
    told = {
        "model": "openai:gpt-4o",
        "prompt": "How many?",
        "options": {"detail": "low"},
        "parameters": {"max_tokens": 7},
    }
    answered = Case("3", inputs=inputs, id="1", usage=Usage(input_tokens=90, output_tokens=2), latency=1.0)
    failed = Case(Failure(FailureKind.TIMEOUT, "late"), inputs=inputs, id="2")
    rows = {one.name: one for one in record_drift(ran_with(told, answered, failed))}
    assert (rows["image_tokens"].expected, rows["input_tokens"].expected) == (85, 88)
    assert (rows["output_tokens"].expected, rows["output_tokens"].measured) == (7, 2)
    assert rows["input_tokens"].n == 1


@pytest.mark.parametrize("told", [{}, {"model": "rapidocr"}, {"model": 3}, {"model": "nobody's"}])
def test_nothing_is_expected_of_models_without_a_card(told):
    assert record_drift(ran_with(told, Case("3", inputs={}, id="1"))) == []


def test_a_prompt_that_a_platform_has_cut_says_nothing_of_tokens():
    case = Case("3", inputs={}, id="1", usage=Usage(input_tokens=900, output_tokens=2))
    cut = {"model": "gpt-4o", "prompt": "Count " * 33 + "…"}
    rows = {one.name: one for one in record_drift(ran_with(cut, case))}
    assert (rows["input_tokens"].expected, rows["cost"].expected) == (None, None)
    rows = {one.name: one for one in record_drift(ran_with(cut, case), {**cut, "prompt": "Count…"})}
    assert rows["input_tokens"].expected == 2


def test_the_engines_estimator_counts_alike():
    model = create("openai:gpt-4o", detail="low", parameters={"max_completion_tokens": 7})
    request = ModelRequest("How many?", (picture(1024, 1024),))
    expected = CardEstimator().expected(model, request)
    assert (expected.image_tokens, expected.output_tokens) == (85, 7)
    assert expected.input_tokens == 85 + text_tokens("How many?")
    assert expected.cost == card_of("gpt-4o").cost(input_tokens=expected.input_tokens, output_tokens=7)
    unknown = CardEstimator(output_tokens=3, picture_tokens=9).expected(create("openai:mine"), request)
    assert (unknown.image_tokens, unknown.output_tokens, unknown.cost) == (9, 3, None)
