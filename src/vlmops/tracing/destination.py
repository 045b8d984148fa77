"""The port to a platform that takes traces; adapters fulfil it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from vlmops.errors import PrerequisiteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from vlmops.images import Image
    from vlmops.tracing.dialect import Dialect

Field = Literal["input", "output", "metadata"]
"""The part of a span that a picture belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingOptions:
    """What an application may say for all platforms; each uses what it knows.

    Attributes:
        project: Project that traces go to, where keys do not decide that already.
        environment: ``production``, ``staging``, ...
        release: Version of the application.
        media_store: Folder or fsspec URL for pictures, where the platform keeps none itself.
    """

    project: str | None = None
    environment: str | None = None
    release: str | None = None
    media_store: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """The way of spans from an application to a processor.

    Attributes:
        flush: Hands over what waits on the way, within so many milliseconds; says whether that was done.
        detach: Hands it over, and undoes the attachment.
    """

    flush: Callable[[int], bool]
    detach: Callable[[], None]


@runtime_checkable
class TraceDestination(Protocol):
    """One platform, as the exporter of spans sees it. All methods are called on background threads."""

    @property
    def name(self) -> str:
        """The platform's name, for messages."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How its screens want pictures and facts to stand in a span."""
        ...

    @property
    def resource(self) -> Mapping[str, str]:
        """Resource attributes that every span must carry there: the project, the environment, ..."""
        ...

    def exporter(self) -> SpanExporter:
        """A new native OTLP exporter; it belongs to the process that made it."""
        ...

    def keep(self, image: Image, *, trace_id: str, span_id: str, field: Field) -> str:
        """Store a picture natively, once; gives what to write in its place.

        Args:
            image: The picture, in memory.
            trace_id: 32 hexadecimal digits.
            span_id: 16 hexadecimal digits.
            field: Where in the span it stands.

        Raises:
            MediaError: This picture cannot be stored.
            PlatformUnavailable: No picture can be stored now.
        """
        ...

    def attach(self, provider: TracerProvider, processor: SpanProcessor) -> Attachment:
        """Have the provider's spans reach the processor, by way of what the platform's SDK adds to them."""
        ...

    def renew(self) -> None:
        """Let go of connections: this is a forked child, and they belong to its parent."""
        ...

    def shutdown(self) -> None:
        """Let go of everything; called once, after the last span."""
        ...


@runtime_checkable
class TracingPlugin(Protocol):
    """What the plugin of a platform has besides, where the platform takes traces."""

    def tracing(self, shared: TracingOptions, **options: Any) -> TraceDestination:
        """The destination; an option given is stronger than the environment.

        Args:
            shared: Options that are the same for all platforms.
            **options: The platform's own: address, keys.

        Raises:
            PrerequisiteError: Something is not installed or not configured.
        """
        ...


def trace_destination(
    platform: str, shared: TracingOptions | None = None, **options: Any
) -> TraceDestination:
    """A platform by name, as a destination of traces; for use with a :class:`PictureExporter` of one's own.

    Args:
        platform: ``"phoenix"``, ``"langfuse"``.
        shared: Project, environment and so on.
        **options: The platform's own: address, keys; by default its own environment variables.

    Raises:
        UsageError: No such platform, it takes no traces, or it has no such option.
        PrerequisiteError: Something is not installed or not configured.

    Example:
        >>> trace_destination("phoenix", url="http://localhost:6006").name
        'phoenix'
    """
    from vlmops.platforms.registry import plugin

    found = plugin(platform)
    if not isinstance(found, TracingPlugin):
        raise UsageError(f"{platform} takes no traces")
    try:
        return found.tracing(shared or TracingOptions(), **options)
    except ModuleNotFoundError as error:
        raise PrerequisiteError(
            f"{platform} is unavailable ({error.name} is not installed): "
            f"pip install 'vlmops[{found.requires}]'"
        ) from error
    except TypeError as error:
        if not options:
            raise
        raise UsageError(f"{platform}: {error}") from error
