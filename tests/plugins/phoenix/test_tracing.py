"""Traces to Phoenix: pictures by URL, and OpenInference's socket."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from openinference.instrumentation import Blob, BlobUploader, load_blob_uploader
from openinference.instrumentation._blob_upload import is_valid_reference_uri
from PIL import Image as Pillow
from tracing_doubles import closed_gate, png, wait_until

from vlmops import Image
from vlmops.errors import MediaError
from vlmops.media import FolderStore, MediaAddress
from vlmops_phoenix.blob_uploader import PictureUploader
from vlmops_phoenix.settings import PhoenixSettings
from vlmops_phoenix.tracing import PhoenixTracing

IDS = {"trace_id": "0" * 31 + "1", "span_id": "0" * 15 + "1"}


@pytest.fixture
def settings(tmp_path: Path) -> PhoenixSettings:
    return PhoenixSettings(
        "http://phoenix:6006/base", {"authorization": "Bearer k"}, media_store=str(tmp_path / "media")
    )


def photograph() -> bytes:
    """A JPEG that says where it was taken."""
    buffer = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}
    exif[0x0112] = 6
    Pillow.open(io.BytesIO(png(side=128))).convert("RGB").save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def blob(data: bytes, media_type: str = "image/png") -> Blob:
    return Blob(data=data, mime_type=media_type)


def test_a_picture_is_kept_once_and_its_url_is_of_phoenixs_own_pages(
    settings: PhoenixSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts: list[str] = []
    real = FolderStore.put
    monkeypatch.setattr(FolderStore, "put", lambda store, *a: puts.append("put") or real(store, *a))
    tracing, image = PhoenixTracing(settings), Image.from_bytes(png())
    urls = {tracing.keep(image, field="input", **IDS) for _ in range(3)}
    assert urls == {f"/base/vlmops/media/{image.sha256}.png"}
    assert puts == ["put"]


def test_a_picture_that_was_not_kept_is_tried_again(
    settings: PhoenixSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracing, image = PhoenixTracing(settings), Image.from_bytes(png())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MediaError, match="No space left"):
        tracing.keep(image, field="input", **IDS)
    monkeypatch.undo()
    assert tracing.keep(image, field="input", **IDS)
    assert FolderStore(Path(settings.media_store or "")).has(MediaAddress(image.sha256, "image/png"))


def test_spans_go_to_phoenix_with_its_key(settings: PhoenixSettings) -> None:
    exporter = PhoenixTracing(settings).exporter()
    assert exporter._endpoint == "http://phoenix:6006/base/v1/traces"  # type: ignore[attr-defined]
    assert exporter._client._headers["authorization"] == "Bearer k"  # type: ignore[attr-defined]
    exporter.shutdown()


def test_the_uploader_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("openinference.instrumentation._blob_upload._UPLOADER_CACHE", {})
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", str(tmp_path))
    uploader = load_blob_uploader("vlmops")
    assert isinstance(uploader, PictureUploader)
    assert isinstance(uploader, BlobUploader)


def test_an_upload_gives_the_url_of_what_will_be_stored(settings: PhoenixSettings) -> None:
    uploader = PictureUploader(settings)
    url = uploader.upload(blob(png()))
    assert url == f"http://phoenix:6006/base/vlmops/media/{Image.from_bytes(png()).sha256}.png"
    assert is_valid_reference_uri(url)
    uploader.shutdown()
    store = FolderStore(Path(settings.media_store or ""))
    assert store.read(MediaAddress(Image.from_bytes(png()).sha256, "image/png")) == png()


def test_what_is_stored_says_nothing_of_its_place(settings: PhoenixSettings) -> None:
    uploader = PictureUploader(settings)
    url = uploader.upload(blob(photograph(), "image/jpeg"))
    uploader.shutdown()
    address = MediaAddress.parse((url or "").rpartition("/")[2])
    assert address is not None
    stored = FolderStore(Path(settings.media_store or "")).read(address)
    with Pillow.open(io.BytesIO(stored)) as picture:
        assert dict(picture.getexif()) == {0x0112: 6}


@pytest.mark.parametrize(
    "data", [b"", b"no picture at all", png()[:500], b"<svg></svg>"], ids=["empty", "text", "cut", "drawing"]
)
def test_what_cannot_be_taken_is_refused_and_nothing_raises(settings: PhoenixSettings, data: bytes) -> None:
    uploader = PictureUploader(settings)
    found = uploader.upload(blob(data))
    uploader.shutdown()
    assert found is None or found.endswith(".png")


def test_an_upload_does_not_wait_for_the_store_and_refuses_what_it_cannot_hold(
    settings: PhoenixSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_gate() as slow:
        real = FolderStore.put

        def put(store: FolderStore, data: bytes, media_type: str) -> MediaAddress:
            slow()
            return real(store, data, media_type)

        monkeypatch.setattr(FolderStore, "put", put)
        uploader = PictureUploader(settings, max_bytes=2 * len(png()) + 1000)
        assert [uploader.upload(blob(png(number))) is not None for number in range(4)] == [
            True,
            True,
            False,
            False,
        ]
        assert uploader.refused == 2
        uploader.shutdown(timeout_sec=0.01)
        slow.open()
        uploader.shutdown()
    assert uploader.upload(blob(png(9))) is not None
    uploader.shutdown()


def test_a_store_that_fails_is_counted_and_later_pictures_are_tried(
    settings: PhoenixSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploader = PictureUploader(settings)
    monkeypatch.setattr(FolderStore, "has", lambda *_: (_ for _ in ()).throw(MediaError("gone")))
    uploader.upload(blob(png()))
    wait_until(lambda: uploader.lost == 1)
    monkeypatch.undo()
    uploader.upload(blob(png()))
    uploader.shutdown()
    assert uploader.lost == 1


def test_many_threads_may_upload(settings: PhoenixSettings) -> None:
    uploader = PictureUploader(settings)
    pictures = [png(number) for number in range(16)]
    threads = [threading.Thread(target=uploader.upload, args=(blob(data),)) for data in pictures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    uploader.shutdown()
    assert len(list(Path(settings.media_store or "").rglob("*.png"))) == 16
