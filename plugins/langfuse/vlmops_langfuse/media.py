"""Langfuse's media store: pictures go in many at once and once only, and are read back by a fresh URL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from weakref import WeakValueDictionary

import httpx

from vlmops.errors import ImageError, MediaError, PlatformUnavailable
from vlmops.images import Image, ImageReference
from vlmops_langfuse.connection import LangfuseConnection, LangfuseRefusal
from vlmops_langfuse.media_upload import (
    FILE,
    STORED,
    MediaTarget,
    acceptable,
    confirmation,
    declaration,
    upload_headers,
    upload_seconds,
)
from vlmops_langfuse.pool import HttpAnswer, NoAnswer, ssl_context
from vlmops_langfuse.references import media_id, media_id_in_url, parse_reference, reference_to

if TYPE_CHECKING:
    from vlmops_langfuse.settings import LangfuseSettings

_FETCH_SECONDS = 60.0
_REMEMBERED = 100_000


class LangfuseMedia:
    """The media of one project.

    The bytes of a picture are uploaded once; for each further target it is only declared, which is what keeps
    it alive when traces expire.
    """

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection
        self._stored: set[str] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def store(self, image: Image, target: MediaTarget) -> str:
        """Make sure the picture is stored and belongs to the target; gives its reference string.

        A type that Langfuse does not take is encoded anew, see :func:`~.media_upload.acceptable`.

        Raises:
            ImageError: It cannot be encoded anew.
            MediaError: Langfuse or its bucket does not take it.
            PlatformUnavailable: One of them does not answer.
        """
        drawn = await asyncio.to_thread(acceptable, image)
        return await self._store(drawn, target, drawn.media_type)

    async def store_file(self, image: Image, target: MediaTarget) -> str:
        """As :meth:`store`, every byte as it is, but not as a picture: Langfuse offers it as a download."""
        return await self._store(image, target, FILE)

    async def _store(self, image: Image, target: MediaTarget, media_type: str) -> str:
        identity = media_id(image.sha256)
        lock = self._locks.setdefault(identity, asyncio.Lock())
        async with lock:
            url = await self._declare(image, target, media_type)
            if url is not None and identity not in self._stored:
                await self._upload(image, identity, url, media_type)
            if len(self._stored) > _REMEMBERED:
                self._stored.clear()
            self._stored.add(identity)
        return reference_to(image, media_type)

    async def _declare(self, image: Image, target: MediaTarget, media_type: str) -> str | None:
        try:
            answer = await self._connection.post("/api/public/media", declaration(image, target, media_type))
        except LangfuseRefusal as error:
            raise MediaError(f"{image.source}: {error}") from error
        url: str | None = answer["uploadUrl"]
        return url

    async def _upload(self, image: Image, identity: str, url: str, media_type: str) -> None:
        data = await asyncio.to_thread(image.read)
        started = time.monotonic()
        try:
            response = await self._connection.retries.answer(
                lambda: self._connection.bucket.request(
                    "PUT",
                    url,
                    content=data,
                    headers=upload_headers(image, url, media_type),
                    seconds=upload_seconds(len(data)),
                )
            )
        except NoAnswer as error:
            problem = (
                f"Langfuse's bucket at {urlsplit(url).netloc} does not take the upload ({error}); it "
                "comes from the server's LANGFUSE_S3_MEDIA_UPLOAD_ENDPOINT and must be reachable from here"
            )
            # Where others were stored it is this one's fault.
            if self._stored:
                raise MediaError(f"{image.source}: {problem}") from error
            raise PlatformUnavailable(problem) from error
        await self._confirm(identity, response, time.monotonic() - started)
        if response.status not in STORED:
            raise MediaError(
                f"{image.source}: Langfuse's bucket at {urlsplit(url).netloc} refused the upload with "
                f"{response.status}"
            )

    async def _confirm(self, identity: str, response: HttpAnswer, seconds: float) -> None:
        """Until this says 200 or 201, Langfuse refuses every item that names the picture."""
        body = confirmation(response.status, response.reason, seconds)
        try:
            await self._connection.patch(f"/api/public/media/{identity}", body)
        except LangfuseRefusal as error:
            raise MediaError(f"the upload of media {identity} could not be confirmed: {error}") from error


@dataclass(frozen=True)
class MediaOrigin:
    """A picture in Langfuse's media store, read by a URL signed afresh each time.

    Attributes:
        settings: Which Langfuse.
        id: The media's id.
    """

    settings: LangfuseSettings
    id: str

    @property
    def description(self) -> str:
        """Its id, for messages."""
        return f"Langfuse media {self.id}"

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            ImageError: Langfuse does not have it, or its bucket does not give it.
        """
        keys = (self.settings.public_key, self.settings.secret_key)
        with httpx.Client(timeout=_FETCH_SECONDS, verify=ssl_context(), follow_redirects=True) as http:
            asked = f"{self.settings.url}/api/public/media/{quote(self.id, safe='')}"
            url = self._answer(http, asked, "Langfuse", auth=keys).json()["url"]
            return self._answer(http, url, f"the bucket at {urlsplit(url).netloc}").content

    def _answer(self, http: httpx.Client, url: str, who: str, **options: Any) -> httpx.Response:
        """A few attempts: what breaks now and then must not cost a picture."""
        problem = ""
        for attempt in range(_ATTEMPTS):
            time.sleep(0 if attempt == 0 else 0.1 * 2**attempt)
            try:
                response = http.get(url, **options)
            except httpx.TransportError as error:
                problem = f"{who} does not answer ({type(error).__name__})"
                continue
            if response.is_success:
                return response
            problem = f"{who} answered {response.status_code}"
            if response.status_code < 500 and response.status_code != 429:
                break
        raise ImageError(self.description, problem, "push the dataset again if the media was deleted")


_ATTEMPTS = 4


def restored(settings: LangfuseSettings, reference: ImageReference) -> Image:
    """The picture that a ``$image`` reference names, from the media store."""
    return Image.from_reference(reference, MediaOrigin(settings, media_id(reference.sha256)))


def resolved(settings: LangfuseSettings, value: Any) -> Any:
    """A JSON tree of any origin, with a picture in the place of whatever stands for one.

    Reference strings, the SDK's ``LangfuseMediaReference`` and ``LangfuseMedia``, chat parts (OpenAI,
    Anthropic, Gemini, Responses), data URIs and signed URLs of the bucket, expired ones too.
    """
    if isinstance(value, str):
        return _from_text(settings, value)
    if isinstance(value, Mapping):
        found = _from_part(settings, value)
        return (
            found if found is not None else {key: resolved(settings, inner) for key, inner in value.items()}
        )
    if isinstance(value, list | tuple):
        return [resolved(settings, inner) for inner in value]
    reference = getattr(value, "reference_string", None)
    if isinstance(reference, str):
        return _from_text(settings, reference)
    if isinstance(getattr(value, "media_id", None), str):
        return Image.from_origin(MediaOrigin(settings, value.media_id))
    return value


def _from_text(settings: LangfuseSettings, text: str) -> Any:
    if text.startswith("@@@"):
        reference = parse_reference(text)
        if reference is not None and reference.media_type.startswith("image/"):
            return Image.from_origin(MediaOrigin(settings, reference.id))
    elif text.startswith("data:image/"):
        try:
            return Image.from_data_uri(text)
        except ImageError:
            return text
    elif text.startswith(("http://", "https://")) and (found := media_id_in_url(text)):
        return Image.from_origin(MediaOrigin(settings, found))
    return text


def _from_part(settings: LangfuseSettings, part: Mapping[str, Any]) -> Image | None:
    """The picture of a chat part; there, any URL is one."""
    place: Any = None
    if part.get("type") in ("image_url", "input_image"):
        place = part.get("image_url")
        place = place.get("url") if isinstance(place, Mapping) else place
    elif part.get("type") == "image" and isinstance(part.get("source"), Mapping):
        source = part["source"]
        place = source.get("url") or _as_uri(source.get("media_type"), source.get("data"))
    elif isinstance(inline := part.get("inline_data") or part.get("inlineData"), Mapping):
        place = _as_uri(inline.get("mime_type") or inline.get("mimeType"), inline.get("data"))
    if place is None:
        return None
    found = _from_text(settings, place) if isinstance(place, str) else resolved(settings, place)
    if isinstance(found, Image):
        return found
    is_url = isinstance(found, str) and found.startswith(("http://", "https://"))
    return Image.from_url(found) if is_url else None


def _as_uri(media_type: Any, data: Any) -> Any:
    """A data URI of base64 text; a reference that an exporter put in its place stays as it is."""
    if not isinstance(data, str) or data.startswith("@@@"):
        return data
    return f"data:{media_type or 'image/png'};base64,{data}"
