"""The parser finds what its rules say, and nothing where there is nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.demo import demo_folder, parse_receipt

RECORDS = [json.loads(line) for line in (demo_folder() / "metadata.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_a_perfect_transcription_gives_exactly_the_true_fields(record):
    assert parse_receipt(record["text"]) == record["fields"]


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("2025-03-14 09:26", "2025-03-14"),
        ("Datum:02.05.2025 07:58", "2025-05-02"),
        ("19/02/2025", "2025-02-19"),
        ("01/27/2025 18:41", "2025-01-27"),
        ("03/04/2025", "2025-04-03"),
        ("14Mar2025", "2025-03-14"),
        ("30. Mai 2025", "2025-05-30"),
        ("99/99/2025", None),
        ("Ref 20251", None),
    ],
)
def test_dates(line, date):
    assert parse_receipt(f"Shop\n{line}\nTotal 1.00")["date"] == date


@pytest.mark.parametrize(
    ("line", "total"),
    [
        ("TOTAL $1,204.50", 1204.5),
        ("Summe 1.204,50 €", 1204.5),
        ("Amountdue17.72", 17.72),
        ("Total -3.00", -3.0),
        ("TOTAL £44.52", 44.52),
    ],
)
def test_totals(line, total):
    assert parse_receipt(f"Shop\n{line}")["total"] == total


def test_the_last_total_counts_and_a_subtotal_is_none():
    fields = parse_receipt("Shop\nTea 2.00\nSubtotal 2.00\nTotal net 2.00\nVAT 0.40\nTotal 2.40")
    assert fields["total"] == 2.4
    assert fields["items"] == [{"name": "Tea", "quantity": 1, "price": 2.0}]
    assert parse_receipt("Shop\nSubtotal 2.00") is None


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ("2 x Flat white $7.80", ("Flat white", 2, 7.8)),
        ("2xFlatwhite$7.80", ("Flatwhite", 2, 7.8)),
        ("Steel hinge pair 8 3.75 30.00", ("Steel hinge pair", 8, 30.0)),
        ("Olive oil 500 ml 11.49", ("Olive oil 500 ml", 1, 11.49)),
        ("Masking tape 36 mm£6.90", ("Masking tape 36 mm", 1, 6.9)),
    ],
)
def test_items(line, item):
    (found,) = parse_receipt(f"Shop\n{line}\nTotal 99.00")["items"]
    assert (found["name"], found["quantity"], found["price"]) == item


@given(st.text(alphabet=st.sampled_from("aT otl:$€.,-/x0123456789\n"), max_size=200))
def test_any_text_is_borne(text):
    fields = parse_receipt(text)
    assert fields is None or set(fields) == {"merchant", "date", "total", "items"}
