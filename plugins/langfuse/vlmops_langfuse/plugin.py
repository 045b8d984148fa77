"""The entry point ``vlmops.platforms``; imports nothing of Langfuse until it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vlmops.platforms.port import LocalServer, Platform
    from vlmops.tracing import TraceDestination, TracingOptions


@dataclass(frozen=True, slots=True)
class LangfusePlugin:
    """Makes connections to Langfuse."""

    name: str = "langfuse"
    requires: str = "langfuse"
    modules: Sequence[str] = ("langfuse", "aiohttp")

    def connect(self, **options: Any) -> Platform:
        """Connect; options are those of :meth:`LangfuseSettings.resolve`."""
        from vlmops_langfuse.platform import LangfusePlatform
        from vlmops_langfuse.settings import LangfuseSettings

        return LangfusePlatform(LangfuseSettings.resolve(**options))

    def tracing(self, shared: TracingOptions, **options: Any) -> TraceDestination:
        """Where traces go; options are those of :meth:`LangfuseSettings.resolve`."""
        from vlmops_langfuse.settings import LangfuseSettings
        from vlmops_langfuse.tracing import LangfuseTracing

        settings = LangfuseSettings.resolve(**options)
        return LangfuseTracing(settings, environment=shared.environment, release=shared.release)

    def start_local(self, data_dir: Path, port: int | None = None) -> LocalServer:  # noqa: ARG002
        """Langfuse is several services (Postgres, ClickHouse, Redis, a bucket): not one process of ours.

        Raises:
            PrerequisiteError: Always; the message says how to start one.
        """
        raise PrerequisiteError(
            "vlmops cannot start Langfuse: run 'docker compose up' in a checkout of langfuse/langfuse, "
            "then set LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        )

    def media_environment(self) -> Mapping[str, str]:
        """Empty: Langfuse keeps pictures in its own bucket."""
        return {}


PLATFORM = LangfusePlugin()
