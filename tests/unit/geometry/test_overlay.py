import io

import pytest
from PIL import Image as PilImage

from vlmops.geometry import Box, Overlay, Point, draw_overlay
from vlmops.geometry.overlay import EXPECTED_COLOR, PREDICTED_COLOR
from vlmops.images import Image


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (640, 480), (3000, 20), (4000, 3000)])
def test_both_sides_and_the_legend_show_at_any_size(size):
    width, height = size
    drawn = draw_overlay(
        PilImage.new("RGB", size, (90, 90, 90)),
        [Box(0, 0, width / 2, height, "cup" * 50)],
        [Box(width / 2, 0, width, height, "", 0.5), Point(width, height, "there")],
        "a note",
    )
    colors = {color for _, color in drawn.getcolors(maxcolors=drawn.width * drawn.height)}
    assert {EXPECTED_COLOR, PREDICTED_COLOR} <= colors
    assert 480 <= drawn.width <= 1600
    assert drawn.height < 1600


def test_an_overlay_is_drawn_only_when_it_is_read():
    picture = Image.from_pil(PilImage.new("RGB", (64, 48)))
    overlay = Overlay(picture, [Box(1, 1, 20, 20)], note="IoU 0.5")
    drawn = overlay.image()
    assert picture.source in overlay.description
    assert drawn.media_type == "image/png"
    assert PilImage.open(io.BytesIO(drawn.read())).size == drawn.size
