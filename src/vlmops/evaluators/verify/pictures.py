"""Adapters of the picture metrics. Vectors that name a picture of scikit-image need it installed."""

from __future__ import annotations

import io
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.evaluators import pictures

if TYPE_CHECKING:
    from PIL import Image as PilImage

    from vlmops.evaluators.verify.tables import Adapter
    from vlmops.evaluators.verify.vector import Vector

_NAMED = re.compile(r"skimage\.data\.(\w+)\(\)")


def _mean_squared_error(vector: Vector) -> float:
    return pictures.mean_squared_error(vector.input["image0"], vector.input["image1"])


def _psnr(vector: Vector) -> float:
    return pictures.peak_signal_to_noise_ratio(
        vector.input["image_test"], vector.input["image_true"], data_range=vector.input["data_range"]
    )


def _ssim(vector: Vector) -> float:
    given = vector.input
    return pictures.structural_similarity(
        *_planes(given),
        window="gaussian" if given["gaussian_weights"] else "uniform",
        side=given["win_size"],
        data_range=given["data_range"],
        sample_covariance=given["use_sample_covariance"],
    )


def _ssim_gaussian(vector: Vector) -> float:
    given = vector.input
    return pictures.structural_similarity(
        *_planes(given), sigma=given["sigma"], data_range=given["data_range"]
    )


def _planes(given: dict[str, Any]) -> tuple[Any, Any]:
    import numpy as np

    left, right = np.asarray(given["im1"]), np.asarray(given["im2"])
    whole = left.dtype.kind == right.dtype.kind == "i"
    if whole and min(left.min(), right.min()) >= 0 and max(left.max(), right.max()) <= 255:
        return left.astype(np.uint8), right.astype(np.uint8)
    return left, right


def _perceptual_hash(vector: Vector) -> dict[str, str]:
    picture = _picture(vector.input["image"])
    hashes = {name: make(picture) for name, make in pictures.HASHES.items()}
    return {**hashes, "phash_simple": pictures.phash_simple(picture)}


def _phash_distance(vector: Vector) -> dict[str, int]:
    picture = _picture(vector.input["image"])
    original = pictures.phash(picture)
    return {
        name: pictures.hash_distance(original, pictures.phash(_changed(picture, name)))
        for name in vector.input["variants"]
    }


def _hash_hamming(vector: Vector) -> int:
    return pictures.hash_distance(vector.input["h1"], vector.input["h2"])


def _picture(name: str) -> PilImage.Image:
    import numpy as np
    from PIL import Image

    try:
        samples = import_module("skimage.data")
    except ImportError:
        raise PrerequisiteError(
            "the vector names a picture of scikit-image: pip install scikit-image"
        ) from None
    match = _NAMED.search(name)
    if match is None:
        raise UsageError(f"{name!r} names no picture of skimage.data")
    pixels = getattr(samples, match[1])()
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    return Image.fromarray(pixels[..., :3])


def _changed(picture: PilImage.Image, change: str) -> PilImage.Image:
    from PIL import Image

    if change == "jpeg_q30":
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=30)
        return Image.open(buffer)
    if change == "half_size":
        return picture.resize((picture.width // 2, picture.height // 2))
    turns = {"hflip": Image.Transpose.FLIP_LEFT_RIGHT, "rot90": Image.Transpose.ROTATE_90}
    return picture.transpose(turns[change])


METRICS: dict[str, Adapter] = {
    "hash_hamming": _hash_hamming,
    "mse": _mean_squared_error,
    "perceptual_hash": _perceptual_hash,
    "phash_distance": _phash_distance,
    "psnr": _psnr,
    "ssim": _ssim,
    "ssim_gaussian": _ssim_gaussian,
}
