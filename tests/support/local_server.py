"""An HTTP server on a free port, in a thread of its own; what it answers is up to its handler."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Handler(BaseHTTPRequestHandler):
    """Keeps connections open and says nothing on standard error."""

    protocol_version = "HTTP/1.1"

    def get(self) -> None:
        """Answer a GET."""
        self.reply(405)

    def post(self) -> None:
        """Answer a POST."""
        self.reply(405)

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def received(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def reply(
        self, status: int, data: bytes = b"", headers: Mapping[str, str] | None = None, cut: int | None = None
    ) -> None:
        """Answer; ``cut`` ends the connection after so many bytes of the body."""
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data if cut is None else data[:cut])
        self.close_connection = self.close_connection or cut is not None

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class LocalServer:
    """Listens until it is closed; ``over`` is set then, for handlers that keep an answer back."""

    def __init__(self, handler: type[Handler]) -> None:
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
