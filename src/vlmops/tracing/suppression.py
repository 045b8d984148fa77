"""Keeps tracing from tracing itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uninstrumented() -> Iterator[None]:
    """Within it, HTTP and other instrumentors record nothing, as in OpenTelemetry's own processors."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        yield
    finally:
        detach(token)
