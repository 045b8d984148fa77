"""Pictures on Phoenix's behalf: what a URL in a trace may reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from vlmops.errors import ImageError
from vlmops.platforms.records import DatasetHeader
from vlmops.testing import picture
from vlmops_phoenix.connection import PhoenixConnection
from vlmops_phoenix.datasets import PhoenixDatasetWriter
from vlmops_phoenix.pictures import PhoenixPictures
from vlmops_phoenix.settings import PhoenixSettings

SETTINGS = PhoenixSettings("http://phoenix")


async def test_a_stored_picture_is_read_from_the_store() -> None:
    pictures = PhoenixPictures(SETTINGS)
    await pictures.keep(picture(1))
    for url in (pictures.url_of(picture(1)), "http://old-host/px" + pictures.url_of(picture(1), 200)):
        assert pictures.at(url).read() == picture(1).read()


def test_a_data_uri_is_the_picture_itself() -> None:
    assert PhoenixPictures(SETTINGS).at(picture(1).data_uri()) == picture(1)


@pytest.mark.parametrize("url", ["https://host/a.png", "s3://bucket/a.png", "HTTP://host/a.png"])
def test_web_and_bucket_addresses_are_read_when_needed(url: str) -> None:
    assert PhoenixPictures(SETTINGS).at(url).source.endswith("a.png")


@pytest.mark.parametrize(
    "url", ["{}", "file://{}", "local://{}", "simplecache::file://{}", "__REDACTED__", "", "memory://a.png"]
)
def test_a_trace_never_reaches_into_this_machine(tmp_path: Path, url: str) -> None:
    file = tmp_path / "private.png"
    file.write_bytes(picture(1).read())
    with pytest.raises(ImageError, match="no web or bucket address"):
        PhoenixPictures(SETTINGS).at(url.format(file))


async def test_pictures_served_elsewhere_make_a_push_send_examples_again(
    connected: Callable[..., PhoenixConnection],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        versions = request.url.path.endswith("/versions")
        row = {"version_id": "v1"} if versions else {"id": "d1", "created_at": "2026-01-01T00:00:00+00:00"}
        return httpx.Response(200, json={"data": [row]})

    async def token(media_url: str | None) -> str | None:
        pictures = PhoenixPictures(PhoenixSettings("http://phoenix", media_url=media_url))
        writer = PhoenixDatasetWriter(connected(answer), pictures, DatasetHeader("d"))
        await writer.locate()
        return writer.state_token

    assert await token(None) == await token(None)
    assert await token(None) != await token("https://pictures.example.com/vlmops/media")
