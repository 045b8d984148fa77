"""Text comes out in the order in which a person reads it."""

import math

from hypothesis import given
from hypothesis import strategies as st

from vlmops.models import TextBox, lines_of, text_of

RECEIPT = [
    [("Harbour", 40, 160), ("Lane", 180, 250)],
    [("2 x Flat white", 40, 230), ("7.80", 400, 460)],
    [("Croissant", 40, 180), ("3.60", 400, 460)],
    [("TOTAL", 40, 120), ("11.40", 390, 460)],
]
WORDING = "Harbour Lane\n2 x Flat white 7.80\nCroissant 3.60\nTOTAL 11.40"


def boxes_of(degrees: float = 0.0, jitter: float = 0.0) -> list[TextBox]:
    turn = math.radians(degrees)
    made = []
    for row, cells in enumerate(RECEIPT):
        for n, (text, left, right) in enumerate(cells):
            top = 50 + row * 34 + jitter * (-1) ** n
            corners = [(left, top), (right, top), (right, top + 24), (left, top + 24)]
            turned = tuple(
                (x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn))
                for x, y in corners
            )
            made.append(TextBox(text, 0.9, turned))
    return made


@given(st.permutations(boxes_of()))
def test_the_order_of_detection_does_not_matter(boxes):
    assert text_of(boxes) == WORDING


@given(st.floats(-8, 8), st.floats(0, 3))
def test_a_tilted_page_keeps_its_rows(degrees, jitter):
    assert text_of(boxes_of(degrees, jitter)) == WORDING


def test_a_tall_heading_does_not_swallow_the_rows_beside_it():
    heading = TextBox.upright("BIG", 0, 0, 100, 90)
    rows = [TextBox.upright("one", 120, 0, 200, 25), TextBox.upright("two", 120, 60, 200, 85)]
    assert [[box.text for box in line] for line in lines_of(rows)] == [["one"], ["two"]]
    assert "one" in text_of([heading, *rows])


def test_vertical_writing_does_not_set_the_slope():
    sideways = TextBox("margin", 0.9, ((20, 300), (20, 10), (44, 10), (44, 300)))
    rows = [TextBox.upright("a", 60, 0, 160, 20), TextBox.upright("b", 60, 40, 160, 60)]
    assert [box.text for line in lines_of([*rows, sideways]) for box in line if box is not sideways] == [
        "a",
        "b",
    ]


def test_no_boxes_are_no_text():
    assert text_of([]) == ""
    assert lines_of([]) == []
