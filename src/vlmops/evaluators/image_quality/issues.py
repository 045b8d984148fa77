"""An evaluator that says what is wrong with the pictures a case was given."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.errors import ImageError, UsageError
from vlmops.evaluators.bases import NamedEvaluator
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.image_quality.measures import QualityMeasures, measure_quality
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score

if TYPE_CHECKING:
    from vlmops.evaluators.case import Case
    from vlmops.images import Image


@dataclass(frozen=True, kw_only=True)
class QualityLimits:
    """From where on a picture is said to have an issue.

    The defaults are meant to catch what a person would send back; set your own from pictures of your own.

    Attributes:
        shortest_side: Least length of the shorter side in pixels.
        sharpness: Least variance of the Laplacian.
        darkest: Least brightness, 0..1.
        brightest: Greatest brightness, 0..1, where contrast is low; pages are bright but have contrast.
        contrast: Least RMS contrast, 0..0.5.
        clipped: Greatest share of nearly black pixels, where the picture is dark as well.
        blank: Share of pixels of one brightness from which on a picture of next to no contrast is blank.

    Example:
        >>> QualityLimits(shortest_side=640).shortest_side
        640
    """

    shortest_side: int = 224
    sharpness: float = 30.0
    darkest: float = 0.15
    brightest: float = 0.92
    contrast: float = 0.06
    clipped: float = 0.6
    blank: float = 0.98


def quality_issues(measures: QualityMeasures, limits: QualityLimits | None = None) -> tuple[str, ...]:
    """Issues of a picture: ``blank``, ``small``, ``dark``, ``overexposed``, ``low_contrast``, ``blurred``.

    A blank picture has no other issue than that, and its size.

    Example:
        >>> import numpy as np
        >>> quality_issues(measure_quality(np.full((300, 300, 3), 250, np.uint8)))
        ('blank',)
    """
    limits = limits or QualityLimits()
    small = ("small",) if min(measures.width, measures.height) < limits.shortest_side else ()
    if measures.dominant >= limits.blank and measures.contrast < limits.contrast / 3:
        return ("blank", *small)
    dark = measures.brightness < limits.darkest or (
        measures.shadows > limits.clipped and measures.brightness < 2 * limits.darkest
    )
    flat = measures.contrast < limits.contrast
    found = {
        "small": bool(small),
        "dark": dark,
        "overexposed": measures.brightness > limits.brightest and flat,
        "low_contrast": flat,
        "blurred": measures.sharpness < limits.sharpness,
    }
    return tuple(issue for issue, present in found.items() if present)


@register("image_quality")
@dataclass(frozen=True, kw_only=True)
class ImageQuality(NamedEvaluator):
    """Whether the pictures of a case are technically usable: sharp, exposed, large enough, not blank.

    It looks at inputs alone and helps to tell a model's errors from its pictures'. The value is true when no
    picture has an issue; the issues and all measures are in the metadata, to slice results by.

    Attributes:
        limits: From where on something is an issue.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> blank = Image.from_array(np.full((300, 300, 3), 250, np.uint8))
        >>> ImageQuality().evaluate(Case(output="", inputs={"page": blank})).explanation
        'picture 1: blank'
    """

    default_name: ClassVar[str] = "image_quality"

    limits: QualityLimits = QualityLimits()

    def applies(self, case: Case) -> bool:
        """Whether there is a picture to look at."""
        return bool(case.images)

    def evaluate(self, case: Case) -> Score | Failure:
        """Look at all pictures of the inputs."""
        if not case.images:
            return self.failure(FailureKind.BAD_IMAGE, "the case has no picture")
        measured: list[QualityMeasures] = []
        for image in case.images:
            measures = self._measure(image)
            if isinstance(measures, Failure):
                return measures
            measured.append(measures)
        issues = [quality_issues(measures, self.limits) for measures in measured]
        named = [
            f"picture {place}: {', '.join(found)}" for place, found in enumerate(issues, start=1) if found
        ]
        return Score(
            self.name,
            not named,
            explanation="; ".join(named) or "no issue found",
            metadata={
                "issues": [list(found) for found in issues],
                "measures": [asdict(measures) for measures in measured],
            },
        )

    def _measure(self, image: Image) -> QualityMeasures | Failure:
        try:
            return measure_quality(image.to_array())
        except (ImageError, UsageError) as error:
            return self.failure(FailureKind.BAD_IMAGE, str(error))
