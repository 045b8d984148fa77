import asyncio
import io
import sys
import threading

import httpx
import pytest

from vlmops.errors import PrerequisiteError
from vlmops.media import FolderStore, MediaAddress, media_app, serve
from vlmops.media.delivery import CHUNK


@pytest.fixture
def client_of():
    def make(app, **options):
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://media", **options)

    return make


def path_of(address):
    return f"/vlmops/media/{address.name}"


async def test_serves_pictures_and_health(client_of, folder_store, png):
    address = folder_store.put(png, "image/png")
    async with client_of(media_app(folder_store)) as client:
        assert (await client.get(path_of(address))).content == png
        assert (await client.get("/healthz")).text == "ok\n"
        assert (await client.get("/")).status_code == 404
        assert (await client.get(f"/{address.name}")).status_code == 404


async def test_large_picture(client_of, folder_store):
    data = bytes(range(256)) * (CHUNK // 64)
    address = folder_store.put(data, "image/png")
    async with client_of(media_app(folder_store)) as client:
        answers = await asyncio.gather(*(client.get(path_of(address)) for _ in range(5)))

    assert all(answer.content == data for answer in answers)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Authorization": "Bearer wrong"}, "", 401),
        ({"Authorization": "Basic hunter2"}, "", 401),
        ({"Authorization": "Bearer wrong"}, "token=hunter2", 401),
        ({}, "token=wrong", 401),
        ({}, "token=", 401),
        ({"Authorization": "Bearer hunter2"}, "", 200),
        ({"Authorization": "bearer hunter2"}, "", 200),
        ({}, "token=hunter2&w=64", 200),
    ],
)
async def test_token(client_of, folder_store, png, headers, query, status):
    address = folder_store.put(png, "image/png")
    async with client_of(media_app(folder_store, token="hunter2")) as client:
        answer = await client.get(f"{path_of(address)}?{query}", headers=headers)
        assert answer.status_code == status
        assert answer.headers["cache-control"].startswith("private" if status == 200 else "no-store")
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ((), "https://a", None),
        (("https://a",), "https://a", "https://a"),
        (("https://a",), "https://b", None),
        (("*",), "https://b", "*"),
    ],
)
async def test_cors(client_of, folder_store, png, allowed, origin, expected):
    address = folder_store.put(png, "image/png")
    async with client_of(media_app(folder_store, allow_origins=allowed)) as client:
        answer = await client.get(path_of(address), headers={"Origin": origin})
        preflight = await client.options(path_of(address), headers={"Origin": origin})

    assert answer.headers.get("access-control-allow-origin") == expected
    assert preflight.headers.get("access-control-allow-origin") == expected
    assert preflight.status_code == (204 if allowed else 405)


async def test_store_is_opened_again_after_a_failure(client_of, monkeypatch, tmp_path):
    async with client_of(media_app("nosuchscheme://bucket")) as client:
        answer = await client.get(path_of(MediaAddress("0" * 64, "image/png")))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert "bucket" not in answer.text

        monkeypatch.setattr("vlmops.media.app.open_store", lambda _: FolderStore(tmp_path))
        assert (await client.get(path_of(MediaAddress("0" * 64, "image/png")))).status_code == 404


class SlowStream(io.BytesIO):
    def __init__(self, entered, release):
        super().__init__(bytes(CHUNK * 2))
        self.entered, self.release = entered, release

    def read(self, *size):
        self.entered.set()
        assert self.release.wait(30)
        return super().read(*size)


async def test_slow_store_does_not_hold_up_others(client_of, folder_store, png, monkeypatch):
    entered, release = threading.Event(), threading.Event()
    slow = folder_store.put(bytes(CHUNK * 2), "image/png")
    quick = folder_store.put(png, "image/png")
    genuine = folder_store.open
    monkeypatch.setattr(
        folder_store,
        "open",
        lambda address: SlowStream(entered, release) if address == slow else genuine(address),
    )
    async with client_of(media_app(folder_store)) as client:
        waiting = asyncio.create_task(client.get(path_of(slow)))
        await asyncio.to_thread(entered.wait, 30)
        assert (await client.get(path_of(quick))).content == png
        release.set()
        assert len((await waiting).content) == CHUNK * 2


async def test_lifespan_and_websocket(folder_store):
    app = media_app(folder_store)
    incoming = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive():
        return next(incoming)

    async def send(message):
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    await app({"type": "websocket"}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]


def test_missing_uvicorn_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    with pytest.raises(PrerequisiteError, match=r"vlmops\[media\]"):
        serve("memory://x")
