"""A local text reader as a model: engines in a bounded pool of threads, boxes joined to text."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from vlmops.errors import ImageError, VlmopsError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.models.model import ModelReply, ModelRequest
from vlmops.models.reading_order import TextBox, lines_of, text_of
from vlmops.models.registry import origin_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vlmops.images import Image

FieldParser = Callable[[str], Mapping[str, Any] | None]
"""Makes fields of a document's text; ``None`` when it is no such document."""


class TextReader(Protocol):
    """Finds and reads the text in one picture; used by one thread at a time."""

    def read(self, pixels: NDArray[np.uint8]) -> list[TextBox]:
        """The text boxes in a picture of shape ``(height, width, 3)``, RGB; empty when there is none."""
        ...


def processors() -> int:
    """How many processors this process may use, at least one.

    Example:
        >>> processors() >= 1
        True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class OcrModel:
    """A model that reads the text in the request's pictures; it has no use for prompt and schema.

    The reply's ``output`` is ``{"text": ...}``, and with a parser ``{"text": ..., "fields": ...}``; pictures
    of one request are separated by an empty line. Its metadata holds for each picture the lines with the
    confidence (0..1) and the corners (pixels, clockwise from the top left) of their boxes.

    Attributes:
        name: The name it is asked for by.
        model: The exact model, with its version.
        local: That it runs here and costs nothing.

    Args:
        name: See above.
        model: See above.
        reader: Makes a reader; called once in each worker thread, since readers keep state.
        parser: Makes the fields out of the text.
        workers: How many pictures are read at a time; each holds its own copy of the weights.

    Example:
        >>> class Blind:
        ...     def read(self, pixels):
        ...         return []
        >>> OcrModel("blind", "blind 1.0", Blind, workers=1).name
        'blind'
    """

    local = True

    def __init__(
        self,
        name: str,
        model: str,
        reader: Callable[[], TextReader],
        *,
        parser: FieldParser | None = None,
        workers: int,
    ) -> None:
        self.name = name
        self.model = model
        self._reader = reader
        self._parser = parser
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"vlmops-{name}")

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        """Read the pictures, or say why they could not be read.

        Raises:
            PrerequisiteError: The engine or its weights are not there.
        """
        if not request.images:
            return Failure(FailureKind.TASK_ERROR, f"{self.name} reads pictures, and the request has none")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._answer, request.images)

    def identity(self) -> Mapping[str, Any]:
        """The exact model, and what makes fields out of its text."""
        parser = self._parser
        return {"name": self.name, "model": self.model, "parser": parser and origin_of(parser)}

    def close(self) -> None:
        """Let go of threads and weights; the model cannot be used afterwards."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, images: Sequence[Image]) -> ModelReply | Failure:
        begun = time.perf_counter()
        try:
            pages = [self._read(image) for image in images]
        except ImageError as error:
            return Failure(FailureKind.BAD_IMAGE, str(error))
        except VlmopsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises costs this one answer, not the run
            # The engines put whole tracebacks into their messages; the last line is the reason.
            reason = str(error).strip().splitlines()[-1:] or [""]
            return Failure(
                FailureKind.PROVIDER_ERROR, f"{self.name}: {type(error).__name__}: {reason[0][:300]}"
            )
        text = "\n\n".join(text_of(boxes) for boxes in pages)
        output: dict[str, Any] = {"text": text}
        if self._parser is not None:
            fields = self._parser(text)
            output["fields"] = None if fields is None else dict(fields)
        return ModelReply(
            output=output,
            text=text,
            latency=time.perf_counter() - begun,
            model=self.model,
            metadata={"pictures": [_described(boxes) for boxes in pages]},
        )

    def _read(self, image: Image) -> list[TextBox]:
        reader: TextReader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._reader()
        pixels = image.to_array()
        image.release()
        return reader.read(pixels)


def _described(boxes: Sequence[TextBox]) -> dict[str, Any]:
    lines = [
        [
            {
                "text": box.text,
                "confidence": round(box.confidence, 4),
                "corners": [[round(x, 1), round(y, 1)] for x, y in box.corners],
            }
            for box in line
        ]
        for line in lines_of(boxes)
    ]
    mean = sum(box.confidence for box in boxes) / len(boxes) if boxes else None
    return {"lines": lines, "mean_confidence": None if mean is None else round(mean, 4)}
