"""Pushing pictures to Langfuse: vlmops against ``create_dataset_item`` in a loop.

    python benchmarks/langfuse_push.py --pictures 1000 --kilobytes 200 --latency 20

Runs against the test server of the repository, in a process of its own, which answers every request after the
given latency. Prints seconds, requests and the growth of memory; then pushes again, which must write nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def serve(latency: int, pipe) -> None:
    sys.path.insert(0, str(REPOSITORY / "tests"))
    from langfuse_server import LangfuseServer

    with LangfuseServer(latency_ms=latency) as server:
        pipe.send((server.url, server.public_key, server.secret_key))
        while pipe.recv() == "counts":
            pipe.send(dict(server.counts()))
            server.clear_log()


def pictures(folder: Path, numbers: range, size: int) -> list[Path]:
    """PNG files of about ``size`` bytes, none equal to another."""
    import numpy as np
    from PIL import Image as Pillow

    side = int((size / 3) ** 0.5)
    files = []
    for number in numbers:
        noise = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
        files.append(folder / f"{number:05}.png")
        Pillow.fromarray(noise).save(files[-1], compress_level=0)
    return files


def ours(files: list[Path], url: str, public: str, secret: str, concurrency: int) -> float:
    from vlmops.datasets import ImageDataset, Sample
    from vlmops.images import Image
    from vlmops.platforms import push
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings

    settings = LangfuseSettings.resolve(url, public, secret, concurrency=concurrency)
    samples = [
        Sample(file.stem, {"image": Image.from_path(file), "question": "What is it?"}, expected=file.stem)
        for file in files
    ]
    started = time.monotonic()
    report = push(ImageDataset.from_samples("ours", samples), LangfusePlatform(settings))
    assert report.ok, report
    return time.monotonic() - started


def loop(files: list[Path], url: str, public: str, secret: str) -> float:
    from langfuse import Langfuse, LangfuseMedia

    client = Langfuse(public_key=public, secret_key=secret, base_url=url, timeout=60)
    started = time.monotonic()
    client.create_dataset(name="loop")
    for file in files:
        media = LangfuseMedia(file_path=str(file), content_type="image/png")
        client.create_dataset_item(
            dataset_name="loop",
            id=f"loop-{file.stem}",
            input={"image": media, "question": "What is it?"},
            expected_output=file.stem,
        )
    return time.monotonic() - started


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name: str, seconds: float, counts: dict[str, int]) -> None:
    writes = sum(number for route, number in counts.items() if route.startswith(WRITES))
    print(f"{name:>12}: {seconds:7.1f} s, {sum(counts.values())} requests, {writes} of them writes")
    print(" " * 14 + json.dumps(counts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--kilobytes", type=int, default=200)
    parser.add_argument("--latency", type=int, default=20, help="milliseconds a request")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--without-loop", action="store_true")
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(chosen.latency, there))
    server.start()
    connection = here.recv()

    def counts() -> dict[str, int]:
        here.send("counts")
        return here.recv()

    with tempfile.TemporaryDirectory() as folder:
        # Nothing that an earlier run has learnt may help.
        os.environ["VLMOPS_CACHE_DIR"] = folder
        size, count = chosen.kilobytes * 1000, chosen.pictures
        files = pictures(Path(folder), range(count), size)
        ours(files[:8], *connection, chosen.concurrency)
        counts()
        before = megabytes()
        started = time.process_time()
        quick = ours(files, *connection, chosen.concurrency)
        report("vlmops", quick, counts())
        print(f"{'processor':>12}: {time.process_time() - started:.1f} s of this process")
        print(f"{'memory':>12}: {megabytes() - before:+.0f} MB at its peak")
        report("once more", ours(files, *connection, chosen.concurrency), counts())
        if not chosen.without_loop:
            # Others than before: bytes that the server has are not uploaded again.
            seconds = loop(pictures(Path(folder), range(count, 2 * count), size), *connection)
            report("loop", seconds, counts())
            print(f"{'ratio':>12}: {seconds / quick:.1f} times as fast")
    here.send("stop")
    server.join()


if __name__ == "__main__":
    main()
