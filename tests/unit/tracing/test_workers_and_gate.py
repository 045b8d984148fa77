"""Threads of the exporter, and the limit of time for a store."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from tracing_doubles import closed_gate

from vlmops.errors import MediaError, PlatformUnavailable
from vlmops.tracing.gate import StoreGate
from vlmops.tracing.workers import Workers


def test_work_is_done_at_the_same_time_and_results_keep_their_order() -> None:
    workers = Workers(3, "test")
    together = threading.Barrier(3, timeout=20)

    def work(number: int) -> int:
        together.wait()
        return number * 2

    assert workers.map(work, range(3)) == [0, 2, 4]
    workers.shutdown()


def test_an_error_reaches_whoever_asked() -> None:
    workers = Workers(2, "test")

    def fail(number: int) -> None:
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        workers.map(fail, range(2))
    assert workers.submit(lambda: "still at work").result(20) == "still at work"
    workers.shutdown()


def test_work_is_done_even_while_the_interpreter_ends() -> None:
    code = (
        "import atexit\n"
        "from vlmops.tracing.workers import Workers\n"
        "workers = Workers(2, 'test')\n"
        "atexit.register(lambda: print(workers.map(str.upper, ['a', 'b']), flush=True))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['A', 'B']"


def test_a_slow_store_costs_a_picture_its_patience_and_no_more() -> None:
    with closed_gate() as slow, pytest.raises(MediaError, match=r"took longer than 0.05 s"):
        StoreGate(patience=0.05).call(slow)


def test_a_store_that_is_gone_is_left_alone_for_a_while() -> None:
    gate, calls = StoreGate(pause=60), []

    def gone() -> None:
        calls.append(1)
        raise PlatformUnavailable("nobody answers")

    for _ in range(10):
        with pytest.raises(MediaError):
            gate.call(gone)
    assert len(calls) == 3


def test_a_store_is_tried_again_after_the_pause() -> None:
    gate = StoreGate(pause=0.0)

    def gone() -> None:
        raise PlatformUnavailable("nobody answers")

    for _ in range(5):
        with pytest.raises(MediaError, match="nobody answers"):
            gate.call(gone)
    assert gate.call(lambda: "back") == "back"


def test_a_picture_that_is_refused_says_nothing_of_the_store() -> None:
    gate = StoreGate(pause=60)

    def refuse() -> None:
        raise MediaError("not this one")

    for _ in range(10):
        with pytest.raises(MediaError, match="not this one"):
            gate.call(refuse)
    assert gate.call(lambda: 1) == 1
