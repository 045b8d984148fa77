"""The program that looks pictures up in the index of pixels for another process; see ``pixel_workers``."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from vlmops.errors import ImageError
from vlmops.images.pixel_index import PixelIndex

if TYPE_CHECKING:
    from typing import Any

    from vlmops.images.image import Image

READY = b"vlmops reads pictures\n"
"""Its first line; a line of JSON for each picture follows."""


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
            answers.write(json.dumps(_found(index, *asked)).encode() + b"\n")
    except BrokenPipeError:
        """Nobody listens any more."""
    finally:
        index.close()


def _next() -> tuple[str, Image] | None:
    """The working folder of who asks, and the picture; ``None`` at the end."""
    try:
        asked: tuple[str, Image] | None = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who started this
    except EOFError:
        return None
    return asked


def _found(index: PixelIndex, folder: str, picture: Image) -> dict[str, Any]:
    """Nothing is said of what cannot be read: whoever asks tries it too, and tells what is wrong."""
    try:
        # A path may be relative, and who asks may have moved since this was started.
        os.chdir(folder)
        with picture.held():
            stands = index.stands_for(picture)
            # A file that the index knows by its stamp has not been read, and need not be.
            return {"stands": stands, "facts": asdict(picture.facts) if picture.is_known else None}
    except (ImageError, MemoryError, OSError):
        return {}


def _load_decoders() -> None:
    import vlmops.images.decode
    import vlmops.images.image
    import vlmops.images.pixels  # noqa: F401
