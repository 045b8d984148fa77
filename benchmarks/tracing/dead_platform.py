"""Memory of an application whose platform is down: nobody listens, for a minute.

Run by hand: ``python benchmarks/tracing/dead_platform.py``. Calls go on as fast as the model answers, one
picture of 500 KB each. Resident memory is printed every ten seconds, for vlmops and for the plain
instrumentor at full base64.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

import setups
from servers import server
from throughput import another

NOBODY = "http://127.0.0.1:9"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kilobytes", type=int, default=500)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen)
        return
    for name in ("vlmops", "plain"):
        with server() as model:
            command = [sys.executable, __file__, "--measure", name, "--model", model]
            command += ["--seconds", str(chosen.seconds), "--kilobytes", str(chosen.kilobytes)]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            print(f"{name:<7} {done.stdout.strip()}", flush=True)


def measure(chosen: argparse.Namespace) -> None:
    import openai

    body = bytearray(setups.picture(chosen.kilobytes))
    client = openai.OpenAI(base_url=f"{chosen.model}/v1", api_key="none")
    with setups.setup(chosen.measure, NOBODY) as tracing:
        begun, over, calls = time.monotonic(), threading.Event(), 0
        seen: list[int] = []

        def watch() -> None:
            while not over.wait(chosen.seconds / 6):
                seen.append(resident())

        threading.Thread(target=watch, daemon=True).start()
        before = resident()
        while time.monotonic() - begun < chosen.seconds:
            setups.ask(client, setups.data_uri(another(body, calls)))
            calls += 1
        over.set()
        counts = getattr(tracing, "counts", None)
        print(
            f"{calls} calls, {before} MB before, then {seen} MB; {counts['phoenix'] if counts else ''}",
            flush=True,
        )
        if chosen.measure == "plain":
            # Its shutdown would try to export all of it.
            import os

            os._exit(0)


def resident() -> int:
    """Megabytes of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1_000_000


if __name__ == "__main__":
    main()
