"""Errors of our own, told without what they may quote."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

_FRAMES = 4


def report(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log that something went wrong, with the kind of error and its place.

    Its message stays out of the log: it may quote a request, and with it a picture or a prompt.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    place = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    logger.warning("%s: %s (%s)", what, type(error).__name__, place)
