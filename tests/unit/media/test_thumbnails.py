import io
import os
import threading
from contextlib import suppress

import PIL.Image
import PIL.ImageCms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import ImageError, UsageError
from vlmops.media import MediaNotFound
from vlmops.media.address import MediaAddress
from vlmops.media.thumbnail_cache import DiskCache, MemoryCache
from vlmops.media.thumbnails import LADDER, Thumbnails, ladder_width, render_thumbnail


def rendered(data, width=128):
    return PIL.Image.open(io.BytesIO(render_thumbnail(io.BytesIO(data), width)))


class TestLadder:
    @given(st.integers(1, LADDER[-1]))
    def test_rounds_up_to_the_next_rung(self, width):
        rung = ladder_width(str(width))

        assert rung in LADDER
        assert rung >= width
        assert all(other < width for other in LADDER if other < rung)

    @given(st.text())
    def test_anything_else_is_refused(self, text):
        with suppress(UsageError):
            assert ladder_width(text) in LADDER

    @pytest.mark.parametrize("text", ["", "0", "-1", "2049", "1e3", "64.0", " 64", "٦٤", "²", "9" * 5000])
    def test_nonsense(self, text):
        with pytest.raises(UsageError):
            ladder_width(text)


class TestRendering:
    def test_keeps_the_shape(self, encode):
        assert rendered(encode(400, 300)).size == (128, 96)

    @pytest.mark.parametrize("width", [127, 128])
    def test_never_enlarges(self, encode, width):
        assert render_thumbnail(io.BytesIO(encode(width, 999)), 128) == b""

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
    def test_is_upright(self, kind, orientation):
        upright = PIL.Image.new("RGB", (400, 200), "white")
        upright.paste("red", (0, 0, 100, 100))
        back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
        lying = upright.transpose(back[orientation]) if orientation in back else upright
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        file = io.BytesIO()
        lying.save(file, kind, exif=exif)

        thumbnail = rendered(file.getvalue()).convert("RGB")

        assert thumbnail.size == (128, 64)
        red, green, _ = thumbnail.getpixel((10, 10))
        assert red > 200 > 60 > green
        assert min(thumbnail.getpixel((118, 54))) > 200

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_transparency_is_kept(self, encode, kind):
        thumbnail = rendered(encode(mode="RGBA", colour=(255, 0, 0, 0), kind=kind))

        assert thumbnail.convert("RGBA").getpixel((5, 5))[3] == 0

    @pytest.mark.parametrize(
        ("mode", "colour"), [("1", 1), ("L", 200), ("P", 3), ("CMYK", 0), ("I;16", 40_000)]
    )
    def test_modes(self, encode, mode, colour):
        kind = "TIFF" if mode == "CMYK" else "PNG"

        assert rendered(encode(mode=mode, colour=colour, kind=kind)).size == (128, 96)

    def test_sixteen_bits_are_scaled_not_clipped(self, encode):
        assert rendered(encode(mode="I;16", colour=32_768)).getpixel((5, 5)) == pytest.approx(128, abs=2)

    def test_first_frame_of_an_animation(self):
        frames = [PIL.Image.new("RGB", (300, 300), colour) for colour in ("red", "blue")]
        file = io.BytesIO()
        frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])

        red, _, blue = rendered(file.getvalue()).convert("RGB").getpixel((5, 5))

        assert red > 200 > 50 > blue

    def test_metadata_stays_behind(self):
        exif = PIL.Image.Exif()
        exif[0x010E] = "secret place"
        exif.get_ifd(0x8825)[1] = "N"
        file = io.BytesIO()
        PIL.Image.new("RGB", (400, 300)).save(file, "JPEG", exif=exif, comment=b"secret comment")

        data = render_thumbnail(io.BytesIO(file.getvalue()), 64)

        assert b"secret" not in data
        assert not PIL.Image.open(io.BytesIO(data)).getexif()

    def test_colour_profile_is_kept(self, encode):
        profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()

        assert rendered(encode(kind="JPEG", icc_profile=profile)).info["icc_profile"] == profile

    def test_truncated_picture(self):
        file = io.BytesIO()
        PIL.Image.effect_noise((400, 300), 50).save(file, "JPEG")

        with pytest.raises(ImageError, match="damaged"):
            render_thumbnail(io.BytesIO(file.getvalue()[:3000]), 64)

    def test_unknown_format_is_left_to_the_browser(self):
        assert render_thumbnail(io.BytesIO(b"no picture"), 64) == b""

    def test_bomb_is_not_decoded(self):
        file = io.BytesIO()
        PIL.Image.new("1", (9_100, 9_100)).save(file, "PNG")

        with pytest.raises(ImageError, match="pixels"):
            render_thumbnail(file, 64)

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_picture_or_an_error_of_ours(self, data):
        for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"BM"):
            with suppress(ImageError):
                render_thumbnail(io.BytesIO(head + data), 64)


class CountingStore:
    def __init__(self, store):
        self.store = store
        self.opened = 0

    def open(self, address):
        self.opened += 1
        return self.store.open(address)


class TestThumbnails:
    def test_is_rendered_once_for_many(self, folder_store, encode):
        address = folder_store.put(encode(1600, 1200), "image/png")
        store = CountingStore(folder_store)
        thumbnails = Thumbnails(store, MemoryCache())
        start = threading.Barrier(6)
        got = []

        def ask():
            start.wait()
            got.append(thumbnails.get(address, 256))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert store.opened == 1
        assert len({thumbnail.data for thumbnail in got}) == 1

    def test_is_found_on_disk_by_the_next_process(self, folder_store, png):
        address = folder_store.put(png, "image/png")
        Thumbnails(folder_store).get(address, 64)
        store = CountingStore(folder_store)
        store.root = folder_store.root

        thumbnail = Thumbnails(store, DiskCache(folder_store.root / ".thumbnails")).get(address, 64)

        assert (thumbnail.media_type, store.opened) == ("image/jpeg", 0)

    def test_that_none_is_needed_is_remembered(self, folder_store, encode):
        address = folder_store.put(encode(50, 50), "image/png")
        store = CountingStore(folder_store)
        thumbnails = Thumbnails(store, MemoryCache())

        assert thumbnails.get(address, 64) is None
        assert thumbnails.get(address, 64) is None
        assert store.opened == 1

    def test_svg_is_never_rasterised(self, folder_store):
        address = folder_store.put(b"<svg/>", "image/svg+xml")

        assert Thumbnails(folder_store).get(address, 64) is None

    def test_absent_picture(self, folder_store):
        with pytest.raises(MediaNotFound):
            Thumbnails(folder_store).get(MediaAddress("0" * 64, "image/png"), 64)

    def test_failure_is_not_kept(self, folder_store, encode):
        address = MediaAddress.of(encode(), "image/png")
        thumbnails = Thumbnails(folder_store)
        with pytest.raises(MediaNotFound):
            thumbnails.get(address, 64)

        folder_store.put(encode(), "image/png")

        assert thumbnails.get(address, 64)


class TestDiskCache:
    def test_forgets_what_is_unused_for_longest(self, tmp_path):
        cache = DiskCache(tmp_path / "cache", max_bytes=1000)
        for number in range(10):
            cache.put(f"{number}", bytes(100))
            os.utime(tmp_path / "cache" / f"{number}", (1_000_000 + number, 1_000_000 + number))
        assert cache.get("0")

        cache.put("new", bytes(100))

        assert cache.get("0")
        assert cache.get("new")
        assert cache.get("1") is None
        assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) <= 800

    def test_folder_that_cannot_be_written(self, tmp_path):
        (tmp_path / "file").touch()
        cache = DiskCache(tmp_path / "file")

        cache.put("a", b"x")

        assert cache.get("a") is None


def test_memory_cache_forgets_the_oldest():
    cache = MemoryCache(max_bytes=10)
    cache.put("a", bytes(4))
    cache.put("b", bytes(4))
    cache.get("a")
    cache.put("c", bytes(4))
    cache.put("large", bytes(11))

    assert [name for name in ("a", "b", "c", "large") if cache.get(name)] == ["a", "c"]
