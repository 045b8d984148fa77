"""How to reach a Phoenix: argument, then environment, then ``.env.phoenix``, then default.

The variables are those that Phoenix's own client reads, in its order. They are read here, since importing
that client beside an installed Phoenix server imports the whole server, which takes many seconds.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PROJECT = "default"
DEFAULT_PORT = 6006

_ENV_FILE = ".env.phoenix"
_ADDRESSES = (
    "PHOENIX_ENDPOINT",
    "PHOENIX_COLLECTOR_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "PHOENIX_BASE_URL",
    "PHOENIX_HOST",
)
_TRACES_PATH = re.compile(r"/+v1/traces/?$")


@dataclass(frozen=True)
class PhoenixSettings:
    """Where Phoenix is and where its pictures are kept.

    Attributes:
        url: Base URL, without a slash at the end.
        headers: Sent with every request; hold the API key, so they are never printed.
        project: Project for traces when none is named.
        media_store: Folder or fsspec URL of the media store; if ``None``, ``VLMOPS_MEDIA_STORE`` or the
            default folder.
        media_url: Where browsers find stored pictures; if ``None``, ``VLMOPS_MEDIA_URL`` or Phoenix's own
            origin.

    Example:
        >>> PhoenixSettings.resolve(url="http://phoenix.internal:6006/").url
        'http://phoenix.internal:6006'
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    project: str = DEFAULT_PROJECT
    media_store: str | None = None
    media_url: str | None = None

    @classmethod
    def resolve(
        cls,
        url: str | None = None,
        api_key: str | None = None,
        project: str | None = None,
        media_store: str | None = None,
        media_url: str | None = None,
    ) -> PhoenixSettings:
        """Settings from arguments; what is not given, from the environment or a ``.env.phoenix`` file.

        Args:
            url: ``PHOENIX_ENDPOINT``, ``PHOENIX_COLLECTOR_ENDPOINT``, ``PHOENIX_BASE_URL`` or
                ``PHOENIX_HOST`` (with ``PHOENIX_PORT``), else ``http://localhost:6006``.
            api_key: ``PHOENIX_API_KEY``; further headers from ``PHOENIX_CLIENT_HEADERS``.
            project: ``PHOENIX_PROJECT_NAME``, else ``default``.
            media_store: See the attribute.
            media_url: See the attribute.

        Raises:
            UsageError: The URL is not an http(s) URL.
        """
        environment = {**_env_file(Path.cwd()), **os.environ}
        base = url or _address(environment)
        if not base.startswith(("http://", "https://")):
            raise UsageError(f"{base!r} is no Phoenix address: it must begin with http:// or https://")
        return cls(
            url=base.rstrip("/"),
            headers=_headers(environment, api_key),
            project=project or environment.get("PHOENIX_PROJECT_NAME") or DEFAULT_PROJECT,
            media_store=media_store,
            media_url=media_url,
        )


def _address(environment: Mapping[str, str]) -> str:
    port = environment.get("PHOENIX_PORT", "").strip() or str(DEFAULT_PORT)
    for name in _ADDRESSES:
        value = environment.get(name, "").strip()
        if value and name == "PHOENIX_HOST" and "://" not in value:
            host = "localhost" if value in ("0.0.0.0", "::") else value  # noqa: S104 - where a server listens
            return f"http://{host}:{port}"
        if value:
            return _TRACES_PATH.sub("", value)
    return f"http://localhost:{port}"


def _headers(environment: Mapping[str, str], api_key: str | None) -> dict[str, str]:
    pairs = (item.partition("=") for item in environment.get("PHOENIX_CLIENT_HEADERS", "").split(",") if item)
    headers = {unquote(name).strip().lower(): unquote(value).strip() for name, _, value in pairs}
    key = api_key or environment.get("PHOENIX_API_KEY", "").strip()
    if api_key or (key and "authorization" not in headers):
        headers["authorization"] = f"Bearer {key}"
    return headers


def _env_file(start: Path) -> dict[str, str]:
    """The nearest ``.env.phoenix``, upwards from a folder."""
    for folder in (start, *start.parents):
        file = folder / _ENV_FILE
        if file.is_file():
            lines = (line.strip().removeprefix("export ") for line in file.read_text().splitlines())
            pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
            return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    return {}
