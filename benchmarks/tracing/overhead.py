"""What tracing adds on the application's thread, for one picture sent as a data URI.

Run by hand: ``python benchmarks/tracing/overhead.py``. Each round starts a new process for each setup, in
turns; processor time of the calling thread alone, so that what the background does is left out (see
``throughput.py`` for what it costs).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

import setups
from servers import server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--kilobytes", type=int, default=750, help="of the picture; a third more as base64")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--platform", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen)))
        return
    with server() as model, server() as platform:
        for number in range(chosen.rounds):
            found = {name: started(name, chosen, model, platform) for name in setups.SETUPS}
            base = found["none"]
            for name, (processor, wall) in found.items():
                print(
                    f"round {number + 1}  {name:<7} {processor:6.2f} ms processor "
                    f"({processor - base[0]:+.2f})   {wall:6.2f} ms wall ({wall - base[1]:+.2f})"
                )


def started(name: str, chosen: argparse.Namespace, model: str, platform: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--measure", name, "--model", model, "--platform", platform]
    command += ["--calls", str(chosen.calls), "--kilobytes", str(chosen.kilobytes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    processor, wall = json.loads(done.stdout.splitlines()[-1])
    return processor, wall


def measure(chosen: argparse.Namespace) -> tuple[float, float]:
    """Medians in milliseconds: processor time of this thread, and wall time."""
    import openai

    uris = [setups.data_uri(setups.picture(chosen.kilobytes, seed)) for seed in range(8)]
    client = openai.OpenAI(base_url=f"{chosen.model}/v1", api_key="none")
    processor, wall = [], []
    with setups.setup(chosen.measure, chosen.platform):
        for number in range(chosen.calls + 5):
            # A new object each time, as an application that reads its pictures has.
            uri = uris[number % len(uris)] + " "
            uri = uri[:-1]
            started_wall, started = time.perf_counter(), time.thread_time()
            setups.ask(client, uri)
            processor.append((time.thread_time() - started) * 1000)
            wall.append((time.perf_counter() - started_wall) * 1000)
            time.sleep(0.05)
    return statistics.median(processor[5:]), statistics.median(wall[5:])


if __name__ == "__main__":
    main()
