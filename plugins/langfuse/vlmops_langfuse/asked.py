"""What a model was asked, in the shape in which Langfuse draws it in a generation."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from vlmops.concurrency import map_each
from vlmops.errors import ImageError, MediaError
from vlmops_langfuse.references import media_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.images import Image
    from vlmops.models import ModelCall
    from vlmops_langfuse.media import LangfuseMedia
    from vlmops_langfuse.media_upload import MediaTarget

_logger = logging.getLogger(__name__)


class AskedPictures:
    """Puts the pictures that models were shown where a generation can draw them.

    Args:
        media: Stores those that are not stored.
        target: The generation they were shown in.
        stored: References of pictures that are stored already, by media id: of these nothing is sent.
    """

    def __init__(
        self, media: LangfuseMedia, target: MediaTarget, stored: Mapping[str, str] | None = None
    ) -> None:
        self._media = media
        self._target = target
        self._stored = stored or {}

    async def messages(self, call: ModelCall) -> list[dict[str, Any]]:
        """The conversation as chat messages, each picture a media reference, in its place among the texts.

        A picture that cannot be stored is named there instead: a trace that lacks one is no reason to lose
        an answer.

        Raises:
            PlatformUnavailable: Langfuse or its bucket does not answer.
        """
        return [
            {"role": turn.role, "content": await map_each(turn.content, self._part)}
            for turn in call.request.conversation
        ]

    async def _part(self, piece: str | Image) -> dict[str, Any]:
        """A part of a chat message; pictures in the one shape that Langfuse draws inline."""
        if isinstance(piece, str):
            return {"type": "text", "text": piece}
        try:
            reference = await self._reference(piece)
        except (ImageError, MediaError) as error:
            _logger.warning("a picture shown to a model is not in its trace: %s", error)
            return {"type": "text", "text": f"(a picture that could not be stored: {piece.source})"}
        return {"type": "image_url", "image_url": {"url": reference}}

    async def _reference(self, image: Image) -> str:
        if self._stored:
            # Reads the file of a picture that nobody has looked at.
            digest = await asyncio.to_thread(lambda: image.sha256)
            if reference := self._stored.get(media_id(digest)):
                return reference
        return await self._media.store(image, self._target)


def prompt_link(call: ModelCall) -> dict[str, str | int]:
    """Attributes that tie a generation to its prompt; a version that is no number is another platform's.

    Langfuse's SDK names a prompt by the prompt itself, which it would have to fetch first.
    """
    from langfuse import LangfuseOtelSpanAttributes

    version = str((call.prompt or {}).get("version", ""))
    if not version.isdecimal():
        return {}
    return {
        LangfuseOtelSpanAttributes.OBSERVATION_PROMPT_NAME: str((call.prompt or {})["name"]),
        LangfuseOtelSpanAttributes.OBSERVATION_PROMPT_VERSION: int(version),
    }
