"""How to reach a Phoenix: argument, then environment, then default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vlmops.errors import UsageError

DEFAULT_PROJECT = "default"


@dataclass(frozen=True)
class PhoenixSettings:
    """Where Phoenix is and where its pictures are kept.

    Attributes:
        url: Base URL, without a slash at the end.
        headers: Sent with every request; hold the API key, so they are never printed.
        project: Project for traces when none is named.
        media_store: Folder or fsspec URL of the media store; ``VLMOPS_MEDIA_STORE`` or the default if ``None``.
        media_url: Where browsers find stored pictures; ``VLMOPS_MEDIA_URL`` or Phoenix's own origin if ``None``.
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
        """Settings from arguments; what is not given comes from the variables the Phoenix client itself reads.

        Args:
            url: ``PHOENIX_BASE_URL`` / ``PHOENIX_COLLECTOR_ENDPOINT`` / ``PHOENIX_HOST``, else localhost:6006.
            api_key: ``PHOENIX_API_KEY``.
            project: ``PHOENIX_PROJECT_NAME``, else ``default``.
            media_store: See the attribute.
            media_url: See the attribute.

        Raises:
            UsageError: The URL is not an http(s) URL.
        """
        import os

        from phoenix.client.utils.config import get_base_url, get_env_client_headers

        base = url or str(get_base_url())
        if not base.startswith(("http://", "https://")):
            raise UsageError(f"{base!r} is no Phoenix address: it must begin with http:// or https://")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else get_env_client_headers()
        return cls(
            url=base.rstrip("/"),
            headers=headers,
            project=project or os.environ.get("PHOENIX_PROJECT_NAME") or DEFAULT_PROJECT,
            media_store=media_store,
            media_url=media_url,
        )
