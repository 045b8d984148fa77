"""Whether the exporter keeps up: calls as fast as one process makes them, one picture of 500 KB each.

Run by hand: ``python benchmarks/tracing/throughput.py``. Every picture is another one, so that each is
decoded, hashed and stored. Also tells what was sent to the platform, and the greatest memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
import zlib

import setups
from servers import received, server

DISTINCT = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kilobytes", type=int, default=500)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--platform", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen)))
        return
    for number in range(chosen.rounds):
        for name in setups.SETUPS:
            with server() as model, server() as platform:
                found = started(name, chosen, model, platform)
                sent = received(platform).get("/v1/traces", [0, 0])
            print(f"round {number + 1}  {name:<7} {found['rate']:6.1f} calls/s", end="")
            if name != "none":
                print(
                    f"   all exported {found['behind']:.1f} s after the last call"
                    f"   {sent[1] / found['calls'] / 1000:8.1f} kB/span sent"
                    f"   {found['memory'] / 1024:5.0f} MB at most   {found['counts'] or ''}",
                    end="",
                )
            print(flush=True)


def started(name: str, chosen: argparse.Namespace, model: str, platform: str) -> dict:
    command = [sys.executable, __file__, "--measure", name, "--model", model, "--platform", platform]
    command += ["--seconds", str(chosen.seconds), "--threads", str(chosen.threads)]
    command += ["--kilobytes", str(chosen.kilobytes)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def another(png: bytearray, number: int) -> bytes:
    """A picture that is not yet known, at the cost of a checksum."""
    made = bytearray(png)
    made[-40:-36] = number.to_bytes(4, "big")
    start = made.rfind(b"IDAT")
    made[-16:-12] = zlib.crc32(made[start:-16]).to_bytes(4, "big")
    return bytes(made)


def measure(chosen: argparse.Namespace) -> dict:
    """Calls from several threads for a while, then a flush."""
    import openai

    bodies = [bytearray(setups.picture(chosen.kilobytes, seed)) for seed in range(DISTINCT)]
    client = openai.OpenAI(base_url=f"{chosen.model}/v1", api_key="none")
    numbers = [0] * chosen.threads
    with setups.setup(chosen.measure, chosen.platform) as tracing:
        setups.ask(client, setups.data_uri(bytes(bodies[0])))
        begun = time.perf_counter()

        def work(thread: int) -> None:
            while time.perf_counter() - begun < chosen.seconds:
                number = numbers[thread] * chosen.threads + thread
                setups.ask(client, setups.data_uri(another(bodies[number % DISTINCT], number)))
                numbers[thread] += 1

        threads = [threading.Thread(target=work, args=(number,)) for number in range(chosen.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = time.perf_counter()
        if tracing is not None:
            (tracing.flush if chosen.measure == "vlmops" else tracing.force_flush)()
        flushed = time.perf_counter()
        counts = getattr(tracing, "counts", None)
    return {
        "calls": sum(numbers) + 1,
        "rate": sum(numbers) / (ended - begun),
        "behind": flushed - ended,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "counts": repr(counts["phoenix"]) if counts else "",
    }


if __name__ == "__main__":
    main()
