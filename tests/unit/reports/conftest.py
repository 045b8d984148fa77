"""Experiments that have run, without a platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from vlmops.evaluators import Case, Failure, FailureKind, Score, Usage
from vlmops.platforms.records import ExperimentRecord, Run
from vlmops.testing import picture

HOSTILE = "</script><script>window.harmed = true</script><img src=x onerror='window.harmed = true'>"


def ran(name: str, runs: Sequence[Run], **fields: Any) -> ExperimentRecord:
    """An experiment of these answers."""
    return ExperimentRecord(name, name, f"https://example.com/{name}", "d", "1", runs, **fields)


def answer(number: int, output: Any, *results: Score | Failure, **fields: Any) -> Run:
    """An answer about a picture of its own."""
    inputs = {"image": picture(number, (96, 64)), "question": "What is it?"}
    fields = {"inputs": inputs, "expected": f"part {number}", **fields}
    return Run(Case(output, id=f"s{number}", **fields), 1, results, trace_id=f"trace-{number}")


@pytest.fixture
def records() -> list[ExperimentRecord]:
    """Two variants on twelve samples, with failures and hostile text."""

    def variant(name: str, wrong: int) -> ExperimentRecord:
        runs = []
        for number in range(12):
            fields = {
                "metadata": {"light": "dim" if number % 2 else "bright"},
                "usage": Usage(100, 10, cost=0.001 * (1 + wrong)),
                "latency": 0.5 + number / 10,
            }
            if number == 11 and wrong:
                timeout = Failure(FailureKind.TIMEOUT, f"gave up {HOSTILE}")
                runs.append(answer(number, timeout, **fields))
                continue
            good = number >= wrong
            output = HOSTILE if number == 0 else f"part {number}" if good else f"part {number} or so"
            cer = Score("cer", 0.0 if good else 0.5, HOSTILE, direction="minimize", range=(0, float("inf")))
            runs.append(answer(number, output, cer, Score("ok", good), **fields))
        return ran(
            name,
            runs,
            trace_url="https://example.com/traces/trace-0",
            metadata={"model": name, "prompt": f"Read {name}.\nAnswer in words.", "vlmops_key": "k"},
        )

    return [variant("old", 0), variant("new", 8)]
