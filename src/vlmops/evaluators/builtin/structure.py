"""Evaluators of the form of answers: JSON, schemas, refusals."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "json_parse": "vlmops.evaluators.structure.json_text:JsonParse",
    "refusal": "vlmops.evaluators.structure.refusal:Refusal",
    "schema_valid": "vlmops.evaluators.structure.schema:SchemaValidity",
}
