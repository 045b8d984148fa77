"""A platform that takes OTLP over HTTP and keeps the spans; can be made to refuse them."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class OtlpReceiver:
    """Listens on a free port; ``status`` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.sizes: list[int] = []
        self.refused = 0
        self._spans: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Name and attributes of each span, in order of arrival."""
        return list(self._spans)

    @property
    def names(self) -> list[str]:
        return sorted(span["name"] for span in self.spans)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status == 200:
                    outer.sizes.append(len(body))
                    outer._spans += _spans(
                        gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                    )
                else:
                    outer.refused += 1
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        return Handler


def _spans(body: bytes) -> list[dict[str, Any]]:
    document = MessageToDict(ExportTraceServiceRequest.FromString(body))
    return [
        {
            "name": span["name"],
            "attributes": {
                pair["key"]: next(iter(pair.get("value", {}).values()), None)
                for pair in span.get("attributes", [])
            },
        }
        for resource in document.get("resourceSpans", [])
        for scope in resource.get("scopeSpans", [])
        for span in scope.get("spans", [])
    ]
