"""Schemas as providers are told them, and answers read against them."""

import pytest
from pydantic import BaseModel, Field

from vlmops.evaluators import FailureKind
from vlmops.models.answer_schema import AnswerSchema, Misfit


class Part(BaseModel):
    name: str
    default: int = 1


class Scene(BaseModel):
    """What a scene holds."""

    parts: list[Part] = Field(default_factory=list)
    note: str | None = None


def test_a_pydantic_model_is_made_strict_at_every_level():
    schema = AnswerSchema(Scene)
    assert (schema.name, schema.strict) == ("Scene", True)
    assert schema.json_schema["required"] == ["parts", "note"]
    part = schema.json_schema["$defs"]["Part"]
    assert part["required"] == ["name", "default"]
    assert part["additionalProperties"] is False
    assert "default" not in part["properties"]["default"]
    assert "default" in part["properties"]


def test_a_json_schema_goes_out_as_it_is():
    given = {"title": "Count of things", "type": "object", "properties": {"n": {"default": 1}}}
    schema = AnswerSchema(given)
    assert schema.json_schema == given
    assert (schema.name, schema.strict) == ("Count_of_things", False)
    assert AnswerSchema({"type": "array", "items": {"type": "string"}}).strict


@pytest.mark.parametrize(
    "text", ['{"parts": [{"name": "bolt"}]}', '```json\n{"parts": [{"name": "bolt"}]}\n```']
)
def test_a_model_fills_in_what_is_left_out(text):
    read = {"parts": [{"name": "bolt", "default": 1}], "note": None}
    assert AnswerSchema(Scene).read(text) == (read, "valid")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("no idea", FailureKind.UNPARSABLE, "not JSON"),
        ('{"a": NaN}', FailureKind.UNPARSABLE, "NaN is not JSON"),
        ('{"parts": 1}', FailureKind.SCHEMA_MISMATCH, "parts: Input should be a valid list"),
        ("[]", FailureKind.SCHEMA_MISMATCH, "the value"),
    ],
)
def test_misfits_say_where(text, kind, message):
    with pytest.raises(Misfit, match=message) as caught:
        AnswerSchema(Scene).read(text)
    assert caught.value.kind is kind


def test_many_errors_are_counted():
    schema = AnswerSchema({"type": "object", "required": list("abcde")})
    with pytest.raises(Misfit, match="; 2 more"):
        schema.read("{}")
