"""OpenInference's socket for pictures: ``OPENINFERENCE_BLOB_UPLOADER=vlmops``, and no code at all."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from vlmops.errors import ImageError, MediaError, VlmopsError
from vlmops.images import Image, Preparation
from vlmops.images.metadata import STRIPPABLE
from vlmops.media import MediaAddress
from vlmops.tracing.lifecycle import after_fork, at_exit
from vlmops.tracing.own_errors import report
from vlmops.tracing.workers import Workers
from vlmops_phoenix.pictures import PhoenixPictures
from vlmops_phoenix.settings import PhoenixSettings

if TYPE_CHECKING:
    from openinference.instrumentation import Blob

MAX_BYTES = 128 * 1024 * 1024
_THREADS = 4
_LOG_EVERY_S = 30.0
_EXIT_S = 10.0
_STRIP = Preparation(
    verify=False, animated="keep", screen_pixels=False, accept=tuple(sorted(STRIPPABLE)), orient="tag"
)

_logger = logging.getLogger(__name__)


class PictureUploader:
    """Stores pictures where Phoenix's pages find them, behind the back of the instrumented call.

    OpenInference calls :meth:`upload` on the application's thread with decoded bytes. Metadata (EXIF, GPS)
    is taken out there, since the URL depends on what is stored; the store itself is written in the
    background. What cannot be taken is refused, and OpenInference then redacts it.

    Args:
        settings: Which Phoenix, and which store; by default those of the environment.
        max_bytes: Bytes that wait to be stored, at most.

    Attributes:
        refused: Pictures for which there was no room, or which cannot be made safe to share.
        lost: Pictures that the store did not take, although their URLs had been given out.
    """

    def __init__(self, settings: PhoenixSettings | None = None, max_bytes: int = MAX_BYTES) -> None:
        self._settings = settings or PhoenixSettings.resolve()
        self._max_bytes = max_bytes
        self._workers = Workers(_THREADS, "vlmops-uploads")
        self._log_after = 0.0
        self._begin()
        after_fork(self._begin)
        at_exit(self.shutdown)

    def upload(self, blob: Blob) -> str | None:
        """The URL at which the picture will be, ``None`` when it is not taken; never waits for the store."""
        try:
            return self._accepted(blob.data)
        except VlmopsError as error:
            self._refuse(error.problem if isinstance(error, ImageError) else str(error))
            return None
        except Exception as error:  # noqa: BLE001 - tracing never breaks the application
            report(_logger, "a picture could not be taken", error)
            return None

    def shutdown(self, timeout_sec: float = _EXIT_S) -> None:
        """Wait until what was taken is stored; OpenInference never calls it, the interpreter's end does."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting, timeout=timeout_sec):
                _logger.warning("%d bytes of pictures were not stored before the end", self._waiting)

    def _accepted(self, data: bytes) -> str | None:
        image = Image.from_bytes(data, "<picture in a span>")
        if image.media_type not in STRIPPABLE:
            raise MediaError(f"{image.media_type} may hold metadata that cannot be taken out here")
        image = _STRIP.prepare(image)
        address = MediaAddress(image.sha256, image.media_type)
        with self._changed:
            if self._waiting + image.byte_length > self._max_bytes:
                raise MediaError("too many pictures wait to be stored")
            self._waiting += image.byte_length
        self._workers.submit(lambda: self._store(image))
        return self._pictures.browser_url(address)

    def _store(self, image: Image) -> None:
        try:
            self._pictures.keep_now(image)
        except Exception as error:  # noqa: BLE001 - whatever a store raises, the next picture is to be tried
            self.lost += 1
            self._log(f"{self.lost} pictures were not stored: {error}")
        finally:
            with self._changed:
                self._waiting -= image.byte_length
                self._changed.notify_all()

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self._log(f"{self.refused} pictures were not taken, the last one because: {reason}")

    def _log(self, message: str) -> None:
        if time.monotonic() >= self._log_after:
            self._log_after = time.monotonic() + _LOG_EVERY_S
            _logger.warning("%s", message)

    def _begin(self) -> None:
        self._pictures = PhoenixPictures(self._settings)
        self._changed = threading.Condition()
        self._waiting = 0
        self.refused = 0
        self.lost = 0
