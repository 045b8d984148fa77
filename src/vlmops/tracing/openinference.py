"""The configuration that lets OpenInference instrumentors hand pictures over whole, and cheaply."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from vlmops.errors import PrerequisiteError
from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.openai_requests import is_picture_uri

if TYPE_CHECKING:
    from openinference.instrumentation import TraceConfig

_UNLIMITED = 1_000_000_000


def trace_config(**options: Any) -> TraceConfig:
    """An OpenInference ``TraceConfig`` for use with :class:`~vlmops.tracing.PictureProcessor`.

    OpenInference redacts pictures above 24 KB. With this configuration no picture is redacted, and what an
    instrumentor records as a picture travels as a short placeholder until the span is exported. What other
    settings hide stays hidden.

    Args:
        **options: Of ``TraceConfig``: ``hide_input_images=True``, ...

    Raises:
        PrerequisiteError: OpenInference is not installed.

    Example:
        >>> config = trace_config(hide_input_text=True)
        >>> config.base64_image_max_length
        1000000000
    """
    return _config_class()(**{"base64_image_max_length": _UNLIMITED, **options})


@cache
def _config_class() -> type[TraceConfig]:
    try:
        from openinference.instrumentation import TraceConfig
    except ImportError as error:
        raise PrerequisiteError(
            "OpenInference is not installed: pip install openinference-instrumentation"
        ) from error

    class PictureTraceConfig(TraceConfig):
        """Puts placeholders into attributes."""

        def mask(self, key: str, value: Any, *, externalize: bool = True) -> Any:
            masked = super().mask(key, value, externalize=externalize)
            if isinstance(masked, str) and is_picture_uri(masked):
                return PAYLOADS.hold(masked)
            return masked

    return PictureTraceConfig
