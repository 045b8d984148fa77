"""Perceptual hashes: short fingerprints that stay close when a picture is scaled or compressed.

They equal those of ImageHash 4.3 bit for bit, written as hexadecimal digits, so that stored hashes can be
compared. Distances are Hamming distances: of 64 bits, encoding again or scaling moves a phash by 0 to 5,
flipping or turning by 16 and more; up to 8 is safely a near-duplicate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vlmops.errors import EvaluatorError, UsageError
from vlmops.evaluators.pictures.comparison import PictureEvaluator
from vlmops.evaluators.pictures.cosine_transform import cosine_transform
from vlmops.evaluators.pictures.wavelet import haar_low, without_mean
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL import Image as PilImage

    Array = Any
    Picture = PilImage.Image | Array

HashName = Literal["phash", "dhash", "ahash", "whash"]
"""Which fingerprint."""

_OVERSAMPLING = 4


def phash(picture: Picture, size: int = 8) -> str:
    """Hash of the low frequencies of the cosine transform: the most robust of the four.

    Args:
        picture: A PIL image, or a uint8 array (height, width) or (height, width, 3).
        size: Side of the grid of bits, 8 for 64 bits.

    Raises:
        UsageError: The size is under 2.

    Example:
        >>> import numpy as np
        >>> ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
        >>> len(phash(ramp))
        16
    """
    import numpy as np

    pixels = _gray(picture, (size * _OVERSAMPLING,) * 2, size)
    low = cosine_transform(cosine_transform(pixels, axis=0), axis=1)[:size, :size]
    return _hex(low > np.median(low))


def phash_simple(picture: Picture, size: int = 8) -> str:
    """Variant of :func:`phash` over rows alone, compared with the mean (ImageHash's ``phash_simple``).

    Example:
        >>> import numpy as np
        >>> len(phash_simple(np.eye(64, dtype=np.uint8)))
        16
    """
    pixels = _gray(picture, (size * _OVERSAMPLING,) * 2, size)
    low = cosine_transform(pixels)[:size, 1 : size + 1]
    return _hex(low > low.mean())


def dhash(picture: Picture, size: int = 8) -> str:
    """Hash of the direction of change between neighbours along the rows.

    Example:
        >>> import numpy as np
        >>> dhash(np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
        'ffffffffffffffff'
    """
    pixels = _gray(picture, (size + 1, size), size)
    return _hex(pixels[:, 1:] > pixels[:, :-1])


def ahash(picture: Picture, size: int = 8) -> str:
    """Hash of what is brighter than the mean: the simplest.

    Example:
        >>> import numpy as np
        >>> ahash(np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
        '0f0f0f0f0f0f0f0f'
    """
    pixels = _gray(picture, (size, size), size)
    return _hex(pixels > pixels.mean())


def whash(picture: Picture, size: int = 8) -> str:
    """Hash of the Haar wavelet approximation, the mean taken away.

    Args:
        picture: A PIL image, or a uint8 array.
        size: Side of the grid of bits, a power of two.

    Raises:
        UsageError: The size is not a power of two over 1.

    Example:
        >>> import numpy as np
        >>> whash(np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
        '0f0f0f0f0f0f0f0f'
    """
    import numpy as np

    if size & (size - 1):
        raise UsageError(f"a wavelet hash needs a power of two as size, not {size}")
    image = _as_pil(picture)
    scale = max(2 ** int(math.log2(min(image.size))), size)
    pixels = _gray(image, (scale, scale), size) / 255.0
    low = haar_low(without_mean(pixels), int(math.log2(scale // size)))
    return _hex(low > np.median(low))


HASHES: Mapping[str, Callable[..., str]] = {"phash": phash, "dhash": dhash, "ahash": ahash, "whash": whash}
"""Fingerprints by name."""


def hash_distance(first: str, second: str) -> int:
    """In how many bits two hashes differ: 0 for like pictures, half of all bits for unrelated ones.

    Raises:
        UsageError: The hashes are of different length, or not hexadecimal.

    Example:
        >>> hash_distance("ff00", "ff01")
        1
    """
    if len(first) != len(second):
        raise UsageError(f"hashes of {len(first)} and {len(second)} digits cannot be compared")
    try:
        return (int(first, 16) ^ int(second, 16)).bit_count()
    except ValueError as error:
        raise UsageError(f"hashes are hexadecimal digits: {error}") from None


def _gray(picture: Picture, size: tuple[int, int], bits: int) -> Array:
    import numpy as np
    from PIL import Image

    if bits < 2:
        raise UsageError(f"a hash needs a size of 2 or more, not {bits}")
    return np.asarray(_as_pil(picture).convert("L").resize(size, Image.Resampling.LANCZOS))


def _as_pil(picture: Picture) -> PilImage.Image:
    from PIL import Image

    return picture if isinstance(picture, Image.Image) else Image.fromarray(picture)


def _hex(bits: Array) -> str:
    digits = "".join("1" if bit else "0" for bit in bits.ravel())
    return f"{int(digits, 2):0{math.ceil(len(digits) / 4)}x}"


@register("phash_distance")
@dataclass(frozen=True, kw_only=True)
class PerceptualHashDistance(PictureEvaluator):
    """Bits of 64 in which the perceptual hashes of two pictures differ: 0 is alike, over 16 another picture.

    Attributes:
        hash: Which hash.

    Example:
        >>> from vlmops.images import Image
        >>> import numpy as np
        >>> ramp = Image.from_array(np.tile(np.arange(64, dtype=np.uint8)[:, None], (64, 1, 3)))
        >>> PerceptualHashDistance().compare(ramp, ramp).value
        0
    """

    default_name: ClassVar[str] = "phash_distance"
    direction: ClassVar[Direction] = "minimize"

    hash: HashName = "phash"

    def __post_init__(self) -> None:
        """Check the hash's name."""
        super().__post_init__()
        if self.hash not in HASHES:
            raise EvaluatorError(f"no hash is named {self.hash!r}; there are: {', '.join(HASHES)}")

    def score(self, picture: Array, reference: Array) -> Score:
        """Score two arrays of one shape."""
        first, second = HASHES[self.hash](picture), HASHES[self.hash](reference)
        distance = hash_distance(first, second)
        return Score(
            self.name,
            distance,
            f"{distance} of 64 bits differ",
            self.direction,
            range=(0.0, 64.0),
            metadata={"hash": self.hash, "output": first, "expected": second},
        )
