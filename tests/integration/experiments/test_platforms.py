"""One specification on a real Phoenix and in a folder at once: each call is made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer, reply

from vlmops.experiments import Specification
from vlmops.platforms import connect

pytestmark = pytest.mark.integration


def test_two_platforms_ask_once_and_say_the_same(
    server: ModelServer, specified: Callable[..., Path], phoenix_server: Any, tmp_path: Path
) -> None:
    server.behaviour = lambda asked: reply(asked.text)
    file = specified(server.url, 6)
    platforms = [
        connect("phoenix", url=phoenix_server.url, media_store=str(phoenix_server.media_store)),
        connect(f"folder:{tmp_path / 'results'}"),
    ]
    specification = Specification.load(file).changed(
        dataset={"source": str(file.parent / "signs.jsonl"), "name": "two platforms"},
        evaluators=["image_quality"],
        repetitions=2,
    )
    result = specification.run(platforms)
    assert len(server.asked) == 12
    assert (result.tally.calls, result.tally.cached) == (12, 12)
    phoenix, folder = (results[0] for results in result.results.values())
    for record in (phoenix.record, folder.record):
        outputs = {(run.case.id, run.repetition): run.case.output for run in record.runs}
        assert outputs == {(f"s{n:03}", r): f"q{n:03}" for n in range(6) for r in (1, 2)}
    figures = [[(s.name, s.value, s.n) for s in each.summary.scores] for each in (phoenix, folder)]
    assert sorted(figures[0]) == sorted(figures[1])


def test_a_budget_ends_it_on_phoenix_and_it_goes_on(
    server: ModelServer, specified: Callable[..., Path], phoenix_server: Any
) -> None:
    server.behaviour = lambda asked: reply(asked.text, tokens=(100, 10))
    file = specified(server.url, 12, options=', card = "gpt-4.1-mini"')
    phoenix = connect("phoenix", url=phoenix_server.url, media_store=str(phoenix_server.media_store))
    specification = Specification.load(file).changed(
        dataset={"source": str(file.parent / "signs.jsonl"), "name": "short of money"},
        limits={"concurrency": 2},
    )
    small = specification.changed(budget={"usd": 0.0012}).run(phoenix)
    done = len(server.asked)
    assert 0 < done < 12
    assert "budget" in small.stopped
    (first,) = small.variants
    assert len(first.record.runs) == done
    assert first.summary.failures == {}
    (whole,) = specification.run(phoenix).variants
    assert (whole.record.id, len(whole.record.runs)) == (first.record.id, 12)
    assert len(server.asked) == 12
