"""All that an endpoint may do wrong: each lands in its own kind of failure, and what passes is waited out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_server import Asked, ModelServer, Said, error, reply

from vlmops.evaluators import FailureKind
from vlmops.experiments import Specification
from vlmops.reports import report

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
GOOD = reply('{"n": 1}')

FAULTS: dict[FailureKind, Said] = {
    FailureKind.PROVIDER_ERROR: error(500, "out of order"),
    FailureKind.TIMEOUT: Said(hang=True),
    FailureKind.UNPARSABLE: reply("about seven, I think"),
    FailureKind.SCHEMA_MISMATCH: reply('{"n": "seven"}'),
    FailureKind.REFUSAL: reply("", message={"refusal": "I would rather not"}),
    FailureKind.CONTENT_FILTER: reply("", finish_reason="content_filter"),
    FailureKind.CONTEXT_OVERFLOW: error(400, "too long", code="context_length_exceeded"),
    FailureKind.MEDIA_REJECTED: error(400, "unsupported image type", code="invalid_image_format"),
    FailureKind.RATE_LIMIT: error(429, "daily limit", retry_after="86400"),
}


def by_number(faults: list[Said]) -> Callable[[Asked], Said]:
    """The fault for question ``q000`` is the first, and so on; the rest is answered well."""

    def behave(asked: Asked) -> Said:
        number = int(asked.text.split("q")[-1][:3])
        return faults[number] if number < len(faults) else GOOD

    return behave


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_each_fault_has_its_kind_and_is_counted(server: ModelServer, specified: Callable[..., Path]) -> None:
    server.behaviour = by_number(list(FAULTS.values()))
    file = specified(server.url, len(FAULTS) + 3)
    specification = Specification.load(file).changed(limits={"concurrency": 16, "timeout": 5.0, "tries": 2})
    (variant,) = specification.variants
    specification = specification.changed(variants=[variant.model_copy(update={"answer_schema": SCHEMA})])
    result = specification.run()
    assert dict(result.variants[0].summary.failures) == dict.fromkeys(FAULTS, 1)
    assert dict(result.tally.failures) == dict.fromkeys(FAULTS, 1)
    assert result.tally.replies == 3
    server.behaviour = lambda asked: GOOD
    before = len(server.asked)
    mended = specification.run()
    assert mended.variants[0].summary.failures == {}
    assert len(server.asked) - before == len(FAULTS)


PAID = {
    FailureKind.REFUSAL: reply("", message={"refusal": "I would rather not"}),
    FailureKind.CONTENT_FILTER: reply("", finish_reason="content_filter"),
    FailureKind.TRUNCATED: reply('{"n": ', finish_reason="length"),
    FailureKind.UNPARSABLE: reply("about seven, I think"),
    FailureKind.SCHEMA_MISMATCH: reply('{"n": "seven"}'),
    FailureKind.MISSING_OUTPUT: reply(""),
}


def test_failures_that_were_paid_for_count_in_costs_and_reports(
    server: ModelServer, specified: Callable[..., Path]
) -> None:
    server.behaviour = by_number(list(PAID.values()))
    file = specified(server.url, len(PAID) + 2, options=', card = "gpt-4o"')
    specification = Specification.load(file).changed(budget={"usd": 1})
    (variant,) = specification.variants
    variants = [variant.model_copy(update={"answer_schema": SCHEMA, "name": name}) for name in ("a", "b")]
    result = specification.changed(variants=variants, cache="off").run()
    each = (100 * 2.5 + 10 * 10) / 1e6
    # What was answered to the one variant is kept for the other; what failed is asked again.
    assert result.tally.cost == pytest.approx((8 + len(PAID)) * each)
    for found in result.variants:
        assert dict(found.summary.failures) == dict.fromkeys(PAID, 1)
        assert [run.case.usage.cost for run in found.record.runs if run.case.usage] == [
            pytest.approx(each)
        ] * 8
    assert result.comparison is not None
    (cost,) = [measure for measure in result.comparison.operations if measure.name == "cost"]
    assert [(value.n, value.value) for value in cost.values] == [(8, pytest.approx(each))] * 2
    page = report([found.record for found in result.variants]).html()
    told = json.loads(page.split('id="data"')[1].partition(">")[2].partition("</script>")[0])
    cells = [row["c"][0] for row in told["rows"]]
    assert sorted(told["failures"][cell["f"]] for cell in cells if "f" in cell) == sorted(PAID)
    assert [cell["u"] for cell in cells] == [pytest.approx(each)] * 8


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "trouble",
    [
        error(503, "overloaded", retry_after="0.05"),
        error(500, "out of order"),
        Said(200, GOOD.body, cut=40),
        Said(502, b"<html>bad gateway</html>", {"content-type": "text/html"}),
    ],
    ids=["503", "500", "broken off", "gateway"],
)
def test_what_passes_is_waited_out(
    server: ModelServer, specified: Callable[..., Path], trouble: Said
) -> None:
    server.behaviour = lambda asked: trouble if asked.number <= 3 else GOOD
    result = Specification.load(specified(server.url, 6)).run()
    assert result.variants[0].summary.failures == {}
    assert result.tally.retries == 3
    assert len(server.asked) == 9


def test_in_a_storm_nobody_asks_until_the_provider_will_hear(
    server: ModelServer, specified: Callable[..., Path]
) -> None:
    """The provider lets 20 questions in, and for a second after that says no to all."""
    closed: list[float] = []

    def behave(asked: Asked) -> Said:
        if len(server.asked) == 20 and not closed:
            closed.append(time.monotonic())
        if closed and time.monotonic() - closed[0] < 1.0:
            left = 1.0 - (time.monotonic() - closed[0])
            return error(429, "slow down", retry_after=f"{left + 0.01:.2f}")
        return reply("ok", delay=0.01)

    server.behaviour = behave
    result = Specification.load(specified(server.url, 60)).run()
    assert result.variants[0].summary.failures == {}
    refused = len(server.asked) - 60
    assert refused <= 8
    assert result.tally.pauses == 1
    assert result.tally.retries == refused


def test_a_bad_key_stops_the_run_at_once(server: ModelServer, specified: Callable[..., Path]) -> None:
    from vlmops.errors import PrerequisiteError

    server.behaviour = lambda asked: error(401, "no such key")
    with pytest.raises(PrerequisiteError, match="refused the API key"):
        Specification.load(specified(server.url, 50)).run()
    assert len(server.asked) <= 16


def test_prices_and_budget(server: ModelServer, specified: Callable[..., Path]) -> None:
    """At the card's price of 0.4 and 1.6 dollars a million, 100 tokens in and 10 out cost 0.000056."""
    server.behaviour = lambda asked: reply("ok", tokens=(100, 10))
    file = specified(server.url, 30, options=', card = "gpt-4.1-mini"')
    specification = Specification.load(file)
    few = specification.changed(budget={"usd": 0.0015}).run()
    assert "budget" in few.stopped
    done = len(server.asked)
    assert 0 < done < 30
    assert few.tally.cost == pytest.approx(done * 0.000056)
    assert len(few.variants[0].record.runs) == done
    rest = specification.changed(budget={"usd": 1.0}).run()
    assert rest.stopped == ""
    assert len(server.asked) == 30
    usage = {run.case.usage.cost for run in rest.variants[0].record.runs if run.case.usage}
    assert list(usage) == [pytest.approx(0.000056)]


def test_answers_are_written_as_they_were(server: ModelServer, specified: Callable[..., Path]) -> None:
    file = specified(server.url, 2)
    (result,) = Specification.load(file).run().variants
    lines: list[Any] = [
        json.loads(line) for line in (Path(result.record.url) / "answers.jsonl").read_text().splitlines()
    ]
    assert sorted(line["output"] for line in lines) == ["q000", "q001"]
    assert all(
        line["model"] == "served-2026-01-01" and line["usage"]["input_tokens"] == 100 for line in lines
    )
