"""A platform that takes OTLP over HTTP and keeps the spans; can be made to refuse them."""

from __future__ import annotations

import gzip
from typing import Any

from google.protobuf.json_format import MessageToDict
from local_server import Handler, LocalServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class OtlpReceiver(LocalServer):
    """Listens on a free port; ``status`` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.sizes: list[int] = []
        self.refused = 0
        self._spans: list[dict[str, Any]] = []
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        return self.origin

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Name and attributes of each span, in order of arrival."""
        return list(self._spans)

    @property
    def names(self) -> list[str]:
        return sorted(span["name"] for span in self.spans)

    def _handler(self) -> type[Handler]:
        outer = self

        class Answers(Handler):
            def post(self) -> None:
                body = self.received()
                if outer.status == 200:
                    outer.sizes.append(len(body))
                    outer._spans += _spans(
                        gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                    )
                else:
                    outer.refused += 1
                self.reply(outer.status)

        return Answers


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
