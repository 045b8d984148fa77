"""Pictures on Phoenix's behalf: kept in the media store, shown by URL, given back by reference."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vlmops.errors import ImageError, MediaError
from vlmops.images import Image, ImageReference
from vlmops.media import FolderStore, MediaAddress, MediaNotFound, MediaStore, UrlPolicy, open_store

if TYPE_CHECKING:
    from vlmops_phoenix.settings import PhoenixSettings

_FETCH_SECONDS = 30.0

_REMOTE = ("http://", "https://", "s3://", "gs://", "gcs://", "az://", "abfs://", "abfss://")


@dataclass(frozen=True)
class StoredOrigin:
    """A picture in the media store; where the store of this machine lacks it, the served URL is asked.

    Attributes:
        pictures: Store and URLs.
        address: Which picture.
    """

    pictures: PhoenixPictures
    address: MediaAddress

    @property
    def description(self) -> str:
        """Its address, for messages."""
        return f"stored picture {self.address.name}"

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            ImageError: Neither the store nor the URL has it.
        """
        try:
            return self.pictures.store.read(self.address)
        except MediaNotFound:
            return self.pictures.fetch(self.address)
        except MediaError as error:
            raise ImageError(self.description, str(error)) from error


class PhoenixPictures:
    """The media store and the URLs under which Phoenix's pages find what is in it.

    Attributes:
        store: The store.
        urls: Address to URL and back.
    """

    def __init__(self, settings: PhoenixSettings) -> None:
        self._settings = settings
        self.store: MediaStore = open_store(settings.media_store)
        self.urls = UrlPolicy.configured(settings.media_url, root_path=urlsplit(settings.url).path)

    def url_of(self, image: Image, width: int | None = None) -> str:
        """Where a browser that shows Phoenix's pages finds the picture, or a thumbnail of it."""
        return self.urls.url_for(_address(image), width)

    def has_at_hand(self, image: Image) -> bool:
        """Whether the picture is stored, as far as that can be told without reading it or asking a server."""
        return image.is_known and isinstance(self.store, FolderStore) and self.store.has(_address(image))

    async def keep(self, image: Image) -> None:
        """Store the picture unless it is stored."""
        # A look into a folder costs less than the hand-over to a thread that other stores need.
        if not self.has_at_hand(image):
            await asyncio.to_thread(self.keep_now, image)

    def keep_now(self, image: Image) -> None:
        """As :meth:`keep`, on the calling thread.

        Raises:
            MediaError: The store does not take it.
        """
        if not self.store.has(_address(image)):
            self.store.put(image.read(), image.media_type)

    def restore(self, reference: ImageReference) -> Image:
        """The picture a reference names, read when it is needed."""
        address = MediaAddress(reference.sha256, reference.media_type)
        return Image.from_reference(reference, StoredOrigin(self, address))

    def at(self, url: str) -> Image:
        """The picture a page shows under this URL: ours by address, any other by URL or data URI.

        Raises:
            ImageError: It is neither. What a trace names may come from anyone, so it never reaches into this
                machine's files (``file://``, a path, a chain of fsspec URLs).
        """
        address = self.urls.address_in(url)
        if address is not None:
            return Image.from_origin(StoredOrigin(self, address))
        if url.startswith("data:"):
            return Image.from_data_uri(url)
        if not url.lower().startswith(_REMOTE):
            raise ImageError("a picture in a trace", "is under no web or bucket address", "")
        return Image.from_url(url)

    def browser_url(self, address: MediaAddress) -> str:
        """The absolute URL a browser on Phoenix's pages asks for the picture."""
        parts = urlsplit(self._settings.url)
        return self.urls.on(f"{parts.scheme}://{parts.netloc}").url_for(address)

    def fetch(self, address: MediaAddress) -> bytes:
        """The picture's bytes over HTTP, from where browsers get them.

        Raises:
            ImageError: It is not there either.
        """
        import httpx

        url = self.browser_url(address)
        own = urlsplit(url).netloc == urlsplit(self._settings.url).netloc
        headers = dict(self._settings.headers) if own else {}
        source = f"stored picture {address.name}"
        fix = "push the dataset again, or set VLMOPS_MEDIA_STORE to the store it was pushed to"
        try:
            response = httpx.get(url, headers=headers, timeout=_FETCH_SECONDS, follow_redirects=True)
            response.raise_for_status()
        except httpx.HTTPError as error:
            where = f"neither in {self.store.description} nor at {url}"
            raise ImageError(source, f"{where} ({type(error).__name__})", fix) from error
        if MediaAddress.of(response.content, address.media_type) != address:
            raise ImageError(source, f"{url} gave other bytes than the address promises", fix)
        return response.content


def _address(image: Image) -> MediaAddress:
    return MediaAddress(image.sha256, image.media_type)
