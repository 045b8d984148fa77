from __future__ import annotations

import http.server
import logging
import threading

import fsspec
import pytest
from bad_images import usable_image

from vlmops.errors import ImageError
from vlmops.images import Image, ImageLimits
from vlmops.images.remote import is_url, printable_url

PNG = usable_image("plain.png")
SIGNED = "?X-Amz-Signature=0f3a&token=hunter2"


class Handler(http.server.BaseHTTPRequestHandler):
    """A picture, and the ways in which there is none."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/moved.png":
            self.answer(302, b"", Location=f"/a.png{SIGNED}")
        elif path == "/loop.png":
            self.answer(302, b"", Location="/loop.png")
        elif path == "/private.png" and self.headers.get("Authorization") != "Bearer t0k":
            self.answer(401, b"<html>no</html>")
        elif path == "/slow.png":
            self.server.released.wait(20)
            self.close_connection = True
        elif path == "/endless.png":
            self.endless()
        elif path == "/cut.png":
            self.send_response(200)
            self.send_header("Content-Length", str(len(PNG)))
            self.end_headers()
            self.wfile.write(PNG[:50])
            self.close_connection = True
        elif path in ("/a.png", "/private.png"):
            self.answer(200, PNG)
        elif path == "/page.png":
            self.answer(200, b"<!doctype html>sign in")
        else:
            self.answer(int(path[1:4]), b"")

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        """No length given; more than the limit."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            server.released = threading.Event()
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.released.set()
            server.shutdown()


def error_of(url, **options):
    with pytest.raises(ImageError) as caught:
        Image.from_url(url, **options).read()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.fix
    return caught.value


def test_a_picture_is_fetched_and_its_signature_is_never_shown(server, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    image = Image.from_url(f"{server}/moved.png{SIGNED}")
    assert image.read() == PNG
    assert image.source == f"{server}/moved.png"
    assert "hunter2" not in caplog.text + repr(image)
    assert "/moved.png" in caplog.text


def test_headers_are_sent(server):
    assert Image.from_url(f"{server}/private.png", headers={"Authorization": "Bearer t0k"}).size == (61, 40)
    assert "headers=" in error_of(f"{server}/private.png").fix


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/404", "answered 404"),
        ("/403", "answered 403"),
        ("/429", "answered 429"),
        ("/503", "answered 503"),
        ("/204", "answered 204"),
        ("/loop.png", "TooManyRedirects"),
        ("/cut.png", "RemoteProtocolError"),
        ("/page.png", "an HTML page"),
    ],
)
def test_what_goes_wrong_is_said(server, path, problem):
    assert problem in error_of(f"{server}{path}{SIGNED}").problem


def test_a_server_that_does_not_answer_is_given_up(server):
    error = error_of(f"{server}/slow.png{SIGNED}", limits=ImageLimits(timeout=0.2))
    assert "did not answer within 0.2 s" in error.problem


def test_a_server_that_cannot_be_reached():
    assert "ConnectError" in error_of(f"http://127.0.0.1:1/a.png{SIGNED}").problem


@pytest.mark.parametrize("path", ["/a.png", "/endless.png"])
def test_a_large_answer_is_given_up(server, path):
    assert (
        "larger than the limit of 100" in error_of(server + path, limits=ImageLimits(max_bytes=100)).problem
    )


def test_unknown_options_of_http_are_refused(server):
    assert "http takes no option 'anon'" in error_of(f"{server}/a.png", anon=True).problem


def test_any_file_system_of_fsspec_will_do():
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a.png", PNG)
    image = Image.of("memory://bucket/a.png")
    assert image.read() == PNG
    assert image.source == "memory://bucket/a.png"
    assert "larger than" in error_of("memory://bucket/a.png", limits=ImageLimits(max_bytes=100)).problem
    assert "does not exist" in error_of("memory://bucket/b.png").problem
    memory.rm("/bucket", recursive=True)


def test_a_chained_file_system_will_do(tmp_path):
    fsspec.filesystem("memory").pipe("/chained.png", PNG)
    assert Image.of("simplecache::memory://chained.png").read() == PNG


def test_an_unknown_scheme_is_said():
    assert "nosuch:// cannot be read" in error_of("nosuch://a.png").problem


def test_a_missing_package_is_named(monkeypatch):
    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    assert error_of("s3://bucket/a.png").fix == "pip install 'vlmops[s3]'"


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (PermissionError("key hunter2"), "access is denied"),
        (RuntimeError("https://x/?sig=hunter2"), "cannot be read (RuntimeError)"),
        (TimeoutError("hunter2"), "cannot be read (TimeoutError)"),
    ],
)
def test_messages_of_storage_libraries_are_not_repeated(monkeypatch, raised, problem):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr("fsspec.core.url_to_fs", fail)
    assert problem in error_of("s3://bucket/a.png", key="hunter2").problem


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("https://host/a%20b.png?sig=1#x", "https://host/a%20b.png"),
        ("https://user:pw@host:8443/a.png", "https://host:8443/a.png"),
        ("ftp://user@host/a.png", "ftp://host/a.png"),
        ("s3://bucket/key?versionId=1", "s3://bucket/key"),
        ("zip://a.png::s3://k:s@bucket/z.zip?x=1", "zip://a.png::s3://bucket/z.zip"),
        ("https://[::1/a.png?sig=1", "<malformed URL>"),
    ],
)
def test_printable_urls_hold_no_secret(url, printed):
    shown = printable_url(url)
    assert shown == printed or "sig" not in shown
    assert "pw" not in shown


@pytest.mark.parametrize("text", ["a.png", "/a/b.png", "C:\\a.png", "C:/a.png", "a:b.png", "weird::name"])
def test_paths_are_no_urls(text):
    assert is_url(text) == (text == "weird::name")
