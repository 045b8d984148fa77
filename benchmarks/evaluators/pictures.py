"""Speed of the picture metrics beside scikit-image and ImageHash, and of finding near-duplicates.

Run ``python benchmarks/evaluators/pictures.py``. Each pair is timed in turns, best of several rounds; a ratio
above 1 means that ours is faster. Packages that are absent are named.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vlmops.evaluators import image_quality, pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHAPES = ((512, 512), (1024, 1024), (1000, 1000, 3))


@dataclass(frozen=True)
class Pair:
    """Ours and a reference, on the same pictures."""

    name: str
    package: str
    ours: Callable[[], Any]
    reference: Callable[[], Any]


def picture_pair(shape: tuple[int, ...]) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    first = generator.integers(0, 256, shape).astype(np.uint8)
    return first, np.clip(first + generator.integers(-30, 31, shape), 0, 255).astype(np.uint8)


def measures() -> list[Pair]:
    from skimage import metrics

    pairs = []
    for shape in SHAPES:
        a, b = picture_pair(shape)
        options: dict[str, Any] = {"data_range": 255, "channel_axis": 2 if len(shape) == 3 else None}
        wang = {**options, "gaussian_weights": True, "use_sample_covariance": False}
        name = "x".join(map(str, shape))
        pairs += [
            Pair(
                f"SSIM uniform {name}",
                "scikit-image",
                lambda a=a, b=b: pictures.structural_similarity(a, b, window="uniform"),
                lambda a=a, b=b, options=options: metrics.structural_similarity(a, b, **options),
            ),
            Pair(
                f"SSIM gaussian {name}",
                "scikit-image",
                lambda a=a, b=b: pictures.structural_similarity(a, b),
                lambda a=a, b=b, wang=wang: metrics.structural_similarity(a, b, **wang),
            ),
            Pair(
                f"PSNR {name}",
                "scikit-image",
                lambda a=a, b=b: pictures.peak_signal_to_noise_ratio(a, b),
                lambda a=a, b=b: metrics.peak_signal_noise_ratio(a, b, data_range=255),
            ),
        ]
    return pairs


def hashes() -> list[Pair]:
    import imagehash

    picture = Image.fromarray(picture_pair((1000, 1000, 3))[0])
    references = {"phash": imagehash.phash, "dhash": imagehash.dhash, "whash": imagehash.whash}
    return [
        Pair(
            f"{name} 1000x1000",
            "imagehash",
            lambda name=name: pictures.HASHES[name](picture),
            lambda reference=reference: reference(picture),
        )
        for name, reference in references.items()
    ]


GROUPS: dict[str, Callable[[], list[Pair]]] = {"scikit-image": measures, "imagehash": hashes}


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def near_duplicates(count: int) -> None:
    generator = np.random.default_rng(1)
    values = generator.integers(0, 2**64, count, dtype=np.uint64)
    hashed = [f"{int(value):016x}" for value in values]
    taken = seconds(lambda: image_quality.near_duplicate_groups(hashed))
    print(f"near-duplicates of {count} hashes within 8 bits: {taken:.2f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hashes", type=int, default=100_000)
    options = parser.parse_args(arguments)
    print(f"{'metric':<30}{'reference':<14}{'ours ms':>10}{'reference ms':>14}{'ratio':>8}")
    for package, group in GROUPS.items():
        try:
            pairs = group()
        except ImportError:
            print(f"{'-':<30}{package:<14} not installed: pip install {package}")
            continue
        for pair in pairs:
            turns = [(seconds(pair.ours), seconds(pair.reference)) for _ in range(options.rounds)]
            ours, reference = (min(times) * 1000 for times in zip(*turns, strict=True))
            print(f"{pair.name:<30}{pair.package:<14}{ours:>10.1f}{reference:>14.1f}{reference / ours:>8.2f}")
    near_duplicates(options.hashes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
