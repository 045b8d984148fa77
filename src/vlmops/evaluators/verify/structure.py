"""Adapters of the metrics of form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators import structure
from vlmops.evaluators.verify.comparison import Raised, outcome, revive

if TYPE_CHECKING:
    from vlmops.evaluators.verify.tables import Adapter
    from vlmops.evaluators.verify.vector import Vector


def _json_parse(vector: Vector) -> Any:
    text = vector.input["text"]
    # The reference is Python's parser, which takes NaN; our own strict rate does not.
    parsed = outcome(structure.parse_json, text, allow_nan=True)
    return {"strict_ok": not isinstance(parsed, Raised), "repaired": outcome(structure.repair_json, text)}


def _schema_valid(vector: Vector) -> Any:
    schema, instance = vector.input["schema"], revive(vector.input["instance"])
    errors = structure.schema_errors(instance, schema)
    checked = structure.schema_errors(instance, schema, check_formats=True)
    expected = vector.expected if isinstance(vector.expected, dict) else {}
    return {
        "valid": not errors,
        "error_paths": _ordered([list(error.path) for error in errors], expected.get("error_paths")),
        "failed_keywords": _ordered([error.rule for error in errors], expected.get("failed_keywords")),
        "valid_with_format_checker": not checked,
    }


def _ordered(got: list[Any], expected: Any) -> list[Any]:
    """Ours as the reference wrote it where both name the same: order and repetition have no meaning."""
    same = isinstance(expected, list) and set(map(repr, got)) == set(map(repr, expected))
    return list(expected) if same else got


METRICS: dict[str, Adapter] = {"json_parse": _json_parse, "schema_valid": _schema_valid}
