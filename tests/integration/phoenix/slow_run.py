"""Runs an experiment whose answers take a while: a user's program, to be killed and started again.

Called with the dataset's name, the experiment's key and a file that gets a line for every answer begun.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vlmops import Experiment, Sample, connect, function_task
from vlmops.evaluators import create

SECONDS = 0.02


def main(dataset: str, key: str, log: str) -> None:
    def answer(sample: Sample) -> str:
        with Path(log).open("a", encoding="utf-8") as out:
            out.write(f"{sample.id}\n")
        time.sleep(SECONDS)
        return sample.inputs["question"]

    experiment = Experiment(
        dataset=dataset, name="slow", task=function_task(answer), evaluators=[create("cer")], key=key
    )
    experiment.run(connect("phoenix"))


if __name__ == "__main__":
    main(*sys.argv[1:])
