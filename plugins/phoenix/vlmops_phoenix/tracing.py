"""Phoenix as a destination of traces: pictures in the media store, spans over OTLP/HTTP."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from vlmops.tracing.destination import Attachment
from vlmops_phoenix.dialect import PhoenixDialect
from vlmops_phoenix.pictures import PhoenixPictures
from vlmops_phoenix.settings import DEFAULT_PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from vlmops.images import Image
    from vlmops.tracing.destination import Field
    from vlmops.tracing.dialect import Dialect
    from vlmops_phoenix.settings import PhoenixSettings

_PROJECT = "openinference.project.name"
_TRACES = "/v1/traces"
_TIMEOUT_S = 10.0
_REMEMBERED = 10_000


class PhoenixTracing:
    """One Phoenix, as the exporter of spans sees it.

    HTTP is used, since Phoenix's gRPC receiver refuses batches above 4 MB whole.

    Args:
        settings: Where it is, and where its pictures are kept.

    Attributes:
        name: ``"phoenix"``.
        dialect: How Phoenix draws pictures.

    Example:
        >>> from vlmops_phoenix.settings import PhoenixSettings
        >>> PhoenixTracing(PhoenixSettings("http://localhost:6006", project="checkout")).resource
        {'openinference.project.name': 'checkout'}
    """

    name = "phoenix"

    def __init__(self, settings: PhoenixSettings) -> None:
        self._settings = settings
        self.dialect: Dialect = PhoenixDialect()
        self.renew()

    @property
    def resource(self) -> Mapping[str, str]:
        """The project; none for Phoenix's default, so that a tracer provider may name its own."""
        project = self._settings.project
        return {} if project == DEFAULT_PROJECT else {_PROJECT: project}

    def exporter(self) -> SpanExporter:
        """OTLP over HTTP to this Phoenix."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(
            endpoint=self._settings.url + _TRACES, headers=dict(self._settings.headers), timeout=_TIMEOUT_S
        )

    def keep(self, image: Image, *, trace_id: str, span_id: str, field: Field) -> str:  # noqa: ARG002
        """Store the picture in the media store, once; gives its URL on Phoenix's pages."""
        if not self._is_known(image.sha256):
            self._pictures.keep_now(image)
            self._know(image.sha256)
        return self._pictures.url_of(image)

    def attach(self, provider: TracerProvider, processor: SpanProcessor) -> Attachment:
        """All spans of the provider go to Phoenix; a processor cannot be taken off, but is shut down."""
        provider.add_span_processor(processor)
        return Attachment(flush=lambda milliseconds: True, detach=lambda: None)  # noqa: ARG005 - nothing waits

    def renew(self) -> None:
        """Open the store anew."""
        self._pictures = PhoenixPictures(self._settings)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def shutdown(self) -> None:
        """Nothing is open."""

    def _is_known(self, sha256: str) -> bool:
        with self._lock:
            known = sha256 in self._known
            if known:
                self._known.move_to_end(sha256)
            return known

    def _know(self, sha256: str) -> None:
        with self._lock:
            self._known[sha256] = None
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
