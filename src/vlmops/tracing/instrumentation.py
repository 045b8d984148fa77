"""One line that traces an application, and the handle to what it started."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.tracing.context import TraceContext
from vlmops.tracing.destination import (
    Attachment,
    TraceDestination,
    TracingOptions,
    trace_destination,
)
from vlmops.tracing.exporter import PictureExporter
from vlmops.tracing.openai_requests import defer_openai_pictures, restore_openai_pictures
from vlmops.tracing.openinference import trace_config
from vlmops.tracing.policy import PicturePolicy
from vlmops.tracing.processor import PictureProcessor
from vlmops.tracing.reader import PictureReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import TracerProvider

    from vlmops.tracing.counts import TracingCounts
    from vlmops.tracing.policy import Level
    from vlmops.tracing.redaction import Redact

_MAX_ATTRIBUTES = 10_000
"""Of a span; OpenTelemetry's own 128 are too few for one conversation."""

_OPENAI_MISSING = (
    "calls of OpenAI's client are not traced: pip install openinference-instrumentation-openai, "
    "or say openai=False"
)

_logger = logging.getLogger(__name__)
_lock = threading.RLock()


@dataclass(frozen=True, slots=True, eq=False)
class _Lane:
    """The way to one platform."""

    processor: PictureProcessor
    attachment: Attachment

    def flush(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        arrived = self.attachment.flush(int(seconds * 1000))
        left = max(0.0, deadline - time.monotonic())
        return self.processor.force_flush(int(left * 1000)) and arrived


_lanes: dict[str, _Lane] = {}
_undo_openai: Callable[[], None] | None = None


class Tracing:
    """What :func:`instrument` started; a context manager that ends it.

    Attributes:
        platforms: Names of the platforms that get traces.
        tracer_provider: Where tracers for further spans come from.
    """

    def __init__(
        self, platforms: Sequence[str], tracer_provider: TracerProvider, lanes: Mapping[str, _Lane]
    ) -> None:
        self.platforms = tuple(platforms)
        self.tracer_provider = tracer_provider
        self._own_lanes = dict(lanes)

    @property
    def counts(self) -> dict[str, TracingCounts]:
        """What became of spans and pictures so far, by platform."""
        return {name: lane.processor.counts for name, lane in self._own_lanes.items()}

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until all spans that ended are exported; for functions that are frozen once they return.

        Returns:
            Whether that was done in time.
        """
        deadline = time.monotonic() + seconds
        done = [lane.flush(max(0.0, deadline - time.monotonic())) for lane in self._own_lanes.values()]
        return all(done)

    def shutdown(self) -> None:
        """Export what is left, and leave the process as it was; calling it again does nothing."""
        with _lock:
            for name, lane in self._own_lanes.items():
                if _lanes.get(name) is lane:
                    del _lanes[name]
                    lane.attachment.detach()
                    lane.processor.shutdown()
            if not _lanes:
                _restore_openai()

    def __enter__(self) -> Tracing:
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"Tracing({', '.join(map(repr, self.platforms))})"


def instrument(
    *platforms: str | TraceDestination,
    project: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    policy: PicturePolicy | Level | None = None,
    redact: Redact | None = None,
    media_store: str | None = None,
    sampling: float | None = None,
    openai: bool = True,
    context: TraceContext | None = None,
    tracer_provider: TracerProvider | None = None,
    **options: Any,
) -> Tracing:
    """Trace this application: every picture it sends to a model, or gets from one, shows on the platforms.

    Calls of OpenAI's client are traced, and so are spans of every other instrumentor and tracer that uses the
    same tracer provider. The application's threads only end their spans; pictures are read, treated by the
    policy and stored in the background. Calling it again for a platform changes nothing.

    Args:
        *platforms: Names (``"phoenix"``, ``"langfuse"``), or destinations.
        project: Phoenix's project; Langfuse's is known by its keys.
        environment: ``production``, ``staging``, ...; a policy may depend on it.
        release: Version of the application.
        policy: What may be kept of pictures, or one of its levels: ``"full"``, ``"thumbnail"``, ``"hash"``,
            ``"none"``.
        redact: Looks at each picture before it leaves the process; see :class:`PicturePolicy`.
        media_store: Folder or fsspec URL of Phoenix's pictures; by default ``VLMOPS_MEDIA_STORE``.
        sampling: Share of traces that are recorded, 0 to 1; only where there is no tracer provider yet.
        openai: Whether calls of OpenAI's client are traced.
        context: More that the application says of itself.
        tracer_provider: The provider to use; by default the global one, which is made if there is none.
        **options: Of the platform, when there is only one: ``url``, ``api_key``, ``public_key``, ...; by
            default the platform's own environment variables.

    Raises:
        UsageError: No such platform or option.
        PrerequisiteError: Something is not installed or not configured.

    Example:
        >>> tracing = instrument("phoenix", url="http://localhost:6006", openai=False)
        >>> instrument("phoenix").platforms
        ('phoenix',)
        >>> tracing.shutdown()
    """
    shared = TracingOptions(
        project=project, environment=environment, release=release, media_store=media_store
    )
    wanted = _destinations(platforms, shared, options)
    context = _context(context, environment, release)
    reader = PictureReader(_policy(policy, redact), environment=context.environment)
    with _lock:
        provider = tracer_provider or _global_provider(sampling)
        for name, make in wanted.items():
            if name not in _lanes:
                _lanes[name] = _open(make(), provider, reader, context)
        if openai:
            _trace_openai(provider)
        return Tracing(tuple(wanted), provider, {name: _lanes[name] for name in wanted})


def _destinations(
    platforms: Sequence[str | TraceDestination], shared: TracingOptions, options: Mapping[str, Any]
) -> dict[str, Callable[[], TraceDestination]]:
    if not platforms:
        raise UsageError("instrument() needs a platform: instrument('phoenix'), instrument('langfuse')")
    if options and len(platforms) > 1:
        raise UsageError(
            f"{', '.join(options)}: call instrument() for each platform that needs options of its own"
        )
    made: dict[str, Callable[[], TraceDestination]] = {}
    for platform in platforms:
        if isinstance(platform, str):
            made[platform] = lambda name=platform: trace_destination(name, shared, **options)  # type: ignore[misc]
        else:
            made[platform.name] = lambda given=platform: given  # type: ignore[misc]
    return made


def _open(
    destination: TraceDestination, provider: TracerProvider, reader: PictureReader, context: TraceContext
) -> _Lane:
    processor = PictureProcessor(PictureExporter(destination, reader=reader, context=context))
    try:
        return _Lane(processor, destination.attach(provider, processor))
    except BaseException:
        processor.shutdown()
        raise


def _policy(policy: PicturePolicy | Level | None, redact: Redact | None) -> PicturePolicy:
    chosen = policy if isinstance(policy, PicturePolicy) else PicturePolicy(level=policy or "full")
    return chosen if redact is None else replace(chosen, redact=redact)


def _context(context: TraceContext | None, environment: str | None, release: str | None) -> TraceContext:
    given = context or TraceContext()
    return replace(given, environment=environment or given.environment, release=release or given.release)


def _global_provider(sampling: float | None) -> TracerProvider:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    present = trace.get_tracer_provider()
    if isinstance(present, TracerProvider):
        if sampling is not None:
            raise UsageError("sampling: there is a tracer provider already, and its own sampler decides")
        return present
    if sampling is not None and not 0 <= sampling <= 1:
        raise UsageError(f"sampling is {sampling}: must be 0 to 1")
    made = TracerProvider(
        sampler=None if sampling is None else ParentBased(TraceIdRatioBased(sampling)),
        span_limits=_limits(SpanLimits),
    )
    trace.set_tracer_provider(made)
    return made


def _limits(limits: type[Any]) -> Any:
    import os

    chosen = any(os.environ.get(f"OTEL_{name}ATTRIBUTE_COUNT_LIMIT") for name in ("", "SPAN_"))
    return limits() if chosen else limits(max_span_attributes=_MAX_ATTRIBUTES)


def _trace_openai(provider: TracerProvider) -> None:
    global _undo_openai
    if _undo_openai is not None:
        return
    try:
        from openinference.instrumentation.openai import OpenAIInstrumentor
    except ImportError:
        _logger.warning(_OPENAI_MISSING)
        return
    instrumentor = OpenAIInstrumentor()
    mine = not instrumentor.is_instrumented_by_opentelemetry
    if mine:
        instrumentor.instrument(tracer_provider=provider, config=trace_config())
    defer_openai_pictures()

    def undo() -> None:
        restore_openai_pictures()
        if mine:
            instrumentor.uninstrument()

    _undo_openai = undo


def _restore_openai() -> None:
    global _undo_openai
    undo, _undo_openai = _undo_openai, None
    if undo is not None:
        undo()
