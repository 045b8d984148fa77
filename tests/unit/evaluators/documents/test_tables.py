from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.evaluators import Case, FailureKind, TableSimilarity, create
from vlmops.evaluators.documents import (
    Node,
    find_body_table,
    find_table,
    normalize_table,
    parse_html,
    teds,
    tree_edit_distance,
)

TABLE = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"


def grow(plan):
    nodes = [Node("a")]
    for label, parent in plan:
        nodes.append(Node(label))
        nodes[parent % (len(nodes) - 1)].children.append(nodes[-1])
    return nodes[0]


trees = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=7).map(grow)


def distance(first, second):
    return tree_edit_distance(first, second, rename=lambda a, b: float(a != b))


@given(trees, trees, trees)
def test_tree_edit_distance_is_a_metric(a, b, c):
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a)
    assert abs(a.size - b.size) <= distance(a, b) <= a.size + b.size
    assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_weights_and_renaming_costs_are_used():
    first, second = Node("a", [Node("b")]), Node("a", [Node("c")])
    cost = tree_edit_distance(first, second, rename=lambda a, b: 9.0 * (a != b), weight=lambda _: 2.0)
    assert cost == 4


def test_deep_trees_do_not_exhaust_the_stack():
    html = "<table>" + "<tr><td><table>" * 400
    assert find_table(html) is not None
    assert teds(html, html) == 1
    deep = Node("a")
    for _ in range(1_500):
        deep = Node("a", [deep])
    assert deep.size == 1_501


@given(st.text(alphabet="<>/=\"' abtdrhle&;!-", max_size=60))
def test_parsing_never_fails(text):
    parse_html(text)
    assert -1 <= teds("<table><tr>" + text, TABLE) <= 1


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td>a<td>b<tr><td>c<td>d</table>",
        "<TABLE><TR><TD>a</TD><TD>b</TD></TR><TR><TD>c</TD><TD>d</TD></TR></TABLE>",
        "Here:\n```html\n" + TABLE + "\n```",
        "<div><p>x</p>" + TABLE + "</div>",
        "<html><body>" + TABLE.replace("</tr>", "</b></tr><!-- note -->"),
        TABLE.replace(">a<", ">&#97;<"),
        TABLE.removesuffix("</td></tr></table>"),
    ],
)
def test_the_same_table_written_otherwise(html):
    assert teds(html, TABLE) == 1


def test_published_scripts_see_only_tables_in_full_documents():
    assert find_body_table(TABLE) is None
    assert teds(TABLE, TABLE, anywhere=False) == 0
    assert teds(f"<html><body>{TABLE}", f"<!DOCTYPE html>{TABLE}", anywhere=False) == 1
    assert teds(f"<html><body><div>{TABLE}</div>", f"<html><body>{TABLE}", anywhere=False) == 0


def test_header_cells_are_not_read_unless_normalised():
    header = TABLE.replace("td", "th")
    assert teds(header.replace(">a<", ">x<"), header) == 1
    assert teds(header, TABLE) < 1
    assert teds(header, TABLE, variant="omnidocbench") == 1
    assert teds(header.replace(">a<", ">x<"), header, variant="omnidocbench") == pytest.approx(5 / 6)


def test_normalisation_unwraps_sections_and_inline_markup():
    table = (
        '<table class="x"><thead><tr><th style="a">１<sup>2</sup></th></tr></thead>'
        "<tbody><tr><td><span>b</span><math alttext='y'>z</math></td></tr></tbody></table>"
    )
    assert normalize_table(table) == (
        '<html><body><table border="1" ><tr><td>12</td></tr><tr><td>b$y$</td></tr></table></body></html>'
    )
    assert normalize_table("no table") == ""


def test_denominators_differ():
    changed = TABLE.replace(">d<", ">x<")
    assert teds(changed, TABLE) == pytest.approx(5 / 6)
    assert teds(changed, TABLE, variant="table_recognition_metric") == pytest.approx(6 / 7)


def test_two_empty_tables():
    assert math.isnan(teds("<table></table>", "<table></table>"))
    assert teds("<table></table>", "<table></table>", variant="table_recognition_metric") == 1
    result = TableSimilarity().evaluate(Case(output="<table></table>", expected="<table></table>"))
    assert result.kind is FailureKind.MISSING_EXPECTED


def test_spans_that_are_no_numbers_count_as_one():
    assert teds(TABLE.replace("<td>a", '<td colspan="x">a'), TABLE) == 1
    assert teds(TABLE.replace("<td>a", '<td colspan="2">a'), TABLE) == pytest.approx(5 / 6)


def test_the_evaluator_scores_a_missing_table_and_fails_without_an_expected_one():
    evaluator = TableSimilarity()
    assert evaluator.evaluate(Case(output="I see no table", expected=TABLE)).value == 0
    assert evaluator.evaluate(Case(output=TABLE, expected="none")).kind is FailureKind.MISSING_EXPECTED
    assert evaluator.evaluate(Case(output={"t": TABLE}, expected=TABLE)).kind is FailureKind.UNPARSABLE
    assert create("teds_struct").evaluate(Case(output=TABLE.replace(">d<", ">x<"), expected=TABLE)).value == 1


def test_a_large_table_is_scored():
    rows = "".join(f"<tr><td>{i}</td><td>name {i}</td><td>{i * 7}</td></tr>" for i in range(60))
    table = f"<table>{rows}</table>"
    assert teds(table.replace("name 7<", "nome 7<"), table) == pytest.approx(1 - (1 / 6) / 240)
