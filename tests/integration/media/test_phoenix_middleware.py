"""Pictures served by a real Phoenix server through the middleware."""

from __future__ import annotations

import io
import re
import threading

import pytest
from PIL import Image

from vlmops.media import FolderStore, UrlPolicy

ADMIN_EMAIL = "admin@localhost"
ADMIN_SECRET = "an-admin-secret-of-the-tests-0123456789"

pytestmark = pytest.mark.integration


def picture(width=400, height=300, colour="navy"):
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def stored(server, data=None):
    """Store a picture where ``server`` looks for it; gives its path on the server and its bytes."""
    data = data or picture()
    address = FolderStore(server.media_store).put(data, "image/png")
    return UrlPolicy().url_for(address), data


class TestWithoutLogin:
    def test_serves_the_picture_from_phoenix_origin(self, phoenix_server):
        path, data = stored(phoenix_server)

        answer = phoenix_server.get(path)

        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_browser_cache_is_confirmed(self, phoenix_server):
        path, _ = stored(phoenix_server)
        etag = phoenix_server.get(path).headers["etag"]

        answer = phoenix_server.get(path, headers={"If-None-Match": etag})

        assert (answer.status_code, answer.content) == (304, b"")

    def test_thumbnail(self, phoenix_server):
        path, _ = stored(phoenix_server)

        answer = phoenix_server.get(path, params={"w": "100"})

        assert Image.open(io.BytesIO(answer.content)).size == (128, 96)

    def test_large_picture_streams_whole(self, phoenix_server):
        data = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20_000
        path, _ = stored(phoenix_server, data)

        answer = phoenix_server.get(path)

        assert answer.content == data
        assert answer.headers["content-length"] == str(len(data))

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/vlmops/media/" + "0" * 64 + ".png", 404),
            ("/vlmops/media/", 404),
            ("/vlmops/media", 404),
            ("/vlmops/media/..%2f..%2fetc%2fpasswd", 400),
            ("/vlmops/media/%252e%252e%252fpasswd", 400),
        ],
    )
    def test_serves_nothing_else(self, phoenix_server, path, status):
        assert phoenix_server.get(path).status_code == status

    def test_phoenix_itself_still_answers(self, phoenix_server):
        assert phoenix_server.get("/v1/projects").is_success
        assert "<html" in phoenix_server.get("/").text

    def test_many_at_once(self, phoenix_server):
        path, _ = stored(phoenix_server, picture(800, 600))
        bodies = []

        def fetch():
            bodies.append(phoenix_server.get(path, params={"w": "384"}).content)

        threads = [threading.Thread(target=fetch) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(bodies) == 12
        assert len(set(bodies)) == 1


class TestWithLogin:
    @pytest.fixture
    def server(self, phoenix_server_with_auth):
        return phoenix_server_with_auth

    def test_stranger_is_refused(self, server):
        path, _ = stored(server)

        answer = server.get(path)

        assert answer.status_code == 401
        assert answer.headers["cache-control"] == "no-store"

    def test_stranger_does_not_learn_what_exists(self, server):
        assert server.get(f"/vlmops/media/{'0' * 64}.png").status_code == 401

    def test_logged_in_user_sees_it(self, server):
        path, data = stored(server)

        with server.log_in() as client:
            answer = client.get(path)

        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["cache-control"].startswith("private")
        assert "cookie" in answer.headers["vary"].lower()

    def test_session_ends_with_logout(self, server):
        path, _ = stored(server)
        with server.log_in() as client:
            session = dict(client.cookies)
            client.get("/auth/logout")

        assert server.get(path, cookies=session).status_code == 401

    def test_api_key_sees_it(self, server):
        path, data = stored(server)
        key = server.create_api_key()

        answer = server.get(path, headers={"Authorization": f"Bearer {key}"})

        assert (answer.status_code, answer.content) == (200, data)

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Basic YTpi", "Bearer a.b.c"])
    def test_invalid_key_is_refused(self, server, header):
        path, _ = stored(server)

        assert server.get(path, headers={"Authorization": header}).status_code == 401

    def test_invalid_key_is_refused_even_with_a_session(self, server):
        path, _ = stored(server)

        with server.log_in() as client:
            answer = client.get(path, headers={"Authorization": "Bearer nonsense"})

        assert answer.status_code == 401


def test_expired_session_and_root_path(start_phoenix):
    server = start_phoenix(
        auth=True,
        root_path="/phoenix",
        env={"PHOENIX_ACCESS_TOKEN_EXPIRY_MINUTES": "0.0001", "PHOENIX_ADMIN_SECRET": ADMIN_SECRET},
    )
    path, data = stored(server)
    login = {"email": ADMIN_EMAIL, "password": server.admin_password}
    cookies = server.post("/auth/login", json=login).headers["set-cookie"]
    session = dict(re.findall(r"(phoenix-access-token)=([^;]+)", cookies))

    assert session
    # The proxy in front takes the root path away before it asks Phoenix.
    assert server.get(path, cookies=session).status_code == 401
    with_secret = server.get(path, headers={"Authorization": f"Bearer {ADMIN_SECRET}"})
    assert with_secret.content == data
