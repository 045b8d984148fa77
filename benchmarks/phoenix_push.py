"""Pushing pictures to a Phoenix on this machine: speed beside a plain script, cost of a repeat, and memory.

Run by hand::

    python benchmarks/phoenix_push.py speed --pictures 1000 --pairs 3
    python benchmarks/phoenix_push.py repeat --pictures 1000 --rounds 5
    python benchmarks/phoenix_push.py memory --pictures 1000 20000

``speed`` times in turns: ``vlmops.push``, the same push once more with nothing changed, and a plain script
that sends data URIs with Phoenix's own client, in chunks or in one call. ``repeat`` leaves the script out.
Every pair or round has a new Phoenix, media store and cache. ``memory`` gives the peak resident memory of the
pushing process. Each push runs in a process of its own; imports, and starting Phoenix, are not counted.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MEGAPIXEL = (1152, 864)
SMALL = (256, 192)
CHUNK = 100
"""Examples that the plain script sends in one call, unless it sends all at once."""

PACKAGES = ("vlmops", "arize-phoenix", "arize-phoenix-client", "pillow", "httpx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    speed = commands.add_parser("speed")
    speed.add_argument("--pictures", type=int, default=1000)
    speed.add_argument("--pairs", type=int, default=3)
    speed.add_argument("--one-call", action="store_true", help="the plain script sends everything at once")
    repeat = commands.add_parser("repeat")
    repeat.add_argument("--pictures", type=int, default=1000)
    repeat.add_argument("--rounds", type=int, default=5)
    memory = commands.add_parser("memory")
    memory.add_argument("--pictures", type=int, nargs="+", default=[1000, 20_000])
    for command, work in (("ours", push_with_vlmops), ("plain", push_with_client)):
        child = commands.add_parser(command, help="one push, for the two above")
        child.add_argument("folder", type=Path)
        child.add_argument("--url", required=True)
        child.add_argument("--store", default="")
        child.add_argument("--chunk", type=int, default=CHUNK)
        child.set_defaults(work=work)
    arguments = parser.parse_args()
    if arguments.command in ("ours", "plain"):
        json.dump(arguments.work(arguments), sys.stdout)
        return
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    if arguments.command == "speed":
        chunk = arguments.pictures if arguments.one_call else CHUNK
        compare_speed(arguments.pictures, arguments.pairs, chunk)
    elif arguments.command == "repeat":
        compare_repeats(arguments.pictures, arguments.rounds)
    else:
        compare_memory(arguments.pictures)


def compare_speed(count: int, pairs: int, chunk: int) -> None:
    with tempfile.TemporaryDirectory() as work:
        folder = write_pictures(Path(work) / "pictures", count, MEGAPIXEL)
        results: list[dict[str, float]] = []
        for number in range(pairs):
            results.append(_pair(folder, Path(work) / f"pair{number}", chunk, plain_first=number % 2 == 1))
            print(_line(count, results[-1]), flush=True)
        median = {key: statistics.median(result[key] for result in results) for key in results[0]}
        print("median  " + _line(count, median))


def compare_memory(counts: list[int]) -> None:
    for count in counts:
        with tempfile.TemporaryDirectory() as work:
            folder = write_pictures(Path(work) / "pictures", count, SMALL)
            with Server(Path(work) / "phoenix") as url:
                result = child("ours", folder, url, Path(work))
            print(
                f"{count} pictures: {result['peak_mb']:.0f} MB at most "
                f"({result['idle_mb']:.0f} MB before the push), {count / result['seconds']:.0f} pictures/s"
            )


def compare_repeats(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = write_pictures(Path(base) / "pictures", count, MEGAPIXEL)
        ratios = []
        for number in range(rounds):
            work = Path(base) / f"round{number}"
            with Server(work / "phoenix") as url:
                first, again = (child("ours", folder, url, work)["seconds"] for _ in range(2))
            shutil.rmtree(work)
            ratios.append(first / again)
            print(f"first {first:.2f} s, again {again:.2f} s: {ratios[-1]:.1f} x", flush=True)
        print(f"median {statistics.median(ratios):.1f} x")


def _pair(folder: Path, work: Path, chunk: int, plain_first: bool) -> dict[str, float]:
    with Server(work / "phoenix") as url:
        plain = child("plain", folder, url, work, chunk) if plain_first else {}
        first = child("ours", folder, url, work)
        again = child("ours", folder, url, work)
        plain = plain or child("plain", folder, url, work, chunk)
    shutil.rmtree(work)
    if first["created"] != again["unchanged"] or again["created"] or again["updated"]:
        raise SystemExit(f"the pushes did not do what they should: {first}, {again}")
    return {
        "ours": first["seconds"],
        "again": again["seconds"],
        "plain": plain["seconds"],
        "peak_mb": first["peak_mb"],
        "plain_peak_mb": plain["peak_mb"],
    }


def _line(count: int, seconds: dict[str, float]) -> str:
    ours, plain, again = seconds["ours"], seconds["plain"], seconds["again"]
    return (
        f"vlmops {count / ours:.0f}/s, plain {count / plain:.0f}/s: {plain / ours:.1f} x; "
        f"again {again:.2f} s for {ours:.2f} s: {ours / again:.1f} x; "
        f"peak {seconds['peak_mb']:.0f} MB, plain {seconds['plain_peak_mb']:.0f} MB"
    )


class Server:
    """A new Phoenix, as the URL it answers at."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __enter__(self) -> str:
        from vlmops_phoenix.server import PhoenixServer

        self.server = PhoenixServer.start(self.data_dir)
        return self.server.url

    def __exit__(self, *exc: object) -> None:
        self.server.stop()


def child(command: str, folder: Path, url: str, work: Path, chunk: int = CHUNK) -> dict[str, Any]:
    """One push in a new process."""
    arguments = [command, str(folder), "--url", url, "--store", str(work / "phoenix" / "media")]
    arguments += ["--chunk", str(chunk)]
    ended = subprocess.run(
        [sys.executable, __file__, *arguments],
        env={**os.environ, "VLMOPS_CACHE_DIR": str(work / "cache")},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def push_with_vlmops(arguments: argparse.Namespace) -> dict[str, Any]:
    from importlib import import_module

    import vlmops

    # httpx imports them with its first asynchronous client: imports are not counted.
    for name in ("httpcore", "anyio._backends._asyncio"):
        import_module(name)

    dataset = vlmops.ImageDataset.from_folder(arguments.folder, name="vlmops")
    connection = vlmops.connect("phoenix", url=arguments.url, media_store=arguments.store)
    push = vlmops.push
    idle = _peak_mb()
    started = time.perf_counter()
    report = push(dataset, connection)
    seconds = time.perf_counter() - started
    if not report.ok:
        raise SystemExit(f"failed: {report.failures or report.targets[0].failures}")
    target = report.targets[0]
    return {
        "seconds": seconds,
        "created": target.created,
        "updated": target.updated,
        "unchanged": target.unchanged,
        "idle_mb": idle,
        "peak_mb": _peak_mb(),
    }


def push_with_client(arguments: argparse.Namespace) -> dict[str, Any]:
    """What one writes without vlmops: data URIs in examples, in chunks, with a longer timeout."""
    from phoenix.client import Client

    client = Client(base_url=arguments.url)
    paths = sorted(arguments.folder.glob("*.jpg"))
    started = time.perf_counter()
    dataset = None
    for start in range(0, len(paths), arguments.chunk):
        examples = [_data_uri_example(path) for path in paths[start : start + arguments.chunk]]
        if dataset is None:
            dataset = client.datasets.create_dataset(name="plain", examples=examples, timeout=3600)
        else:
            client.datasets.add_examples_to_dataset(dataset="plain", examples=examples, timeout=3600)
    return {"seconds": time.perf_counter() - started, "peak_mb": _peak_mb()}


def _data_uri_example(path: Path) -> dict[str, Any]:
    encoded = base64.b64encode(path.read_bytes()).decode()
    return {
        "id": path.name,
        "input": {"image": f"data:image/jpeg;base64,{encoded}"},
        "output": {},
        "metadata": {"file_name": path.name},
    }


def write_pictures(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """JPEGs of quality 85, each of other pixels: smooth gradients with some noise, as photographs have."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    width, height = size
    coarse = generator.integers(0, 256, (8, 6, 6, 3), np.uint8)
    scenes = [np.asarray(Image.fromarray(c).resize(size, Image.Resampling.BICUBIC), np.int16) for c in coarse]
    noise = generator.integers(-12, 13, (height, width, 3), np.int16)
    for number in range(count):
        shifted = np.roll(noise, (number, number // height), axis=(0, 1))
        pixels = np.clip(scenes[number % 8] + shifted, 0, 255).astype(np.uint8)
        pixels[:16, :64] = np.frombuffer(number.to_bytes(4, "big"), np.uint8).repeat(16)[None, :, None]
        Image.fromarray(pixels).save(folder / f"{number:06d}.jpg", quality=85)
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{count} JPEGs of {width} x {height}, {total / count / 1000:.0f} kB each", flush=True)
    return folder


def _peak_mb() -> float:
    """Peak resident memory of this process; Linux counts it in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
