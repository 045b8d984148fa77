"""CLIPScore: how well a caption fits its picture, by the embeddings of any model (Hessel et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vlmops.errors import ImageError
from vlmops.evaluators.bases import OutputReader
from vlmops.evaluators.captions.caption import CaptionReader
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score
from vlmops.evaluators.text import as_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from vlmops.evaluators.case import Case
    from vlmops.images import Image

EmbedImage = Callable[["Image"], "ArrayLike"]
"""Gives the embedding of a picture: one vector."""

EmbedText = Callable[[str], "ArrayLike"]
"""Gives the embedding of a text: one vector, of the same length as a picture's."""

_WEIGHT = 2.5
_PROMPT = "A photo depicts "


def clip_scores(
    image_embeddings: ArrayLike, caption_embeddings: ArrayLike, *, weight: float = _WEIGHT
) -> NDArray[np.float64]:
    """CLIPScore of each caption: ``2.5 * max(cosine, 0)``, 0 to 2.5, higher is better.

    Args:
        image_embeddings: n rows.
        caption_embeddings: n rows of the same length.
        weight: The factor.

    Returns:
        n values; NaN where an embedding is all zeros.

    Raises:
        ValueError: The two differ in shape.

    Example:
        >>> clip_scores([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]]).tolist()
        [2.5, 0.0]
    """
    import numpy as np

    images, captions = _normalised(image_embeddings), _normalised(caption_embeddings)
    if images.shape != captions.shape:
        raise ValueError(f"embeddings differ in shape: pictures {images.shape}, captions {captions.shape}")
    return np.asarray(weight * np.clip((images * captions).sum(axis=1), 0, None))


def reference_similarities(
    caption_embeddings: ArrayLike, reference_embeddings: Sequence[ArrayLike]
) -> NDArray[np.float64]:
    """Greatest cosine of each caption with its references, -1 to 1.

    Args:
        caption_embeddings: n rows.
        reference_embeddings: n lists of one or more rows.

    Raises:
        ValueError: The two differ in length, or a caption has no reference.

    Example:
        >>> reference_similarities([[1.0, 0.0]], [[[0.0, 1.0], [2.0, 0.0]]]).tolist()
        [1.0]
    """
    import numpy as np

    captions = _normalised(caption_embeddings)
    if len(captions) != len(reference_embeddings):
        raise ValueError(f"{len(captions)} captions for {len(reference_embeddings)} lists of references")
    pairs = zip(captions, reference_embeddings, strict=True)
    return np.array([np.max(_normalised(references) @ caption) for caption, references in pairs])


def ref_clip_scores(scores: ArrayLike, similarities: ArrayLike) -> NDArray[np.float64]:
    """RefCLIPScore: harmonic mean of CLIPScore and the greatest cosine with a reference; higher is better.

    As in the published code the CLIPScore enters with its factor 2.5, and a negative cosine is not clipped:
    the value lies below 1.43 and may be negative; NaN where both are 0.

    Args:
        scores: Of :func:`clip_scores`.
        similarities: Of :func:`reference_similarities`.

    Example:
        >>> ref_clip_scores([2.5, 0.0], [1.0, 0.5]).round(3).tolist()
        [1.429, 0.0]
    """
    import numpy as np

    first, second = np.asarray(scores, dtype=float), np.asarray(similarities, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * first * second / (first + second))


def _normalised(embeddings: ArrayLike) -> NDArray[np.float64]:
    import numpy as np

    rows = np.asarray(embeddings, dtype=float)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"embeddings: one row per item is needed, not an array of shape {rows.shape}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(rows / np.sqrt((rows**2).sum(axis=1, keepdims=True)))


@register("clip_score")
@dataclass(frozen=True, kw_only=True)
class ClipScore(OutputReader):
    """How well a caption fits the picture it was made of, without references: 0 to 2.5, higher is better.

    The embeddings come from functions you give, for instance of a CLIP model; figures depend on the model and
    do not compare across models. The picture is the first one in the case's inputs.

    Attributes:
        embed_image: Gives the embedding of a picture.
        embed_text: Gives the embedding of a text.
        prompt: Put before each caption, as the authors do.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from PIL.Image import new
        >>> from vlmops.images import Image
        >>> red = Image.from_pil(new("RGB", (1, 1), "red"))
        >>> score = ClipScore(embed_image=lambda image: [1.0, 0.0], embed_text=lambda text: [3.0, 4.0])
        >>> score.evaluate(Case(output="a red dot", inputs={"image": red})).value
        1.5
    """

    default_name: ClassVar[str] = "clip_score"
    greatest: ClassVar[float] = _WEIGHT

    embed_image: EmbedImage
    embed_text: EmbedText
    prompt: str = _PROMPT

    def evaluate(self, case: Case) -> Score | Failure:
        """Score one caption."""
        output = self.output_of(case)
        if isinstance(output, Failure):
            return output
        if not case.images:
            return self.failure(FailureKind.BAD_IMAGE, "the case's inputs hold no picture")
        try:
            score = self._score(as_text(output), case)
        except TypeError as error:
            return self.failure(FailureKind.UNPARSABLE, f"output: {error}")
        except ImageError as error:
            return self.failure(FailureKind.BAD_IMAGE, str(error))
        if isinstance(score, Score) and math.isnan(float(score.value)):
            return self.failure(
                FailureKind.EVALUATOR_ERROR, f"undefined for these embeddings: {score.explanation}"
            )
        return score

    def _score(self, caption: str, case: Case) -> Score | Failure:
        value = self._clip_score(case.images[0], self._embedded(caption))
        return Score(
            self.name,
            value,
            f"cosine of picture and caption {value / _WEIGHT:.3f}" if value else "the cosine is not positive",
            range=(0.0, self.greatest),
        )

    def _clip_score(self, image: Image, caption: NDArray[np.float64]) -> float:
        import numpy as np

        embedded = np.asarray(self.embed_image(image), dtype=float)
        return float(clip_scores(embedded[np.newaxis], caption[np.newaxis])[0])

    def _embedded(self, text: str) -> NDArray[np.float64]:
        import numpy as np

        return np.asarray(self.embed_text(self.prompt + text), dtype=float)


@register("ref_clip_score")
@dataclass(frozen=True, kw_only=True)
class RefClipScore(ClipScore, CaptionReader):
    """How well a caption fits its picture and its references together; higher is better.

    ``expected`` is a caption or a list of them. See :func:`ref_clip_scores` for the range.

    Example:
        >>> from vlmops.evaluators import Case
        >>> from PIL.Image import new
        >>> from vlmops.images import Image
        >>> red = Image.from_pil(new("RGB", (1, 1), "red"))
        >>> score = RefClipScore(embed_image=lambda image: [1.0, 0.0], embed_text=lambda text: [1.0, 0.0])
        >>> case = Case(output="a red dot", expected="red", inputs={"image": red})
        >>> round(score.evaluate(case).value, 3)
        1.429
    """

    default_name: ClassVar[str] = "ref_clip_score"
    greatest: ClassVar[float] = 2 * _WEIGHT / (_WEIGHT + 1)

    def _score(self, caption: str, case: Case) -> Score | Failure:
        expected = self.expected_of(case)
        pair = expected if isinstance(expected, Failure) else self.read(caption, expected)
        if isinstance(pair, Failure):
            return pair
        embedded = self._embedded(caption)
        score = self._clip_score(case.images[0], embedded)
        references = [self._embedded(reference) for reference in pair[1]]
        nearest = float(reference_similarities([embedded], [references])[0])
        value = float(ref_clip_scores([score], [nearest])[0])
        explanation = f"CLIPScore {score:.3f}, greatest cosine with a reference {nearest:.3f}"
        return Score(self.name, value, explanation, range=(float("-inf"), self.greatest))
