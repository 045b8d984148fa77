"""The entry point ``vlmops.platforms``; imports nothing of Phoenix until it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vlmops.platforms.port import LocalServer, Platform
    from vlmops.tracing import TraceDestination, TracingOptions


@dataclass(frozen=True, slots=True)
class PhoenixPlugin:
    """Makes connections to Phoenix, and starts one on this machine."""

    name: str = "phoenix"
    requires: str = "phoenix"
    modules: Sequence[str] = ("phoenix", "httpx", "openinference")

    def connect(self, **options: Any) -> Platform:
        """Connect; options are those of :meth:`PhoenixSettings.resolve`."""
        from vlmops_phoenix.platform import PhoenixPlatform
        from vlmops_phoenix.settings import PhoenixSettings

        return PhoenixPlatform(PhoenixSettings.resolve(**options))

    def tracing(self, shared: TracingOptions, **options: Any) -> TraceDestination:
        """Where traces go; options are those of :meth:`PhoenixSettings.resolve`."""
        from vlmops_phoenix.settings import PhoenixSettings
        from vlmops_phoenix.tracing import PhoenixTracing

        chosen = {"project": shared.project, "media_store": shared.media_store, **options}
        return PhoenixTracing(PhoenixSettings.resolve(**chosen))

    def start_local(self, data_dir: Path, port: int | None = None) -> LocalServer:
        """Start Phoenix on this machine with the media middleware; see :class:`PhoenixServer`."""
        from vlmops_phoenix.server import PhoenixServer

        return PhoenixServer.start(data_dir, port)

    def media_environment(self) -> Mapping[str, str]:
        """Environment for ``phoenix serve`` in which it shows the pictures of the media store."""
        from vlmops.media.store import STORE_ENV, configured_location
        from vlmops_phoenix.middleware import middleware_path

        return {"PHOENIX_FASTAPI_MIDDLEWARE_PATHS": middleware_path(), STORE_ENV: configured_location()}


PLATFORM = PhoenixPlugin()
