"""Evaluators of pictures as output: how close is a picture to the expected one?"""

from __future__ import annotations

from vlmops.evaluators.pictures.comparison import PictureEvaluator
from vlmops.evaluators.pictures.difference import PixelDifference, heat_map, pixel_difference
from vlmops.evaluators.pictures.hashing import (
    HASHES,
    PerceptualHashDistance,
    ahash,
    dhash,
    hash_distance,
    phash,
    phash_simple,
    whash,
)
from vlmops.evaluators.pictures.pixel_error import (
    MeanSquaredError,
    PeakSignalToNoiseRatio,
    mean_squared_error,
    peak_signal_to_noise_ratio,
)
from vlmops.evaluators.pictures.ssim import StructuralSimilarity, structural_similarity

__all__ = [
    "HASHES",
    "MeanSquaredError",
    "PeakSignalToNoiseRatio",
    "PerceptualHashDistance",
    "PictureEvaluator",
    "PixelDifference",
    "StructuralSimilarity",
    "ahash",
    "dhash",
    "hash_distance",
    "heat_map",
    "mean_squared_error",
    "peak_signal_to_noise_ratio",
    "phash",
    "phash_simple",
    "pixel_difference",
    "structural_similarity",
    "whash",
]
