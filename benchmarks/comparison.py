"""Comparing two experiments of 10,000 cases and ten metrics: what does the processor spend on it?

python benchmarks/comparison.py
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np

from vlmops.evaluators import Case, Score, Usage
from vlmops.experiments import compare
from vlmops.images import Image, ImageReference
from vlmops.images.origin import PathOrigin
from vlmops.platforms import ExperimentRecord, Run

CASES, METRICS, PASSES = 10_000, 10, 2


def experiment(name: str, seed: int) -> ExperimentRecord:
    """A picture a case; the first metrics are pass or fail, and one lacks a value in every seventh case."""
    random = np.random.default_rng(seed)
    runs = []
    for number in range(CASES):
        origin = PathOrigin(Path(f"{number}.png"))
        picture = Image.from_reference(ImageReference(f"{number:064x}", "image/png", 10, 10, 100), origin)
        scores = [
            Score(f"m{at}", bool(random.random() < 0.7) if at < PASSES else float(random.random() ** 2))
            for at in range(METRICS)
            if at != 5 or number % 7
        ]
        usage = Usage(
            int(random.integers(50, 90)), int(random.integers(5, 30)), cost=float(random.random() / 1000)
        )
        latency = float(random.random() + 0.2)
        case = Case("a", "b", {"image": picture}, str(number), usage=usage, latency=latency)
        runs.append(Run(case, 1, scores))
    return ExperimentRecord(name, name, "", "d", "1", runs)


def main() -> None:
    records = [experiment("old", 1), experiment("new", 2)]
    began, spent = time.perf_counter(), time.process_time()
    compare(records)
    seconds, processor = time.perf_counter() - began, time.process_time() - spent
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    load = os.getloadavg()[0]
    print(f"{seconds:.1f} s, {processor:.1f} s of the processor, {memory:.0f} MB, load {load:.0f}")


if __name__ == "__main__":
    main()
