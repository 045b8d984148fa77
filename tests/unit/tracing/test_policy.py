"""What may leave the process of a picture."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from PIL import Image as PILImage
from recorded_spans import jpeg, png

from vlmops.errors import ImageError, UsageError
from vlmops.images import Image
from vlmops.tracing import FoundPicture
from vlmops.tracing.policy import PicturePolicy
from vlmops.tracing.redaction import Redaction

FOUND = FoundPicture("data:", "", "input", "input.value")


def private(size=(400, 300)) -> Image:
    """A turned picture with a place, a comment and an author."""
    exif = PILImage.Exif()
    exif[0x0112], exif[0x013B] = 6, "Jane"
    exif.get_ifd(0x8825)[1] = "N"
    return Image.from_bytes(jpeg(size, exif=exif.tobytes(), comment=b"secret place"))


@pytest.mark.parametrize("level", ["full", "thumbnail"])
def test_metadata_never_leaves(level):
    image = private()
    assert image.facts.has_gps
    treated = PicturePolicy(level=level).treat(image, FOUND)
    assert not treated.image.facts.has_gps
    assert b"Jane" not in treated.image.read()
    assert b"secret" not in treated.image.read()
    assert (treated.image.width > treated.image.height) == (image.width > image.height)


def test_full_keeps_pixels_and_clean_pictures_as_they_are():
    clean = Image.from_bytes(png((300, 300)))
    assert PicturePolicy().treat(clean, FOUND).image is clean
    image = private()
    treated = PicturePolicy().treat(image, FOUND)
    assert treated.image.pixel_hash() == image.pixel_hash()
    assert treated.kept.facts.sha256 == image.sha256
    assert (treated.kept.facts.width, treated.kept.facts.orientation) == (300, 6)
    assert "turned by EXIF" in treated.kept.facts.warnings


def test_thumbnails_are_small_and_facts_are_of_the_picture_as_sent():
    treated = PicturePolicy(level="thumbnail", thumbnail_side=64).treat(
        Image.from_bytes(png((640, 480))), FOUND
    )
    assert treated.image.size == (64, 48)
    assert (treated.kept.facts.width, treated.kept.facts.kept) == (640, "thumbnail")


def test_hash_only_keeps_the_hash_and_none_not_even_that():
    image = Image.from_bytes(png())
    hashed = PicturePolicy(level="hash").treat(image, FOUND)
    assert (hashed.image, hashed.kept.facts.sha256) == (None, image.sha256)
    assert hashed.kept.reference == f"[picture not kept by policy: sha256 {image.sha256[:12]}...]"
    nothing = PicturePolicy(level="none").treat(image, FOUND)
    assert (nothing.image, nothing.kept.facts.sha256, nothing.kept.facts.width) == (None, None, 48)


def test_level_by_environment_and_share_of_traces():
    policy = PicturePolicy(level="none", environments={"staging": "full"}, share=0.25)
    assert policy.level_for("ab" * 16, "production") == "none"
    traces = [f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}" for number in range(1, 2001)]
    levels = [policy.level_for(trace, "staging") for trace in traces]
    assert levels == [policy.level_for(trace, "staging") for trace in traces]
    assert 0.2 < levels.count("full") / len(levels) < 0.3
    assert set(levels) == {"full", "hash"}
    assert all(PicturePolicy(share=1.0).level_for(trace) == "full" for trace in [*traces, "f" * 32])
    assert all(PicturePolicy(share=0.0).level_for(trace) == "hash" for trace in [*traces, "0" * 32])


@pytest.mark.parametrize(
    "setting",
    [
        {"level": "all"},
        {"environments": {"a": "some"}},
        {"share": 1.5},
        {"redact_timeout": 0},
        {"thumbnail_side": 0},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(UsageError, match="PicturePolicy"):
        PicturePolicy(**setting)


def test_regions_are_unreadable_and_the_rest_stays():
    text = np.zeros((200, 300, 3), np.uint8)
    text[::2, 50:150] = 255  # fine stripes, as of print
    image = Image.from_array(text)
    policy = PicturePolicy(
        redact=lambda image, found: Redaction.blur([(40, 0, 160, 100), (290, 190, 900, 900)])
    )
    treated = policy.treat(image, FOUND)
    after = treated.image.to_array()
    assert treated.kept.facts.kept == "blurred"
    assert treated.kept.facts.sha256 == image.sha256
    assert np.ptp(after[10:90, 60:140]) < 40
    assert (after[110:, :] == text[110:, :])[:70, :280].all()


def test_a_hook_may_keep_shrink_or_drop():
    image = Image.from_bytes(png((640, 480)))
    decide = {"keep": Redaction.keep(), "thumbnail": Redaction.thumbnail(), "drop": Redaction.drop("a face")}
    kept, small, dropped = (
        PicturePolicy(redact=lambda image, found, answer=answer: answer).treat(image, FOUND)
        for answer in decide.values()
    )
    assert kept.image is image
    assert small.image.size == (320, 240)
    assert dropped.image is None
    assert dropped.kept.reference == "[picture not kept: a face]"
    assert dropped.kept.facts.sha256 is None


def test_no_regions_found_keeps_the_picture():
    image = Image.from_bytes(png((300, 300)))
    assert PicturePolicy(redact=lambda image, found: Redaction.blur([])).treat(image, FOUND).image is image


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (lambda image, found: 1 / 0, "the redaction hook raised ZeroDivisionError"),
        (lambda image, found: exit(), "the redaction hook raised SystemExit"),
        (lambda image, found: None, "the redaction hook answered NoneType, not a Redaction"),
        (lambda image, found: "keep", "the redaction hook answered str, not a Redaction"),
    ],
)
def test_a_failing_hook_never_leaks(hook, reason):
    treated = PicturePolicy(redact=hook).treat(Image.from_bytes(png()), FOUND)
    assert (treated.image, treated.kept.reason) == (None, reason)


def test_a_slow_hook_never_leaks_and_does_not_pile_up_threads():
    over = threading.Event()
    started = threading.active_count()
    policy = PicturePolicy(redact=lambda image, found: over.wait(30), redact_timeout=0.05)
    reasons = [policy.treat(Image.from_bytes(png()), FOUND).kept.reason for _ in range(8)]
    assert reasons[:4] == ["the redaction hook took longer than 0.05 s"] * 4
    assert reasons[4:] == ["the redaction hook does not return"] * 4
    assert threading.active_count() - started <= 4
    over.set()
    while threading.active_count() > started:
        time.sleep(0.01)


def test_hash_and_none_do_not_ask_the_hook():
    asked = []
    for level in ("hash", "none"):
        PicturePolicy(level=level, redact=lambda image, found: asked.append(1)).treat(
            Image.from_bytes(png()), FOUND
        )
    assert asked == []


def test_what_is_no_picture_is_an_error():
    with pytest.raises(ImageError, match="HTML"):
        PicturePolicy().treat(Image.from_bytes(b"<html>" * 20), FOUND)
