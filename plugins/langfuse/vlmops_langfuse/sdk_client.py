"""Between the SDK's client and the exporter of vlmops.

The SDK goes on to choose spans and to add what it adds (sessions, users, tags, the root of a trace). What it
would do with pictures it does not: they stay in the spans, or are held in memory, until vlmops keeps them
under its policy, and off the application's thread.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import format_span_id

from vlmops.errors import PrerequisiteError
from vlmops.tracing.destination import Attachment
from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.own_errors import report
from vlmops.tracing.values import held_in_values, image_in_part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider

    from vlmops_langfuse.settings import LangfuseSettings

_DEEPEST = 20
_DETACH_MS = 10_000
_FIND_MEDIA = "_find_and_process_media"
_lock = threading.Lock()
_logger = logging.getLogger(__name__)


def attach(
    settings: LangfuseSettings,
    provider: TracerProvider,
    processor: SpanProcessor,
    *,
    environment: str | None = None,
    release: str | None = None,
) -> Attachment:
    """Have the SDK's client of the project hand its spans to a processor; makes the client if there is none.

    Once detached, a client that was there before exports by itself again; one that was made here exports
    nothing from then on.

    Raises:
        PrerequisiteError: There is a client whose spans cannot be had.
    """
    from langfuse import Langfuse
    from langfuse._client.resource_manager import LangfuseResourceManager

    hand_off = HandOff(processor)
    follower = _Follower(processor)
    with _lock:
        existing = LangfuseResourceManager._instances.get(settings.public_key)
        if existing is not None:
            undo = _redirect(existing, hand_off)
            (existing.tracer_provider or provider).add_span_processor(follower)
        else:
            Langfuse(
                public_key=settings.public_key,
                secret_key=settings.secret_key,
                base_url=settings.url,
                environment=environment,
                release=release,
                tracer_provider=provider,
                span_exporter=hand_off,
            )
            existing = LangfuseResourceManager._instances[settings.public_key]
            undo = hand_off.close
            provider.add_span_processor(follower)
        restore_media = _defer_media(existing._media_manager)
    used = existing.tracer_provider or provider

    def detach() -> None:
        # What waits in the SDK's queue is searched for media once more on its way out.
        used.force_flush(_DETACH_MS)
        undo()
        restore_media()
        follower.close()

    return Attachment(flush=used.force_flush, detach=detach)


class HandOff(SpanExporter):
    """What the SDK takes for the exporter: puts spans into the queue of vlmops, which is done at once."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._processor: SpanProcessor | None = processor

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Queue them; the queue keeps their pictures alive from here on."""
        if self._processor is None:
            return SpanExportResult.FAILURE
        for span in spans:
            self._processor.on_end(span)
            if span.context is not None:
                PAYLOADS.unpin(format_span_id(span.context.span_id))
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - nothing waits here
        """Nothing waits here."""
        return True

    def close(self) -> None:
        """Take no more spans."""
        self._processor = None


class _Follower(SpanProcessor):
    """Stands behind the SDK's processor: its pictures stay alive in the SDK's queue, and flushing goes on."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._processor: SpanProcessor | None = processor

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        """Hold on to the pictures whose placeholders stand in longer text."""
        if self._processor is None or span.context is None:
            return
        if held := PAYLOADS.within(span):
            PAYLOADS.pin(format_span_id(span.context.span_id), held)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """The SDK's queue was flushed into that of vlmops before."""
        return self._processor is None or self._processor.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """As :meth:`force_flush`, and for good."""
        if self._processor is not None:
            self._processor.shutdown()

    def close(self) -> None:
        """Let go."""
        self._processor = None


def _redirect(manager: Any, hand_off: HandOff) -> Callable[[], None]:
    """Put the hand-over in the place of an existing client's exporter."""
    from langfuse._client.span_exporter import LangfuseTransformingSpanExporter
    from langfuse._client.span_processor import LangfuseSpanProcessor

    active = getattr(manager.tracer_provider, "_active_span_processor", None)
    for candidate in getattr(active, "_span_processors", ()):
        if isinstance(candidate, LangfuseSpanProcessor) and candidate.public_key == manager.public_key:
            transforming = candidate.span_exporter
            if isinstance(transforming, LangfuseTransformingSpanExporter):
                return _replaced(transforming, hand_off)
    raise PrerequisiteError(
        "there is a Langfuse client already, and its spans cannot be had: call vlmops.instrument('langfuse') "
        "before the first Langfuse()"
    )


def _replaced(transforming: Any, hand_off: HandOff) -> Callable[[], None]:
    before, transforming._exporter = transforming._exporter, hand_off

    def undo() -> None:
        transforming._exporter = before

    return undo


def _defer_media(manager: Any) -> Callable[[], None]:
    """Have pictures given to observations held in memory: the SDK decodes them on the caller's thread."""
    original = getattr(manager, _FIND_MEDIA, None)
    if original is None or isinstance(original, _HeldMedia):
        return lambda: None
    setattr(manager, _FIND_MEDIA, _HeldMedia(original))
    return lambda: delattr(manager, _FIND_MEDIA)


class _HeldMedia:
    """Stands before the SDK's search for media: pictures are held for vlmops, all else is left to the SDK.

    The SDK searches twice: in what an observation is given, and in the attributes of every span at export.
    What it finds it uploads at once, as it is; so it must never come upon a picture.
    """

    def __init__(self, original: Callable[..., Any]) -> None:
        self._original = original

    def __call__(
        self, *, data: Any, trace_id: str, observation_id: str | None, field: str, **options: Any
    ) -> Any:
        def original(found: Any) -> Any:
            return self._original(
                data=found, trace_id=trace_id, observation_id=observation_id, field=field, **options
            )

        if isinstance(data, str):
            # Whole, it stays in the span without being copied.
            return original(data) if _is_other_media(data) else data
        try:
            held, placeholders = held_in_values(data, unwrap=_sdk_picture)
            if observation_id:
                PAYLOADS.pin(observation_id, placeholders)
            return _with_other_media(held, original)
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, "pictures of an observation could not be deferred", error)
            return data


def _with_other_media(value: Any, original: Callable[[Any], Any], depth: int = 0) -> Any:
    """The tree, with what the SDK makes of each medium in it that is no picture."""
    if _is_other_media(value):
        return original(value)
    if depth >= _DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: _with_other_media(each, original, depth + 1) for key, each in value.items()}
    if type(value) is list:
        return [_with_other_media(each, original, depth + 1) for each in value]
    return value


def _is_other_media(value: Any) -> bool:
    """Whether the SDK may take it for a medium, and it is no picture."""
    from langfuse.media import LangfuseMedia

    if isinstance(value, LangfuseMedia):
        return _sdk_picture(value) is None
    if isinstance(value, str):
        return value.startswith("data:") and value[:11].lower() != "data:image/"
    if isinstance(value, dict) and isinstance(value.get("data"), str):
        return "type" in value and not image_in_part(value)
    if isinstance(value, dict):
        inline = value.get("inline_data") or value.get("inlineData")
        return isinstance(inline, dict) and isinstance(inline.get("data"), str) and not image_in_part(inline)
    return False


def _sdk_picture(value: Any) -> bytes | None:
    """The bytes of a picture in the SDK's own wrapper for media."""
    from langfuse.media import LangfuseMedia

    if isinstance(value, LangfuseMedia) and str(value._content_type or "").startswith("image/"):
        return value._content_bytes
    return None
