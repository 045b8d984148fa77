"""A local server that speaks KServe's open inference protocol, with one answer set by the test."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answered:
    """What the server says; ``cut`` ends the connection after so many bytes, ``hang`` never answers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: bool = False


@dataclass
class Inference:
    """A request, taken apart."""

    path: str
    document: dict[str, Any]
    tensors: dict[str, bytes]


class InferenceServer:
    """Answers every inference alike and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = Answered()
        self.asked: list[Inference] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(
                    taken_apart(self.path, body, int(self.headers["Inference-Header-Content-Length"]))
                )
                answer = outer.answer
                if answer.hang:
                    outer._over.wait()
                    self.close_connection = True
                    return
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data if answer.cut is None else data[: answer.cut])
                self.close_connection = answer.cut is not None

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        return Handler


def taken_apart(path: str, body: bytes, header: int) -> Inference:
    document = json.loads(body[:header])
    tensors, at = {}, header
    for tensor in document["inputs"]:
        size = tensor["parameters"]["binary_data_size"]
        tensors[tensor["name"]] = body[at : at + size]
        at += size
    assert at == len(body)
    return Inference(path, document, tensors)


def outputs(**named: tuple[list[int], list[Any]]) -> Answered:
    """A 200 answer of outputs by name: shape and data."""
    described = [{"name": name, "datatype": "?", "shape": s, "data": d} for name, (s, d) in named.items()]
    return Answered(body={"model_name": "served", "model_version": "3", "outputs": described})
