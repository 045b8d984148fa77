"""The Phoenix middleware, loaded by its path as Phoenix does, in front of a plain application."""

import importlib.util
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from vlmops.media import FolderStore
from vlmops_phoenix.middleware import middleware_path


@pytest.fixture
def middleware():
    path, name = middleware_path().split(":", 1)
    assert Path(path).is_file()
    spec = importlib.util.spec_from_file_location("custom_module_1", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.fixture
def client_of(middleware):
    def make(root_path=""):
        async def home(request):
            return PlainTextResponse("home")

        app = Starlette(routes=[Route("/{rest:path}", home)], middleware=[Middleware(middleware)])
        app.state.authentication_enabled = False
        transport = httpx.ASGITransport(app, root_path=root_path, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://phoenix")

    return make


def test_is_what_phoenix_accepts(middleware):
    assert issubclass(middleware, BaseHTTPMiddleware)


@pytest.mark.parametrize("root_path", ["", "/phoenix"])
async def test_answers_pictures_alone(client_of, tmp_path, monkeypatch, png, root_path):
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", str(tmp_path / "media"))
    address = FolderStore(tmp_path / "media").put(png, "image/png")
    async with client_of(root_path) as client:
        assert (await client.get(f"{root_path}/vlmops/media/{address.name}")).content == png
        for other in ("/", "/vlmops", "/vlmops/mediation", f"/other/vlmops/media/{address.name}"):
            assert (await client.get(root_path + other)).text == "home"


async def test_unusable_store_costs_only_the_pictures(client_of, monkeypatch):
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", "nosuchscheme://bucket")
    async with client_of() as client:
        answer = await client.get(f"/vlmops/media/{'0' * 64}.png")
        assert answer.status_code == 503
        assert "nosuchscheme" not in answer.text
        assert (await client.get("/")).text == "home"


async def test_unknown_state_of_login_shows_nothing(middleware, tmp_path, monkeypatch, png):
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", str(tmp_path))
    address = FolderStore(tmp_path).put(png, "image/png")
    app = Starlette(middleware=[Middleware(middleware)])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://phoenix") as client:
        answer = await client.get(f"/vlmops/media/{address.name}")

    assert answer.status_code == 500
    assert png not in answer.content
