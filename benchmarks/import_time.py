"""How long ``import vlmops`` and ``vlmops --help`` take in a new process: medians of several starts.

Run by hand: ``python benchmarks/import_time.py``. Ends with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOALS_MS = {"import vlmops": 150, "vlmops --help": 400}
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import vlmops": [sys.executable, "-c", "import vlmops"],
    "vlmops --help": [str(Path(sys.executable).with_name("vlmops")), "--help"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=15)
    starts = parser.parse_args().starts
    missed = False
    for name, command in COMMANDS.items():
        times = sorted(milliseconds(command) for _ in range(starts + 1))
        # The first start may compile bytecode.
        median, goal = statistics.median(times[:-1]), GOALS_MS.get(name)
        missed = missed or (goal is not None and median > goal)
        print(f"{name:<16} {median:4.0f} ms (fastest {times[0]:.0f})" + (f", goal {goal} ms" if goal else ""))
    return int(missed)


def milliseconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    raise SystemExit(main())
