"""Where a browser finds a stored picture."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from vlmops.errors import UsageError
from vlmops.media.address import MediaAddress

URL_ENV = "VLMOPS_MEDIA_URL"
"""Environment variable with the URL below which browsers find pictures."""

MEDIA_PATH = "/vlmops/media"
"""Path below which every server of ours, the media app and the Phoenix middleware, gives pictures out."""

# Keeps data URIs of many megabytes from being taken apart.
_LONGEST_URL = 4096
_PREFIX = re.compile(r"(?:https?://[^/?#@\s\\]+)?(?:/[^/?#\s\\]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """How pictures are addressed in a browser: ``<prefix>/<sha256>.<ext>``.

    Attributes:
        prefix: A path on the origin of the page that shows the picture (``/vlmops/media``, the default), or
            an absolute URL: of the media app, or of a CDN on the bucket. A trailing slash is dropped.

    Raises:
        UsageError: The prefix is neither.

    Example:
        >>> policy = UrlPolicy("https://pictures.example.com/vlmops/media")
        >>> address = MediaAddress("a" * 64, "image/png")
        >>> policy.url_for(address, width=200) == f"{policy.prefix}/{address.name}?w=200"
        True
    """

    prefix: str = MEDIA_PATH

    def __post_init__(self) -> None:
        stripped = self.prefix.rstrip("/")
        if not stripped or not _PREFIX.fullmatch(stripped):
            raise UsageError(
                f"media URL {self.prefix!r} must be a path such as {MEDIA_PATH} or an http(s) URL,"
                " without credentials, query and fragment"
            )
        object.__setattr__(self, "prefix", stripped)

    @classmethod
    def configured(cls, prefix: str | None = None, *, root_path: str = "") -> UrlPolicy:
        """The policy in force: ``prefix``, else ``VLMOPS_MEDIA_URL``, else the default.

        Args:
            prefix: See ``UrlPolicy.prefix``.
            root_path: Path below which the platform itself is served; goes before the default prefix.

        Raises:
            UsageError: The prefix is malformed.

        Example:
            >>> UrlPolicy.configured(root_path="/phoenix").prefix
            '/phoenix/vlmops/media'
        """
        return cls(prefix or os.environ.get(URL_ENV) or root_path.rstrip("/") + MEDIA_PATH)

    @property
    def is_absolute(self) -> bool:
        """Whether URLs name their host; a relative one works on the platform's own pages only."""
        return "://" in self.prefix

    def on(self, origin: str) -> UrlPolicy:
        """This policy with absolute URLs: a relative prefix is put on ``origin``, an absolute one is kept.

        Raises:
            UsageError: ``origin`` is no http(s) origin.

        Example:
            >>> UrlPolicy().on("http://localhost:6006").prefix
            'http://localhost:6006/vlmops/media'
        """
        return self if self.is_absolute else UrlPolicy(origin.rstrip("/") + self.prefix)

    def url_for(self, address: MediaAddress, width: int | None = None) -> str:
        """URL of a picture, or of its thumbnail, ``width`` pixels wide rounded up to a rung of the ladder."""
        url = f"{self.prefix}/{address.name}"
        return url if width is None else f"{url}?w={width}"

    def address_in(self, url: str) -> MediaAddress | None:
        """The picture that ``url`` shows when it is one of ours, else ``None``.

        A URL is ours when it ends in this policy's path, or the default path, and the name of a picture;
        host, query and whatever path goes before do not matter, since servers move.

        Example:
            >>> url = "http://old-host:6006/phoenix/vlmops/media/" + "a" * 64 + ".png?w=64"
            >>> UrlPolicy().address_in(url).media_type
            'image/png'
        """
        if len(url) > _LONGEST_URL:
            return None
        try:
            folder, _, name = urlsplit(url).path.rpartition("/")
        except ValueError:
            return None
        own = urlsplit(self.prefix).path
        ours = folder.endswith(MEDIA_PATH) or (folder.endswith(own) if own else not folder)
        return MediaAddress.parse(name) if ours else None
