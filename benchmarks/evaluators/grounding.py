"""Speed of COCO average precision, IoU and assignment beside the packages that define them.

Run ``python benchmarks/evaluators/grounding.py``. Each pair is timed in turns, best of several rounds; a
ratio above 1 means that ours is faster. Packages that are absent are named.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vlmops.evaluators import grounding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CATEGORIES = 3


@dataclass(frozen=True)
class Pair:
    """Ours and a reference, on the same cases."""

    name: str
    package: str
    cases: int
    ours: Callable[[], Any]
    reference: Callable[[], Any]


def scene(images: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Expected and predicted boxes: some found, some missed, some made up, some crowds."""
    generator = np.random.default_rng(0)
    gold, detections = [], []
    for image in range(1, images + 1):
        for _ in range(generator.integers(0, 9)):
            category = int(generator.integers(1, CATEGORIES + 1))
            box = [float(v) for v in (*generator.integers(0, 300, 2), *generator.integers(4, 200, 2))]
            row = {"image_id": image, "category_id": category, "bbox": box}
            gold.append({**row, "iscrowd": int(generator.random() < 0.05)})
            for _ in range(generator.integers(0, 3)):
                near = [max(1.0, value + float(generator.integers(-6, 7))) for value in box]
                detections.append({**row, "bbox": near, "score": float(generator.random())})
    return gold, detections


def average_precision(images: int) -> list[Pair]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    gold, detections = scene(images)

    def reference() -> list[float]:
        known = COCO()
        known.dataset = {
            "images": [{"id": image} for image in range(1, images + 1)],
            "categories": [{"id": category} for category in range(1, CATEGORIES + 1)],
            "annotations": [
                {**row, "id": index, "area": row["bbox"][2] * row["bbox"][3]}
                for index, row in enumerate(gold, start=1)
            ],
        }
        with contextlib.redirect_stdout(io.StringIO()):
            known.createIndex()
            evaluation = COCOeval(known, known.loadRes([dict(row) for row in detections]), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return [float(value) for value in evaluation.stats]

    def ours() -> list[float]:
        boxes = grounding.DetectionSet.from_annotations(gold, detections, range(1, images + 1))
        return list(grounding.coco_average_precision(boxes).values())

    if ours() != reference():
        sys.exit("the twelve figures differ from those of pycocotools")
    return [Pair("COCO AP, 12 figures", "pycocotools", images, ours, reference)]


def pairwise_iou(images: int) -> list[Pair]:
    import powerboxes

    generator = np.random.default_rng(1)
    corners = generator.uniform(0, 500, (2, 100, 2))
    first, second = (np.hstack([at, at + generator.uniform(1, 99, (100, 2))]) for at in corners)
    rounds = max(1, images // 100)
    return [
        Pair(
            "IoU, 100 x 100 boxes",
            "powerboxes",
            rounds,
            lambda: [grounding.iou(first, second) for _ in range(rounds)],
            lambda: [1 - powerboxes.iou_distance(first, second) for _ in range(rounds)],
        )
    ]


def assignment(images: int) -> list[Pair]:
    from scipy.optimize import linear_sum_assignment

    tables = np.random.default_rng(2).random((max(1, images // 10), 8, 8))
    return [
        Pair(
            "assignment, 8 x 8",
            "scipy",
            len(tables),
            lambda: [grounding.assign(table) for table in tables],
            lambda: [linear_sum_assignment(table, maximize=True) for table in tables],
        )
    ]


GROUPS: dict[str, Callable[[int], list[Pair]]] = {
    "pycocotools": average_precision,
    "powerboxes": pairwise_iou,
    "scipy": assignment,
}


def measure(pair: Pair, rounds: int) -> tuple[float, float]:
    """Best seconds of ours and of the reference, timed in turns."""
    ours, reference = [], []
    for _ in range(rounds):
        for function, times in ((pair.ours, ours), (pair.reference, reference)):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return min(ours), min(reference)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args(arguments)
    print(f"{'metric':<24}{'reference':<14}{'cases':>7}{'ours s':>10}{'reference s':>13}{'ratio':>8}")
    for package, group in GROUPS.items():
        try:
            pairs = group(options.cases)
        except ImportError:
            print(f"{'-':<24}{package:<14} not installed: pip install {package}")
            continue
        for pair in pairs:
            ours, reference = measure(pair, options.rounds)
            row = f"{pair.name:<24}{pair.package:<14}{pair.cases:>7}{ours:>10.3f}{reference:>13.3f}"
            print(f"{row}{reference / ours:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
