"""1,000 calls with a picture each to an endpoint that takes 200 ms, 50 at once: what does the engine cost?

    python benchmarks/engine.py calls      # engine alone, against the ideal
    python benchmarks/engine.py pairs      # against Phoenix's and Langfuse's own runners, in turns
    python benchmarks/engine.py kept       # 10,000 cases whose answers are kept

Every way asks the same server, a process of its own on the same machine, with the OpenAI client.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS, AT_ONCE, SECONDS = 1000, 50, 0.2
KEPT = 10_000
SERVER = Path(__file__).parents[1] / "tests" / "support" / "model_server.py"


@contextlib.contextmanager
def server(delay: float) -> Iterator[str]:
    """The address of an endpoint in a process of its own."""
    command = [sys.executable, str(SERVER), "--delay", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def pictures(folder: Path, count: int) -> list[Path]:
    """JPEGs of about 20 kB, all different."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(1)
    noise = random.integers(0, 60, (320, 440, 3), dtype=np.uint8)
    files = []
    for number in range(count):
        shade = np.uint8(number % 190)
        array = noise + shade
        array[: 2 + number // 190 % 200, :8] = 255
        file = folder / f"{number:05}.jpg"
        Image.fromarray(array).save(file, quality=60)
        files.append(file)
    return files


def with_engine(url: str, files: list[Path]) -> float:
    """Through the engine, with a cache on disk that holds nothing yet."""
    import openai  # noqa: F401 - importing it is no part of any way's time

    from vlmops.concurrency import for_each
    from vlmops.engine import Engine, Limits, ResponseCache
    from vlmops.images import Image
    from vlmops.models import ModelReply, ModelRequest, create

    async def run(cache: ResponseCache) -> float:
        async with Engine(cache=cache, limits=Limits(concurrency=AT_ONCE)) as engine:
            model = engine.model(create("openai:served", base_url=url, api_key="none"))

            async def one(file: Path) -> None:
                answer = await model.answer(ModelRequest("What is it?", (Image.from_path(file),)))
                assert isinstance(answer, ModelReply), answer

            began = time.perf_counter()
            await for_each(files, one, limit=AT_ONCE)
            return time.perf_counter() - began

    with ResponseCache.default() as cache:
        return asyncio.run(run(cache))


def question(file: Path) -> list[dict]:
    data = base64.b64encode(file.read_bytes()).decode()
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
    ]
    return [{"role": "user", "content": content}]


def ask_sync(client, file: Path) -> str:
    answer = client.chat.completions.create(model="served", messages=question(file))
    return answer.choices[0].message.content


async def ask_async(client, file: Path) -> str:
    answer = await client.chat.completions.create(model="served", messages=question(file))
    return answer.choices[0].message.content


def with_phoenix(url: str, files: list[Path]) -> float:
    """Phoenix's ``run_experiment`` of its sync client, on a server of its own; pictures by path."""
    import openai
    from phoenix.client import Client

    sys.path.insert(0, str(SERVER.parent))
    from phoenix_process import PhoenixProcess

    phoenix = PhoenixProcess(Path(tempfile.mkdtemp()))
    try:
        client = Client(base_url=phoenix.url)
        dataset = client.datasets.create_dataset(
            name="files", inputs=[{"file": str(file)} for file in files], timeout=120
        )
        asked = openai.OpenAI(base_url=url, api_key="none")
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            client.experiments.run_experiment(
                dataset=dataset,
                task=lambda example: ask_sync(asked, Path(example["input"]["file"])),
                print_summary=False,
            )
        return time.perf_counter() - began
    finally:
        phoenix.stop()


def with_langfuse(url: str, files: list[Path]) -> float:
    """Langfuse's ``run_experiment`` with an async task; its spans go nowhere."""
    import openai
    from langfuse import Langfuse

    client = Langfuse(public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", tracing_enabled=False)
    asked: dict[int, openai.AsyncOpenAI] = {}

    async def task(*, item, **_) -> str:
        loop = id(asyncio.get_running_loop())
        if loop not in asked:
            asked[loop] = openai.AsyncOpenAI(base_url=url, api_key="none")
        return await ask_async(asked[loop], Path(item["input"]))

    data = [{"input": str(file), "expected_output": None} for file in files]
    began = time.perf_counter()
    client.run_experiment(name="files", data=data, task=task, max_concurrency=AT_ONCE)
    return time.perf_counter() - began


def fresh_cache() -> None:
    os.environ["VLMOPS_CACHE_DIR"] = tempfile.mkdtemp()


def timed(label: str, way: Callable[[str, list[Path]], float], url: str, files: list[Path]) -> float:
    fresh_cache()
    seconds = way(url, files)
    ideal = len(files) / AT_ONCE * SECONDS
    print(f"{label:<28} {seconds:7.2f} s   {seconds / ideal:5.2f} x ideal", flush=True)
    return seconds


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("what", choices=["calls", "pairs", "kept"])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--phoenix-calls", type=int, default=100, help="fewer: it asks one after another")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp())
    if chosen.what == "kept":
        kept(folder)
        return
    files = pictures(folder, CALLS)
    size = sum(file.stat().st_size for file in files) / len(files)
    print(f"{size:.0f} bytes a picture; load {os.getloadavg()}")
    with server(SECONDS) as url:
        for _ in range(chosen.rounds):
            timed("vlmops engine", with_engine, url, files)
            if chosen.what == "pairs":
                timed("Langfuse, async task", with_langfuse, url, files)
        if chosen.what == "pairs":
            few = files[: chosen.phoenix_calls]
            timed(f"Phoenix, {len(few)} calls", with_phoenix, url, few)


def kept(folder: Path) -> None:
    """The second run over 10,000 samples, whose answers the cache holds: engine alone, and a whole run."""
    fresh_cache()
    files = pictures(folder, KEPT)
    rows = [f'{{"id": "{file.stem}", "image": "{file.name}", "expected": "seen"}}' for file in files]
    (folder / "all.jsonl").write_text("\n".join(rows) + "\n")
    with server(0.0) as url:
        print(f"first, engine alone:   {with_engine(url, files):6.2f} s", flush=True)
        print(f"kept, engine alone:    {with_engine(url, files):6.2f} s", flush=True)
        print(f"kept, whole run:       {whole_run(url, folder, 'one'):6.2f} s", flush=True)
        print(f"there, the run again:  {whole_run(url, folder, 'one'):6.2f} s", flush=True)


def whole_run(url: str, folder: Path, results: str) -> float:
    """A specification with one metric, results in a folder: pictures, answers, scores, figures."""
    from vlmops.experiments import Specification

    specification = Specification.of(
        on=f"folder:{folder / results}",
        dataset={"source": str(folder / "all.jsonl")},
        variants=[
            {
                "model": "openai:served",
                "options": {"base_url": url, "api_key": "none"},
                "prompt": "What is it?",
            }
        ],
        evaluators=[{"use": "cer"}],
        limits={"concurrency": AT_ONCE},
    )
    began = time.perf_counter()
    result = specification.run()
    assert result.tally.calls == 0, result.tally
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
