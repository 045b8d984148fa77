"""Base of evaluators that compare a picture with the expected one."""

from __future__ import annotations

import io
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import ImageError
from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from vlmops.evaluators.evaluator import Result
    from vlmops.evaluators.score import Score
    from vlmops.images import Image

    Array = Any

SizePolicy = Literal["resize", "fail"]
"""What to do with pictures of different size."""


@dataclass(frozen=True, kw_only=True)
class PictureEvaluator(ComparisonEvaluator):
    """Base of evaluators that compare a picture with the expected one, both upright and in RGB.

    Only :class:`~vlmops.images.Image` values are taken, never text that a model made up: a path or URL in an
    answer is not opened.

    Attributes:
        sizes: ``resize`` brings the picture to the expected one's size (Lanczos) and says so in the
            explanation; ``fail`` gives a failure.
        overlay: Whether to attach a heat map of the differences as evidence (made only when looked at).
    """

    sizes: SizePolicy = "resize"
    overlay: bool = True

    def compare(self, output: Any, expected: Any) -> Result:
        """Compare two pictures."""
        from vlmops.images import Image

        for side, value in (("output", output), ("expected", expected)):
            if not isinstance(value, Image):
                kind = FailureKind.UNPARSABLE if side == "output" else FailureKind.MISSING_EXPECTED
                return self.failure(kind, f"the {side} value is not a picture but {type(value).__name__}")
        try:
            if self.sizes == "fail" and output.size != expected.size:
                return self.failure(
                    FailureKind.BAD_IMAGE, f"{_resized(output, expected)} are of different size"
                )
            score = self.score(*aligned(output, expected))
        except ImageError as error:
            return self.failure(FailureKind.BAD_IMAGE, str(error))
        if isinstance(score, Failure):
            return score
        note = score.explanation
        if output.size != expected.size:
            note += f", after resizing {_resized(output, expected)}"
        evidence = HeatMap(output, expected).image() if self.overlay else None
        return replace(score, explanation=note, evidence=evidence)

    @abstractmethod
    def score(self, picture: Array, reference: Array) -> Score | Failure:
        """Score two uint8 arrays of one shape (height, width, 3)."""


def aligned(picture: Image, reference: Image) -> tuple[Array, Array]:
    """Both as uint8 arrays (height, width, 3), the first resized to the second's size where they differ.

    Raises:
        ImageError: A picture cannot be read.
    """
    import numpy as np

    expected = reference.to_array()
    if picture.size == reference.size:
        return picture.to_array(), expected
    return np.asarray(picture.to_pil("RGB").resize(reference.size, resample=1)), expected


def _resized(picture: Image, reference: Image) -> str:
    return "{}x{} to {}x{}".format(*picture.size, *reference.size)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The differences of two pictures, drawn only when its bytes are read.

    It is an ``Origin`` of :class:`vlmops.images.Image`: :meth:`image` gives a lazy picture.

    Attributes:
        picture: The one that was made.
        reference: The one that was expected.
    """

    picture: Image
    reference: Image

    @property
    def description(self) -> str:
        """What it is, for messages."""
        return f"differences of {self.picture.source} and {self.reference.source}"

    def image(self) -> Image:
        """The heat map as a lazy picture."""
        from vlmops.images import Image

        return Image.from_origin(self)

    def read(self) -> bytes:
        """Draw it, as PNG."""
        from PIL import Image as PilImage

        from vlmops.evaluators.pictures.difference import heat_map

        buffer = io.BytesIO()
        PilImage.fromarray(heat_map(*aligned(self.picture, self.reference))).save(buffer, "PNG")
        return buffer.getvalue()
