"""JSON Schemas of datasets: which are refused, and what the first violation is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, Draft202012Validator, SchemaError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNTYPED = ("$ref", "const", "enum", "not", "anyOf", "oneOf", "allOf", "if")
_NUMBER = ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf")
_STRING = ("maxLength", "minLength", "pattern", "format")
_ARRAY = ("maxItems", "minItems", "uniqueItems", "contains", "prefixItems", "items")
_OBJECT = (
    "maxProperties",
    "minProperties",
    "required",
    "dependentRequired",
    "propertyNames",
    "additionalProperties",
    "properties",
    "patternProperties",
)
_ORDER = {word: rank for rank, word in enumerate(("type", *_NUMBER, *_STRING, *_UNTYPED, *_ARRAY, *_OBJECT))}
_ANNOTATIONS = [
    "$schema",
    "$id",
    "$defs",
    "definitions",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
    "then",
    "else",
    "dependencies",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "additionalItems",
    "minContains",
    "maxContains",
    "$anchor",
]

_MESSAGES = {
    "enum": "must be equal to one of the allowed values",
    "const": "must be equal to constant",
    "additionalProperties": "must NOT have additional properties",
    "anyOf": "must match a schema in anyOf",
    "oneOf": "must match exactly one schema in oneOf",
    "not": "must NOT be valid",
    "maximum": "must be <= {}",
    "minimum": "must be >= {}",
    "exclusiveMaximum": "must be < {}",
    "exclusiveMinimum": "must be > {}",
    "multipleOf": "must be multiple of {}",
    "maxLength": "must NOT have more than {} characters",
    "minLength": "must NOT have fewer than {} characters",
    "maxItems": "must NOT have more than {} items",
    "minItems": "must NOT have fewer than {} items",
    "maxProperties": "must NOT have more than {} properties",
    "minProperties": "must NOT have fewer than {} properties",
    "pattern": 'must match pattern "{}"',
    "format": 'must match format "{}"',
    "uniqueItems": "must NOT have duplicate items",
}


def is_json_schema(schema: Any) -> bool:
    """Whether the server accepts the schema: valid, no unknown keyword, each required name declared."""
    if not isinstance(schema, dict):
        return False
    try:
        _validator_of(schema).check_schema(schema)
    except SchemaError:
        return False
    return all(_strict(part) for part in _subschemas(schema))


def _validator_of(schema: dict[str, Any]) -> Any:
    return Draft7Validator if "draft-07" in str(schema.get("$schema", "")) else Draft202012Validator


def _strict(schema: dict[str, Any]) -> bool:
    if any(word not in _ORDER and word not in _ANNOTATIONS for word in schema):
        return False
    declared = schema.get("properties", {})
    return all(name in declared for name in schema.get("required", []))


def _subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(schema, dict):
        return
    yield schema
    for word in ("properties", "patternProperties", "$defs", "definitions"):
        for part in schema.get(word, {}).values():
            yield from _subschemas(part)
    for word in ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"):
        yield from _subschemas(schema.get(word))
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for part in schema.get(word, []):
            yield from _subschemas(part)


def first_violation(schema: dict[str, Any], value: Any) -> dict[str, str] | None:
    """The first violation as `path`, `message` and `keyword`, or None when the value fits.

    >>> first_violation({"type": "object"}, None)
    {'path': '/', 'message': 'must be object', 'keyword': 'type'}
    """
    errors = list(_validator_of(schema)(schema).iter_errors(value))
    if not errors:
        return None
    error = min(errors, key=_rank)
    path = "/" + "/".join(str(part) for part in error.absolute_path)
    return {"path": path, "message": _message(error), "keyword": str(error.validator)}


def _rank(error: ValidationError) -> list[tuple[int, str]]:
    return [(_ORDER.get(str(part), len(_ORDER)), str(part)) for part in error.absolute_schema_path]


def _message(error: ValidationError) -> str:
    word, expected = str(error.validator), error.validator_value
    if word == "required":
        missing = next(name for name in expected if name not in error.instance)
        return f"must have required property '{missing}'"
    if word == "type":
        return f"must be {','.join(expected) if isinstance(expected, list) else expected}"
    template = _MESSAGES.get(word)
    return template.format(expected) if template else f'must pass "{word}" keyword validation'
