"""The program that looks pictures up, and makes them ready, for another process; see ``picture_workers``."""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from vlmops.errors import ImageError
from vlmops.images.pixel_index import PixelIndex

if TYPE_CHECKING:
    from io import RawIOBase
    from typing import Any

    from vlmops.images.image import Image
    from vlmops.images.preparation import Preparation

READY = b"vlmops reads pictures\n"
"""What it says first; for each picture a :data:`HEAD` follows, and what it gives the lengths of."""

HEAD = struct.Struct("!II")
"""Length of the JSON that says what was found, and of the prepared bytes."""

LONGEST_SENT = 1 << 20
"""Longer pictures take as long to send from process to process as to make ready."""


def main() -> None:
    """Answer until nobody asks any more."""
    # Ctrl-C is for whoever started this, and who then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # Whatever a decoder prints must not get among the answers.
    os.dup2(2, 1)
    index = PixelIndex()
    _load_decoders()
    answers.write(READY)
    try:
        while (asked := _next()) is not None:
            _write(answers, *_found(index, *asked))
    except BrokenPipeError:
        """Nobody listens any more."""
    finally:
        index.close()


def _next() -> tuple[str, Image, Preparation | None] | None:
    """The working folder of who asks, the picture, and what is to be done to it; ``None`` at the end."""
    asked: tuple[str, Image, Preparation | None] | None
    try:
        asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who started this
    except EOFError:
        return None
    return asked


def _write(answers: RawIOBase, said: dict[str, Any], data: bytes) -> None:
    text = json.dumps(said).encode()
    rest = memoryview(HEAD.pack(len(text), len(data)) + text + data)
    while rest:
        rest = rest[answers.write(rest) :]


def _found(
    index: PixelIndex, folder: str, picture: Image, preparation: Preparation | None
) -> tuple[dict[str, Any], bytes]:
    """Nothing is said of what cannot be read: whoever asks tries it too, and tells what is wrong."""
    try:
        # A path may be relative, and who asks may have moved since this was started.
        os.chdir(folder)
        with picture.held():
            stands = index.stands_for(picture)
            prepared = _prepared(picture, preparation)
            if picture.is_known:
                # The index may have known the file by what it held until it was read.
                stands = index.stands_for(picture)
            said = {
                "stands": stands,
                # A file that the index knows by its stamp has not been read, and need not be.
                "facts": asdict(picture.facts) if picture.is_known else None,
                "prepared": asdict(prepared.facts) if prepared else None,
            }
            return said, prepared.read() if prepared else b""
    except (ImageError, MemoryError, OSError):
        return {}, b""


def _prepared(picture: Image, preparation: Preparation | None) -> Image | None:
    """``None`` where it is not asked for, too long to send, or cannot be: who asks will be told then.

    What has to be encoded anew is left to who asks, too: threads do that beside each other, and beside this.
    """
    if preparation is None or picture.byte_length > LONGEST_SENT:
        return None
    try:
        return preparation.prepare_as_encoded(picture)
    except ImageError:
        return None


def _load_decoders() -> None:
    import vlmops.images.decode
    import vlmops.images.image
    import vlmops.images.pixels
    import vlmops.images.preparation  # noqa: F401
