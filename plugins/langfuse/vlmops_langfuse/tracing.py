"""Langfuse as a destination of traces: pictures in its media store, spans by way of its SDK, over HTTP."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from vlmops_langfuse.dialect import LangfuseDialect
from vlmops_langfuse.media_upload import MediaTarget
from vlmops_langfuse.trace_media import TraceMedia

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from vlmops.images import Image
    from vlmops.tracing.destination import Attachment, Field
    from vlmops.tracing.dialect import Dialect
    from vlmops_langfuse.settings import LangfuseSettings

_TRACES = "/api/public/otel/v1/traces"
_TIMEOUT_S = 10.0


class LangfuseTracing:
    """One Langfuse project, as the exporter of spans sees it.

    Args:
        settings: Where it is, and its keys.
        environment: Langfuse's environment; by default the SDK's (``LANGFUSE_TRACING_ENVIRONMENT``).
        release: Version of the application; by default the SDK's (``LANGFUSE_RELEASE``).

    Attributes:
        name: ``"langfuse"``.
        dialect: How Langfuse draws pictures.

    Example:
        >>> from vlmops_langfuse.settings import LangfuseSettings
        >>> settings = LangfuseSettings("http://localhost:3000", "pk-lf-1", "sk-lf-1")
        >>> LangfuseTracing(settings, environment="staging").resource
        {'langfuse.environment': 'staging'}
    """

    name = "langfuse"

    def __init__(
        self, settings: LangfuseSettings, environment: str | None = None, release: str | None = None
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._release = release
        self._media = TraceMedia(settings)
        self.dialect: Dialect = LangfuseDialect()

    @property
    def resource(self) -> Mapping[str, str]:
        """Environment and release, where they were given."""
        named = {"langfuse.environment": self._environment, "langfuse.release": self._release}
        return {name: value for name, value in named.items() if value}

    def exporter(self) -> SpanExporter:
        """OTLP over HTTP, with the headers by which Langfuse knows spans of its own SDK."""
        import langfuse
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        keys = f"{self._settings.public_key}:{self._settings.secret_key}".encode()
        headers = {
            "Authorization": f"Basic {base64.b64encode(keys).decode()}",
            "x-langfuse-sdk-name": "python",
            "x-langfuse-sdk-version": langfuse.__version__,
            "x-langfuse-public-key": self._settings.public_key,
            "x-langfuse-ingestion-version": "4",
        }
        return OTLPSpanExporter(
            endpoint=self._settings.url + _TRACES,
            headers=headers,
            timeout=_TIMEOUT_S,
            compression=Compression.Gzip,
        )

    def keep(self, image: Image, *, trace_id: str, span_id: str, field: Field) -> str:
        """Upload the picture, once, and link it to the observation; gives its media reference."""
        return self._media.store(image, MediaTarget(field, trace_id=trace_id, observation_id=span_id))

    def attach(self, provider: TracerProvider, processor: SpanProcessor) -> Attachment:
        """Have the SDK's client of this project, the existing one or a new one, hand spans to the processor.

        The SDK chooses the spans and adds sessions, users and tags to them, as it does without vlmops.
        """
        from vlmops_langfuse.sdk_client import attach

        return attach(
            self._settings, provider, processor, environment=self._environment, release=self._release
        )

    def renew(self) -> None:
        """Open connections of this process."""
        self._media = TraceMedia(self._settings)

    def shutdown(self) -> None:
        """Close connections."""
        self._media.close()
