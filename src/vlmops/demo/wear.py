"""What happens to a clean page on its way through printer, pocket and camera, repeatable by seed."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as PillowImage

    Picture = PillowImage.Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """How worn a page is; the default is a clean one.

    Attributes:
        fade: Share of the ink that has gone, 0..1.
        blur: Standard deviation of the blur, in pixels.
        noise: Standard deviation of the grain, in grey levels of 255.
        dropout: Share of the rows of pixels that a worn print head leaves blank, 0..1.
        rotation: Turn against the clock, in degrees.
        lean: How far the upper corners move inwards, as a share of the width: a page seen from below.
        shadow: How dark the darkest part of a shadow across the page is, 0 (none) to 1 (black).
        scale: Factor on both sides of the picture, below one for a low resolution.
        quality: JPEG quality 1..95; ``None`` keeps every pixel (PNG).
        desk: Colour of what the page lies on, seen where it is turned or leans.
    """

    fade: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    dropout: float = 0.0
    rotation: float = 0.0
    lean: float = 0.0
    shadow: float = 0.0
    scale: float = 1.0
    quality: int | None = None
    desk: tuple[int, int, int] = (255, 255, 255)

    @property
    def suffix(self) -> Literal[".jpg", ".png"]:
        """Extension of the file that :meth:`encode` makes."""
        return ".png" if self.quality is None else ".jpg"

    def apply(self, page: Picture, seed: int) -> Picture:
        """The page after all of it; the same seed gives the same pixels."""
        import numpy as np
        from PIL import Image, ImageFilter

        # RandomState's streams are frozen for good, those of numpy's newer generators may change.
        chance = np.random.RandomState(seed)
        page = self._turned(self._printed(page.convert("RGB"), chance))
        if self.scale != 1.0:
            size = (round(page.width * self.scale), round(page.height * self.scale))
            page = page.resize(size, Image.Resampling.LANCZOS)
        if self.blur:
            page = page.filter(ImageFilter.GaussianBlur(self.blur))
        pixels = np.asarray(page, dtype=np.float64)
        if self.shadow:
            pixels = pixels * self._shade(page.width, page.height)[:, :, None]
        if self.noise:
            pixels = pixels + chance.normal(0, self.noise, pixels.shape[:2])[:, :, None]
        return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))

    def encode(self, page: Picture) -> bytes:
        """The picture as JPEG, or as PNG where ``quality`` is ``None``."""
        buffer = BytesIO()
        if self.quality is not None:
            page.save(buffer, "JPEG", quality=self.quality, subsampling=2, optimize=True)
        else:
            page.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _printed(self, page: Picture, chance: np.random.RandomState) -> Picture:
        import numpy as np
        from PIL import Image

        paper = np.asarray(page.getpixel((0, 0)), dtype=np.float64)
        pixels = np.asarray(page, dtype=np.float64)
        pixels = paper + (pixels - paper) * (1 - self.fade)
        pixels[chance.random_sample(len(pixels)) < self.dropout] = paper
        return Image.fromarray(np.rint(pixels).astype(np.uint8))

    def _turned(self, page: Picture) -> Picture:
        from PIL import Image

        if self.lean:
            width, height = page.size
            inset, short = self.lean * width, self.lean * height / 2
            seen = [(inset, short), (width - inset, short), (width, height), (0.0, height)]
            coefficients = _perspective(seen, [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
            page = page.transform(
                page.size,
                Image.Transform.PERSPECTIVE,
                coefficients,
                Image.Resampling.BICUBIC,
                fillcolor=self.desk,
            )
        if self.rotation:
            page = page.rotate(self.rotation, Image.Resampling.BICUBIC, expand=True, fillcolor=self.desk)
        return page

    def _shade(self, width: int, height: int) -> NDArray[np.float64]:
        import numpy as np

        x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        # A soft edge that runs diagonally over the page.
        edge = 1 / (1 + np.exp(-10 * (0.7 * x + 0.5 * y - 0.65)))
        shade: NDArray[np.float64] = 1 - self.shadow * edge
        return shade


def _perspective(seen: list[tuple[float, float]], page: list[tuple[float, float]]) -> list[float]:
    """Coefficients of the projective map from what is seen to the page, from four pairs of points."""
    import numpy as np

    rows, values = [], []
    for (x, y), (u, v) in zip(seen, page, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]
