"""The `filter` parameter: a JSON list of conditions on columns, all of which must hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from .clock import is_time, parse_time
from .jsonb import parse_json
from .problems import bad_time, custom, invalid, refused, wrong_type

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "contains": lambda text, part: part in text,
    "matches": lambda text, part: part in text,
    "does not contain": lambda text, part: part not in text,
    "starts with": str.startswith,
    "ends with": str.endswith,
}
_LIST_TESTS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "any of": lambda have, wanted: bool(have & wanted),
    "none of": lambda have, wanted: not have & wanted,
    "all of": lambda have, wanted: wanted <= have,
}


Columns = Mapping[str, Callable[[Any], Any]]
"""How to read each column a filter can name from a row."""


def parse_filter(text: str | None, columns: Columns) -> list[dict[str, Any]]:
    """The conditions of a `filter` parameter, or the refusal of anything else and of unknown columns."""
    if text is None:
        return []
    try:
        conditions = parse_json(text.encode())
    except ValueError:
        raise invalid(custom("Invalid JSON in filter parameter", "filter")) from None
    if not isinstance(conditions, list):
        raise invalid(wrong_type("array", conditions, "filter"))
    check_columns(conditions, columns)
    return conditions


def check_columns(conditions: list[dict[str, Any]], columns: Columns) -> None:
    """Refuse a condition on a column that the rows do not have."""
    for condition in conditions:
        column = condition.get("column")
        if column not in columns:
            raise refused(f"Column {column} does not match a UI / CH table mapping.")


def matches(conditions: list[dict[str, Any]], row: Any, columns: Columns) -> bool:
    """Whether a row meets all conditions."""
    return all(_holds(condition, columns[condition["column"]](row)) for condition in conditions)


def _holds(condition: dict[str, Any], have: Any) -> bool:
    kind, wanted, sign = condition.get("type"), condition.get("value"), condition.get("operator", "=")
    if kind == "null":
        empty = have is None or have in ("", [])
        return empty if sign == "is null" else not empty
    if kind == "stringObject":
        have = have.get(condition.get("key")) if isinstance(have, dict) else None
        return _text_holds(sign, have, wanted)
    if kind == "string":
        return _text_holds(sign, have, wanted)
    if kind in {"stringOptions", "arrayOptions", "categoryOptions"}:
        return _test(_LIST_TESTS, sign)(_as_set(have), _as_set(wanted))
    if kind == "boolean":
        return bool((have == wanted) == (sign == "="))
    if kind == "datetime":
        if not is_time(wanted):
            raise invalid(bad_time("filter", "value"))
        return have is not None and _test(_COMPARISONS, sign)(have, parse_time(str(wanted)))
    if kind == "number":
        return have is not None and _test(_COMPARISONS, sign)(have, wanted)
    raise invalid(custom("Invalid filter type", "filter", "type"))


def _as_set(value: Any) -> set[str]:
    return {str(each) for each in value} if isinstance(value, list) else {str(value)}


def _text_holds(sign: str, have: Any, wanted: Any) -> bool:
    return have is not None and _test(_TEXT_TESTS, sign)(str(have), str(wanted))


def _test(tests: dict[str, Callable[[Any, Any], bool]], sign: str) -> Callable[[Any, Any], bool]:
    if sign not in tests:
        raise invalid(custom(f"Invalid operator {sign}", "filter", "operator"))
    return tests[sign]
