"""Two text readers whose weights come inside their wheels: PP-OCRv6 and, a generation older, PP-OCRv4."""

from __future__ import annotations

import logging
import threading
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.models.ocr import FieldParser, OcrModel, processors
from vlmops.models.reading_order import TextBox

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_WORKERS = 4
"""Upper bound of the default number of workers: each holds its own copy of the weights."""

LONGEST_SIDE = 2000
"""Pixels beyond which both packages shrink a picture. By default they also enlarge small ones, which
doubles the time spent on narrow receipts and gains nothing on writing that is legible at all."""

_loading = threading.Lock()


def rapidocr(*, parser: FieldParser | None = None, workers: int | None = None) -> OcrModel:
    """The text reader PP-OCRv6 (small), which keeps the spaces between words.

    Reads without a network: the weights are those in the wheel of ``rapidocr``. Pictures longer than 2000
    pixels are shrunk to that; smaller ones are read as they are.

    Args:
        parser: Makes fields out of the text, see :class:`~vlmops.models.OcrModel`.
        workers: How many pictures are read at a time; one for each processor, at most four, when ``None``.
            More processors than that are shared out among them.

    Raises:
        UsageError: ``workers`` is below one.

    Example:
        >>> rapidocr(workers=1).name
        'rapidocr'
    """
    workers, threads = _shares(workers)
    return OcrModel(
        "rapidocr",
        f"rapidocr {version('rapidocr')} (PP-OCRv6 small)",
        lambda: _RapidOcr(threads),
        parser=parser,
        workers=workers,
    )


def rapidocr_onnxruntime(*, parser: FieldParser | None = None, workers: int | None = None) -> OcrModel:
    """The text reader PP-OCRv4, an older generation that tends to lose the spaces between words.

    Arguments and errors are those of :func:`rapidocr`.

    Example:
        >>> rapidocr_onnxruntime(workers=1).name
        'rapidocr-onnxruntime'
    """
    workers, threads = _shares(workers)
    return OcrModel(
        "rapidocr-onnxruntime",
        f"rapidocr-onnxruntime {version('rapidocr-onnxruntime')} (PP-OCRv4)",
        lambda: _RapidOcrOnnxruntime(threads),
        parser=parser,
        workers=workers,
    )


def _shares(workers: int | None) -> tuple[int, int]:
    if workers is not None and workers < 1:
        raise UsageError(f"workers is {workers}; at least one picture must be read at a time")
    cores = processors()
    # Pictures side by side are read as fast as one picture by several threads, and much faster where other
    # processes want the processors too: threads of one picture wait for each other at every layer.
    count = workers or min(cores, MAX_WORKERS)
    return count, max(1, cores // count)


class _RapidOcr:
    def __init__(self, threads: int) -> None:
        with _loading:
            _quieten("RapidOCR")
            from rapidocr import RapidOCR

            self._engine: Any = RapidOCR(
                params={
                    "Global.log_level": "error",
                    "Det.limit_type": "max",
                    "Det.limit_side_len": LONGEST_SIDE,
                    "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
            for part in (self._engine.cfg.Det, self._engine.cfg.Cls, self._engine.cfg.Rec):
                part.model_path = str(_bundled_weights(part))

    def read(self, pixels: NDArray[np.uint8]) -> list[TextBox]:
        found = self._engine(_as_bgr(pixels))
        if found.boxes is None or found.txts is None:
            return []
        return [_box(*piece) for piece in zip(found.boxes, found.txts, found.scores, strict=True)]


class _RapidOcrOnnxruntime:
    def __init__(self, threads: int) -> None:
        with _loading:
            _quieten("RapidOCR", "OrtInferSession")
            engine = import_module("rapidocr_onnxruntime").RapidOCR
            # With "max" it chooses the limit itself, never above LONGEST_SIDE, and enlarges nothing.
            self._engine: Any = engine(
                intra_op_num_threads=threads, inter_op_num_threads=1, det_limit_type="max"
            )

    def read(self, pixels: NDArray[np.uint8]) -> list[TextBox]:
        found, _ = self._engine(_as_bgr(pixels))
        return [_box(*piece) for piece in found or ()]


def _bundled_weights(part: Any) -> Path:
    # Given a path, rapidocr opens it; without one it would go to the network if its own file were missing.
    import rapidocr
    from rapidocr.inference_engine.base import FileInfo, InferSession

    choice = FileInfo(part.engine_type, part.ocr_version, part.task_type, part.lang_type, part.model_type)
    name = Path(InferSession.get_model_url(choice)["model_dir"]).name
    path = Path(rapidocr.__file__).parent / "models" / name
    if not path.is_file():
        raise PrerequisiteError(
            f"rapidocr {version('rapidocr')} lacks its weights {name}: reinstall it from its wheel "
            "(pip install --force-reinstall rapidocr)"
        )
    return path


def _as_bgr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np

    return np.ascontiguousarray(pixels[:, :, ::-1])


def _box(corners: Any, text: str, confidence: float) -> TextBox:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return TextBox(text, float(confidence), (a, b, c, d))


def _errors_only(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _quieten(*loggers: str) -> None:
    # A filter, since both packages set the level of the same logger anew whenever they are imported.
    for name in loggers:
        logger = logging.getLogger(name)
        if _errors_only not in logger.filters:
            logger.addFilter(_errors_only)
