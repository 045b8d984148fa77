"""Evaluators of pictures as output."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "mse": "vlmops.evaluators.pictures.pixel_error:MeanSquaredError",
    "phash_distance": "vlmops.evaluators.pictures.hashing:PerceptualHashDistance",
    "pixel_difference": "vlmops.evaluators.pictures.difference:PixelDifference",
    "psnr": "vlmops.evaluators.pictures.pixel_error:PeakSignalToNoiseRatio",
    "ssim": "vlmops.evaluators.pictures.ssim:StructuralSimilarity",
}
