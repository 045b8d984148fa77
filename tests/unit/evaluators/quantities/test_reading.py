"""Reading numbers out of answers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Failure
from vlmops.evaluators.quantities import (
    Quantity,
    figure_value,
    quantities_in,
    read_quantity,
    words_value,
)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (12, 12),
        (-0.5, -0.5),
        ("12", 12),
        ("I see 3.", 3),
        ("about 12", 12),
        ("-4.5", -4.5),
        ("−3", -3),
        ("minus five", -5),
        ("1,200", 1200),
        ("1,200.50", 1200.5),
        ("1.200,50", 1200.5),
        ("1.234.567", 1234567),
        ("1'200", 1200),
        ("1\u202f200\u202f000", 1200000),
        ("1_000", 1000),
        ("0,500", 0.5),
        ("12,5", 12.5),
        ("1e3", 1000),
        ("１２３", 123),
        ("٥", 5),
        ("½", 0.5),
        ("2½", 2.5),
        ("twelve", 12),
        ("Twenty-one", 21),
        ("a dozen", 12),
        ("two dozen", 24),
        ("half a dozen", 6),
        ("2 dozen", 24),
        ("a hundred", 100),
        ("three hundred and twenty-one birds", 321),
        ("two hundred thousand and five", 200005),
        ("two and a half", 2.5),
        ("three point one four", 3.14),
        ("1.2 million", 1_200_000),
        ("10k", 10_000),
        ("zero", 0),
        ("None.", 0),
        ("one", 1),
        ("There is one.", 1),
        ("5 apples, yes 5", 5),
        ("3 bolts and 4 nuts, total: 7", 7),
        ("3 x 4 = 12", 12),
        ("in room A4 there are 6", 6),
        ("On 2024-05-01 at 12:30 I counted 8", 8),
        ("the 3rd row has 9", 9),
        ("no one but 2 people", 2),
    ],
)
def test_one_number_is_read(answer, value):
    found = read_quantity(answer)
    assert isinstance(found, Quantity), found
    assert (found.low, found.high) == (pytest.approx(value), pytest.approx(value))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no number"),
        ("many", "no number"),
        ("hundreds", "no number"),
        ("the red one", "no number"),
        ("A4", "no number"),
        ("B-12", "no number"),
        ("3D", "no number"),
        ("12:30", "no number"),
        ("2024-05-01", "no number"),
        ("5/10", "no number"),
        ("3 and 5", "several numbers: 3, 5"),
        ("5 kg or so, 6 with box", "several numbers"),
        ("100 000", "several numbers"),
        ("1,23,4.5", "two ways"),
        ("1e999", "too large"),
        ("9" * 400, "too large"),
        (True, "bool"),
        (None, "NoneType"),
        ([3], "list"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_no_number_is_guessed(answer, reason):
    found = read_quantity(answer)
    assert isinstance(found, Failure), found
    assert reason in found.message


@pytest.mark.parametrize("answer", ["3-5", "3 – 5", "3 to 5", "between 3 and 5", "3 or 5", "three to five"])
def test_a_range_keeps_both_ends(answer):
    found = read_quantity(answer)
    assert (found.low, found.high, found.is_range) == (3, 5, True)


def test_a_mark_that_could_be_either_follows_the_stated_one():
    assert read_quantity("1.200").low == 1.2
    assert read_quantity("1.200", decimal_mark=",").low == 1200
    assert "two ways" in read_quantity("1.200", decimal_mark=None).message
    assert read_quantity("1.200,5", decimal_mark=None).low == 1200.5


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("€12", {"EUR"}),
        ("12,50 €", {"EUR"}),
        ("EUR 12", {"EUR"}),
        ("12 Euros", {"EUR"}),
        ("£3", {"GBP", "EGP"}),
        ("US$ 3", {"USD"}),
        ("3 CHF", {"CHF"}),
        ("-$5", {"USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"}),
        ("5", set()),
    ],
)
def test_currencies_are_read(answer, codes):
    assert read_quantity(answer).currency == codes


def test_units_are_read_and_converted():
    assert read_quantity("50 %").unit == "%"
    assert read_quantity("5kg").unit == "kg"
    assert read_quantity("3 metres").unit == "m"
    assert read_quantity("3 birds").unit == ""
    assert read_quantity("250 cm").in_unit_of(read_quantity("2 m")).low == 2.5
    assert read_quantity("250 cm").in_unit_of(read_quantity("2 kg")) is None
    assert read_quantity("$5").in_unit_of(read_quantity("5 EUR")) is None


@given(st.floats(-1e12, 1e12, allow_nan=False))
def test_a_number_written_by_python_is_read_back(number):
    assert read_quantity(f"{number:,.2f}").low == pytest.approx(float(f"{number:.2f}"))
    assert read_quantity(f"{number:.3f}").low == pytest.approx(float(f"{number:.3f}"))


@given(st.text())
def test_any_text_gives_a_quantity_or_a_reason(text):
    found = read_quantity(text)
    assert isinstance(found, Failure) or math.isfinite(found.low)


@given(st.text(alphabet="0123456789.,'-eE $€%/:kgone dztwyhur"))
def test_text_made_of_numbers_never_breaks_the_reader(text):
    quantities_in(text, decimal_mark=None)


@given(st.lists(st.sampled_from("a and half point one two twenty hundred thousand dozen zero".split())))  # noqa: SIM905
def test_number_words_in_any_order_give_a_number_or_none(words):
    value = words_value(words)
    assert value is None or value >= 0


@given(st.integers(0, 999_999_999))
def test_grouped_figures_keep_their_value(number):
    assert figure_value(f"{number:,}", ".") == number
    assert figure_value(f"{number:,}".replace(",", "."), ",") == number


def test_long_texts_are_read_in_one_pass():
    assert len(quantities_in("5 apples " * 10_000)) == 10_000
    assert quantities_in("-" * 50_000 + "half a " * 10_000) == []
