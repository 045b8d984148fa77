"""The form of answers: JSON that parses, schemas that hold, refusals."""

from __future__ import annotations

from vlmops.evaluators.structure.json_text import JsonParse, parse_json, read_json, repair_json
from vlmops.evaluators.structure.rate import rate
from vlmops.evaluators.structure.refusal import Refusal, refusal_phrase
from vlmops.evaluators.structure.schema import SchemaError, SchemaValidity, schema_errors

__all__ = [
    "JsonParse",
    "OutputEvaluator",
    "Refusal",
    "SchemaError",
    "SchemaValidity",
    "parse_json",
    "rate",
    "read_json",
    "refusal_phrase",
    "repair_json",
    "schema_errors",
]
