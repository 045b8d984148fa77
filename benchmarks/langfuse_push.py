"""Pushing pictures to Langfuse: vlmops against ``create_dataset_item`` in a loop, in pairs.

    python benchmarks/langfuse_push.py --pictures 1000 --kilobytes 200 --latency 20 --pairs 3

Runs against the test server of the repository, which answers every request after the given latency. Server
and client have a process of their own, new for each measurement, and both ways send the same files. Prints
seconds, requests, processor time of both sides and what the client's memory grew by at most; vlmops then
pushes once more, which must write nothing.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parent.parent
WRITES = ("POST", "PUT", "PATCH", "DELETE")
WARM_UP = 8

SPAWN = multiprocessing.get_context("spawn")


class Connection(NamedTuple):
    url: str
    public_key: str
    secret_key: str


class Measured(NamedTuple):
    seconds: float
    processor: float
    megabytes: float


def serve(latency: int, pipe) -> None:
    sys.path.insert(0, str(REPOSITORY / "tests"))
    from langfuse_server import LangfuseServer

    with LangfuseServer(latency_ms=latency) as server:
        pipe.send(Connection(server.url, server.public_key, server.secret_key))
        while pipe.recv() == "counts":
            pipe.send((dict(server.counts()), time.process_time()))
            server.clear_log()


class Server:
    """A test server in a process of its own."""

    def __init__(self, latency: int) -> None:
        self._here, there = SPAWN.Pipe()
        self._process = SPAWN.Process(target=serve, args=(latency, there))
        self._latency = latency

    def __enter__(self) -> Server:
        self._process.start()
        self.connection: Connection = self._here.recv()
        return self

    def __exit__(self, *exc: object) -> None:
        self._here.send("stop")
        self._process.join()

    def counts(self) -> tuple[dict[str, int], float]:
        """Requests by route since the last time, and processor seconds since the start."""
        self._here.send("counts")
        return self._here.recv()


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


def ours(files: list[Path], connection: Connection, concurrency: int, name: str) -> None:
    from vlmops.datasets import ImageDataset, Sample
    from vlmops.images import Image
    from vlmops.platforms import push
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings

    settings = LangfuseSettings.resolve(*connection, concurrency=concurrency)
    samples = [
        Sample(file.stem, {"image": Image.from_path(file), "question": "What is it?"}, expected=file.stem)
        for file in files
    ]
    report = push(ImageDataset.from_samples(name, samples), LangfusePlatform(settings))
    assert report.ok, report


def loop(files: list[Path], connection: Connection, _: int, name: str) -> None:
    from langfuse import Langfuse, LangfuseMedia

    client = Langfuse(
        public_key=connection.public_key,
        secret_key=connection.secret_key,
        base_url=connection.url,
        timeout=60,
    )
    client.create_dataset(name=name)
    for file in files:
        media = LangfuseMedia(file_path=str(file), content_type="image/png")
        client.create_dataset_item(
            dataset_name=name,
            id=f"{name}-{file.stem}",
            input={"image": media, "question": "What is it?"},
            expected_output=file.stem,
        )


def work(way: Callable[..., None], files: list[Path], concurrency: int, cache: str, pipe) -> None:
    """A client's process: warm up, then measure each push it is asked for."""
    logging.disable(logging.WARNING)
    os.environ["VLMOPS_CACHE_DIR"] = cache
    connection = pipe.recv()
    way(files[:WARM_UP], connection, concurrency, "warm-up")
    pipe.send("ready")
    while pipe.recv() == "push":
        memory, processor, started = megabytes(), time.process_time(), time.monotonic()
        way(files[WARM_UP:], connection, concurrency, "measured")
        seconds = time.monotonic() - started
        pipe.send(Measured(seconds, time.process_time() - processor, megabytes() - memory))


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(way: Callable[..., None], files: list[Path], chosen: argparse.Namespace, times: int) -> float:
    """Seconds of the first push through a new server."""
    here, there = SPAWN.Pipe()
    with tempfile.TemporaryDirectory() as cache, Server(chosen.latency) as server:
        client = SPAWN.Process(target=work, args=(way, files, chosen.concurrency, cache, there))
        client.start()
        here.send(server.connection)
        here.recv()
        found = []
        for number in range(times):
            _, before = server.counts()
            here.send("push")
            found.append(here.recv())
            counts, after = server.counts()
            report(way.__name__ if number == 0 else "once more", found[-1], counts, after - before)
        here.send("stop")
        client.join()
    return found[0].seconds


def report(name: str, found: Measured, counts: dict[str, int], server: float) -> None:
    writes = sum(number for route, number in counts.items() if route.startswith(WRITES))
    print(
        f"{name:>10}: {found.seconds:6.1f} s, {sum(counts.values())} requests ({writes} writes), processor "
        f"{found.processor:.1f} s here and {server:.1f} s in the server, memory {found.megabytes:+.0f} MB, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--kilobytes", type=int, default=200)
    parser.add_argument("--latency", type=int, default=20, help="milliseconds a request")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--without-loop", action="store_true")
    chosen = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        files = pictures(Path(folder), range(WARM_UP + chosen.pictures), chosen.kilobytes * 1000)
        for _ in range(chosen.pairs):
            quick = measured(ours, files, chosen, times=2)
            if not chosen.without_loop:
                ratios.append(measured(loop, files, chosen, times=1) / quick)
                print(f"{'ratio':>10}: {ratios[-1]:.1f}")
    if ratios:
        print(f"median ratio of {len(ratios)} pairs: {median(ratios):.1f} times as fast")


if __name__ == "__main__":
    main()
