from __future__ import annotations

import pytest
from pydantic import BaseModel

from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, SchemaValidity, create
from vlmops.evaluators.structure import schema_errors

SCHEMA = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "items": {"type": "array", "items": {"type": "object", "required": ["name"]}},
        "date": {"type": "string", "format": "date"},
    },
    "required": ["total"],
}


class Invoice(BaseModel):
    total: float
    items: list[str] = []


@pytest.mark.parametrize(
    ("value", "schema", "valid"),
    [
        (1.0, {"type": "integer"}, True),
        (True, {"type": "integer"}, False),
        (True, {"type": "number"}, False),
        (None, {"type": ["string", "null"]}, True),
        ("é", {"maxLength": 1}, True),
        ([1, 2], {"prefixItems": [{"type": "integer"}], "items": False}, False),
        ("x", True, True),
        ("x", False, False),
    ],
)
def test_draft_2020_12(value, schema, valid):
    assert (schema_errors(value, schema) == []) is valid


def test_format_says_nothing_unless_asked():
    assert schema_errors({"total": 1, "date": "soon"}, SCHEMA) == []
    (error,) = schema_errors({"total": 1, "date": "soon"}, SCHEMA, check_formats=True)
    assert (error.path, error.rule) == (("date",), "format")


def test_all_errors_are_named_with_their_place():
    errors = schema_errors({"total": "1", "items": [{}, {"name": 1}]}, SCHEMA)
    assert [(e.path, e.rule) for e in errors] == [(("items", 0), "required"), (("total",), "type")]


def test_pydantic_models_convert_as_in_the_application():
    assert schema_errors({"total": "12.5"}, Invoice) == []
    (error,) = schema_errors({"total": "a lot"}, Invoice)
    assert (error.path, error.rule) == (("total",), "float_parsing")


def test_text_is_parsed_strictly_unless_repair_is_asked_for():
    case = Case(output='{"total": 1,}')
    strict = SchemaValidity(schema=SCHEMA).evaluate(case)
    assert strict.value is False
    assert strict.explanation.startswith("the value: not JSON")
    assert SchemaValidity(schema=SCHEMA, repair=True).evaluate(case).value is True
    assert SchemaValidity(schema=Invoice, repair=True).evaluate(case).explanation == "valid"


def test_long_lists_of_errors_are_cut_in_the_explanation_only():
    score = SchemaValidity(schema=SCHEMA).evaluate(Case(output={"total": 1, "items": [{}] * 5}))
    assert score.explanation.endswith("; 2 more")
    assert len(score.metadata["errors"]) == 5


def test_a_set_counts_rules_by_field():
    cases = [Case(output={"total": 1, "items": [{}, {}]}), Case(output="x"), Case(output={"total": 1})]
    score = SchemaValidity(schema=SCHEMA).evaluate_set(cases)
    assert score.value == pytest.approx(1 / 3)
    assert score.metadata["errors_by_rule"] == {"items: required": 2, "the value: json": 1}


def test_a_wrong_schema_is_refused_on_construction():
    with pytest.raises(EvaluatorError, match="give a JSON Schema"):
        SchemaValidity()
    with pytest.raises(EvaluatorError, match="invalid at"):
        SchemaValidity(schema={"type": "nonsense"})
    with pytest.raises(EvaluatorError):
        create("schema_valid", schema={"minimum": "1"})


def test_references_are_not_fetched():
    with pytest.raises(Exception, match=r"example\.invalid"):
        schema_errors({}, {"$ref": "https://example.invalid/schema.json"})
