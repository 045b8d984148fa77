"""Tree-edit-distance similarity of tables (Zhong et al. 2020, arXiv:1911.10683)."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from vlmops.evaluators.bases import ComparisonEvaluator
from vlmops.evaluators.documents.html_table import Element, find_body_table, find_table
from vlmops.evaluators.documents.tree import Node, tree_edit_distance
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score

TedsVariant = Literal["pubtabnet", "omnidocbench", "table_recognition_metric"]
"""Which implementation is followed."""


def teds(
    output: str,
    expected: str,
    *,
    structure_only: bool = False,
    variant: TedsVariant = "pubtabnet",
    anywhere: bool = True,
) -> float:
    """Similarity of two HTML tables, ``1 - tree edits / nodes``, at most 1; more is better.

    Deleting or inserting an element costs 1, as does changing its tag, colspan or rowspan; two ``td`` cells
    that agree in those cost the edit distance of their content, divided by the longer one. The text of
    ``th`` cells is not compared (``omnidocbench`` turns them into ``td`` first). Spans that are not numbers
    count as 1.

    Args:
        output: HTML with a table.
        expected: HTML with a table.
        structure_only: Ignore the text in cells (TEDS-Struct).
        variant: ``"pubtabnet"`` divides by the elements below the larger ``table``, markup inside of cells
            included. ``"table_recognition_metric"`` is the package of that name: it divides by the nodes of
            the larger tree, the ``table`` included and markup inside of cells not.
            ``"omnidocbench"`` is PubTabNet's after :func:`normalize_table`.
        anywhere: Take the first table wherever it stands. ``False`` takes only a ``table`` directly inside
            of ``html/body``, as the published scripts do: a bare ``<table>`` then scores 0.

    Returns:
        The similarity; 0 where one side has no table; NaN where both tables are empty, for which PubTabNet's
        definition gives nothing.

    Example:
        >>> row = "<tr><td>a</td><td>{}</td></tr>"
        >>> table = f"<table>{row.format('b')}{row.format('c')}</table>"
        >>> teds(table.replace("c", "d"), table)
        0.8333333333333334
        >>> teds(table.replace("c", "d"), table, structure_only=True)
        1.0
    """
    tables = _tables(output, expected, variant, anywhere)
    if tables is None:
        return 0.0
    got, wanted = (_tree(table, structure_only) for table in tables)
    if variant == "table_recognition_metric":
        nodes = max(got.size, wanted.size)
    else:
        nodes = max(sum(1 for _ in table.descendants()) for table in tables)
    distance = tree_edit_distance(got, wanted, rename=_rename)
    return 1.0 - distance / nodes if nodes else math.nan


def normalize_table(text: str) -> str:
    """HTML as OmniDocBench compares it: ``th`` as ``td``, no sections, no inline markup, NFKC.

    Example:
        >>> normalize_table("<table><thead><tr><th>１２</th></tr></thead></table>")
        '<html><body><table border="1" ><tr><td>12</td></tr></table></body></html>'
    """
    if "<table" not in text.replace(" ", ""):
        return ""
    text = re.sub(r"<(/?)th(?=[\s/>])", r"<\1td", text, flags=re.IGNORECASE)
    text = re.sub(r"</?(?:thead|span)(?=[\s/>])[^>]*>", "", text, flags=re.IGNORECASE)
    text = _MATH.sub(_formula, text)
    text = unicodedata.normalize("NFKC", html.unescape(text).replace("\n", "")).strip()
    text = "".join(re.findall(r"<table\b[^>]*>(.*)</table>", text, re.DOTALL | re.IGNORECASE))
    text = re.sub(r' (?:style|height|width|align|class)=".*?"', "", text)
    text = re.sub(r"\s+", " ", re.sub(r"</?tbody>", "", text))
    text = re.sub(r"</?(?:sup|sub|span|div|p)>", "", text)
    text = re.sub(r"<colgroup>.*?</colgroup>", "", text)
    return f'<html><body><table border="1" >{text}</table></body></html>'


@register("teds")
@dataclass(frozen=True, kw_only=True)
class TableSimilarity(ComparisonEvaluator):
    """TEDS: how near an HTML table comes to the expected one, at most 1; more is better.

    The value follows PubTabNet's script. An output without a table scores 0; an expected value without one
    is a failure, since there is nothing to compare with.

    Attributes:
        structure_only: Ignore the text in cells (TEDS-Struct).
        variant: Which implementation to follow, see :func:`teds`.

    Example:
        >>> from vlmops.evaluators import Case
        >>> table = "<table><tr><td>a</td><td>b</td></tr></table>"
        >>> score = TableSimilarity().evaluate(Case(output=table.replace(">b<", ">x<"), expected=table))
        >>> round(score.value, 3), score.explanation
        (0.667, '1.00 edits in a table of 3 elements; output 1 row, 2 cells; expected 1 row, 2 cells')
    """

    default_name: ClassVar[str] = "teds"

    structure_only: bool = False
    variant: TedsVariant = "pubtabnet"

    def compare(self, output: Any, expected: Any) -> Score | Failure:
        """Score one table."""
        for side, value in (("output", output), ("expected", expected)):
            if not isinstance(value, str):
                problem = f"{side} is {type(value).__name__}, not HTML text"
                return self.failure(FailureKind.UNPARSABLE, problem)
        got, wanted = find_table(output), find_table(expected)
        if wanted is None or not wanted.elements:
            return self.failure(FailureKind.MISSING_EXPECTED, "there is no table in the expected value")
        value = teds(output, expected, structure_only=self.structure_only, variant=self.variant)
        if got is None:
            return Score(self.name, 0.0, "there is no table in the output", range=(-1.0, 1.0))
        nodes = max(sum(1 for _ in table.descendants()) for table in (got, wanted))
        edits = (1 - value) * nodes
        explanation = (
            f"{edits:.2f} edits in a table of {nodes} elements; output {_dimensions(got)}; "
            f"expected {_dimensions(wanted)}"
        )
        # More edits than elements are possible: deleting the one table and inserting the other.
        return Score(self.name, value, explanation, range=(-1.0, 1.0))


@register("teds_struct")
@dataclass(frozen=True, kw_only=True)
class TableStructureSimilarity(TableSimilarity):
    """TEDS-Struct: like :class:`TableSimilarity`, without the text in cells.

    Example:
        >>> from vlmops.evaluators import Case
        >>> table = "<table><tr><td>a</td><td>b</td></tr></table>"
        >>> case = Case(output=table.replace(">b<", ">x<"), expected=table)
        >>> TableStructureSimilarity().evaluate(case).value
        1.0
    """

    default_name: ClassVar[str] = "teds_struct"

    structure_only: bool = True


class _Label(NamedTuple):
    tag: str
    colspan: int
    rowspan: int
    content: str | tuple[str, ...]


_MATH = re.compile(r"<math\b([^>]*)>.*?</math>", re.DOTALL | re.IGNORECASE)
_ALTERNATIVE_TEXT = re.compile(r"""alttext\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def _formula(math_tag: re.Match[str]) -> str:
    found = _ALTERNATIVE_TEXT.search(math_tag[1])
    return f"${(found[1] or found[2] or '') if found else ''}$"


def _tables(
    output: str, expected: str, variant: TedsVariant, anywhere: bool
) -> tuple[Element, Element] | None:
    find = find_table if anywhere else find_body_table
    if variant == "omnidocbench":
        output, expected = normalize_table(output), normalize_table(expected)
    got, wanted = find(output), find(expected)
    return None if got is None or wanted is None else (got, wanted)


def _tree(table: Element, structure_only: bool) -> Node[_Label]:
    root: Node[_Label] = Node(_Label(table.tag, 0, 0, ""))
    waiting = [(table, root)]
    while waiting:
        element, node = waiting.pop()
        for child in element.elements:
            branch = Node(_label(child, structure_only))
            node.children.append(branch)
            if child.tag != "td":
                waiting.append((child, branch))
    return root


def _label(element: Element, structure_only: bool) -> _Label:
    if element.tag != "td":
        return _Label(element.tag, 0, 0, "")
    content = "" if structure_only else _tokens(element)
    return _Label("td", _span(element, "colspan"), _span(element, "rowspan"), content)


def _span(element: Element, name: str) -> int:
    try:
        return int(element.attributes.get(name, "1"))
    except ValueError:
        return 1


def _tokens(cell: Element) -> str | tuple[str, ...]:
    """The characters of a cell, with each tag inside of it as one token."""
    if not cell.elements:
        return "".join(part for part in cell.content if isinstance(part, str))
    tokens: list[str] = []
    after_cell = False
    waiting = [(cell, iter(cell.content))]
    while waiting:
        element, parts = waiting[-1]
        part = next(parts, None)
        if part is None:
            waiting.pop()
            # The reference has no closing token for "unk", and drops what follows a cell inside of a cell.
            if waiting and element.tag != "unk":
                tokens.append(f"</{element.tag}>")
            after_cell = element.tag == "td"
        elif isinstance(part, Element):
            tokens.append(f"<{part.tag}>")
            waiting.append((part, iter(part.content)))
            after_cell = False
        elif not after_cell:
            tokens.extend(part)
    return tuple(tokens)


def _rename(got: _Label, wanted: _Label) -> float:
    if got[:3] != wanted[:3]:
        return 1.0
    if got.content == wanted.content:
        return 0.0
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_distance(got.content, wanted.content)


def _dimensions(table: Element) -> str:
    tags = [element.tag for element in table.descendants()]
    rows, cells = tags.count("tr"), tags.count("td") + tags.count("th")
    return f"{rows} row{'' if rows == 1 else 's'}, {cells} cell{'' if cells == 1 else 's'}"
