"""Payloads that wait in memory behind a placeholder."""

from __future__ import annotations

import copy
import gc
import json
import multiprocessing
import pickle
import threading

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from vlmops.tracing.held import PAYLOADS, REFUSED, HeldPayloads

URI = "data:image/png;base64," + "A" * 2000


def as_text(placeholder: str) -> str:
    """As it reads in JSON, where the object is gone."""
    return json.loads(json.dumps(placeholder))


def test_a_payload_is_found_by_its_placeholder_and_by_its_text() -> None:
    held = HeldPayloads()
    placeholder = held.hold(URI)
    assert held.get(placeholder) is URI
    assert held.get(as_text(placeholder)) is URI
    assert (held.count, held.byte_length) == (1, len(URI))


def test_a_payload_goes_with_the_last_placeholder() -> None:
    held = HeldPayloads()
    placeholder = held.hold(URI)
    text = as_text(placeholder)
    span_value = placeholder
    del placeholder
    assert held.get(text) is URI
    del span_value
    gc.collect()
    assert held.get(text) is None
    assert (held.count, held.byte_length) == (0, 0)


def test_the_same_object_is_held_once() -> None:
    held = HeldPayloads()
    first, second = held.hold(URI), held.hold(URI)
    assert first is second
    assert held.byte_length == len(URI)


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"max_count": 2}, [10, 10, 10]),
        ({"max_bytes": 250}, [100, 100, 100]),
        ({"max_payload_bytes": 50}, [10, 20, 100]),
    ],
)
def test_what_there_is_no_room_for_is_refused_and_counted(limits: dict, sizes: list[int]) -> None:
    held = HeldPayloads(**limits)
    alive = [held.hold(bytes([number]) * size) for number, size in enumerate(sizes)]
    assert alive[-1] == REFUSED
    assert held.refused == 1
    assert held.get(REFUSED) is None
    assert all(held.get(placeholder) is not None for placeholder in alive[:-1])


def test_room_is_there_again_once_payloads_are_gone() -> None:
    held = HeldPayloads(max_bytes=150)
    first = held.hold(b"a" * 100)
    assert held.hold(b"b" * 100) == REFUSED
    del first
    assert held.hold(b"c" * 100) != REFUSED


def test_copies_are_the_same_placeholder_and_pickles_are_text() -> None:
    placeholder = PAYLOADS.hold(URI)
    assert copy.deepcopy({"a": [placeholder]})["a"][0] is placeholder
    assert copy.copy(placeholder) is placeholder
    travelled = pickle.loads(pickle.dumps(placeholder))
    assert type(travelled) is str
    assert travelled == placeholder


def test_pins_keep_payloads_alive_until_they_are_taken_off() -> None:
    held = HeldPayloads()
    text = as_text(placeholder := held.hold(URI))
    held.pin("span", [placeholder, "other text"])
    del placeholder
    assert held.get(text) is URI
    held.unpin("span")
    assert held.get(text) is None
    held.unpin("span")


def test_pins_that_nobody_takes_off_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlmops.tracing.held._MAX_PINS", 3)
    held = HeldPayloads()
    for number in range(10):
        held.pin(str(number), [held.hold(bytes([number]) * 10)])
    assert held.count == 3


def test_placeholders_within_longer_text_of_a_span_are_found() -> None:
    held = HeldPayloads()
    placeholder = held.hold(URI)
    span = ReadableSpan(
        "s", attributes={"input.value": json.dumps({"a": placeholder}), "n": 1, "whole": placeholder}
    )
    assert held.within(span) == [placeholder]


def test_many_threads_may_hold_and_let_go() -> None:
    held = HeldPayloads(max_count=100_000)
    errors: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(500):
                payload = f"{thread}-{number}"
                placeholder = held.hold(payload)
                assert held.get(as_text(placeholder)) is payload
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert (held.count, held.byte_length) == (0, 0)


def _in_child(held: HeldPayloads, placeholder: str, results: multiprocessing.SimpleQueue) -> None:
    results.put((held.get(placeholder) == URI, held.hold("x" * 100) != REFUSED))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_even_when_the_lock_was_taken() -> None:
    held = HeldPayloads()
    placeholder = held.hold(URI)
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    with held._lock:
        child = context.Process(target=_in_child, args=(held, placeholder, results))
        child.start()
    child.join(30)
    assert child.exitcode == 0
    assert results.get() == (True, True)
