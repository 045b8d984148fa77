"""The form an answer is asked for in: how it is said to the provider, and what is made of the text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError
from vlmops.evaluators.failure import FailureKind

if TYPE_CHECKING:
    from pydantic import BaseModel

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(?P<inside>.*)\n\s*```\s*\Z", re.DOTALL)
_SHOWN = 3

Validity = Literal["valid", "repaired"]
"""Whether an answer fitted its schema as it came (a code fence aside), or after mending its JSON."""


class Misfit(ValueError):  # noqa: N818 - says what it is
    """An answer that is not in the form asked for.

    Attributes:
        kind: ``unparsable`` or ``schema_mismatch``.
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """A JSON Schema or a pydantic model that answers must fit.

    Attributes:
        form: The one or the other.
        json_schema: As JSON Schema; that of a pydantic model is made fit for strict modes, in which every
            property is required and no other is allowed.
        name: What the provider is told it is called.

    Raises:
        UsageError: It is neither.

    Example:
        >>> schema = AnswerSchema({"type": "object", "properties": {"n": {"type": "integer"}}})
        >>> schema.name, schema.strict
        ('answer', False)
        >>> schema.read('{"n": 3}')
        ({'n': 3}, 'valid')
    """

    form: Mapping[str, Any] | type[BaseModel]
    json_schema: Mapping[str, Any] = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.form, Mapping):
            schema: Mapping[str, Any] = dict(self.form)
        elif isinstance(self.form, type) and hasattr(self.form, "model_json_schema"):
            schema = _made_strict(self.form.model_json_schema())
        else:
            raise UsageError(f"a schema is a JSON Schema or a pydantic model class, not {self.form!r}")
        title = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title") or "answer"))[:64]
        object.__setattr__(self, "json_schema", schema)
        object.__setattr__(self, "name", title)

    def check(self) -> None:
        """Find out now, not from the first answer that was paid for, whether the schema is one.

        Raises:
            UsageError: It is none.
        """
        from vlmops.errors import EvaluatorError
        from vlmops.evaluators.structure import schema_errors

        try:
            schema_errors(None, self.json_schema)
        except EvaluatorError as error:
            raise UsageError(str(error)) from error

    @property
    def strict(self) -> bool:
        """Whether strict modes take it: every object requires all of its properties and allows no others."""
        return _fits_strict(self.json_schema)

    @property
    def instruction(self) -> str:
        """The schema in words, for providers that enforce none."""
        text = json.dumps(self.json_schema, ensure_ascii=False)
        return f"Answer with JSON alone, which fits this JSON Schema:\n{text}"

    def read(self, text: str, *, repair: bool = False) -> tuple[Any, Validity]:
        """The JSON of an answer, and whether it had to be mended; a pydantic model's conversions are kept.

        Args:
            text: The answer.
            repair: Whether text that is no JSON may be mended (cut off, wrapped in prose, slips).

        Raises:
            Misfit: It is not JSON, or does not fit; the message says where.
            UsageError: The schema itself is invalid.
        """
        from vlmops.evaluators.structure import parse_json, read_json

        fenced = _FENCE.match(text)
        bare = fenced["inside"] if fenced else text
        validity: Validity = "valid"
        try:
            output = parse_json(bare)
        except ValueError as error:
            if not repair:
                raise Misfit(FailureKind.UNPARSABLE, f"not JSON: {error}") from error
            try:
                output, validity = read_json(bare), "repaired"
            except ValueError as hopeless:
                raise Misfit(FailureKind.UNPARSABLE, f"not JSON: {hopeless}") from hopeless
        return self._fitted(output), validity

    def _fitted(self, output: Any) -> Any:
        from vlmops.errors import EvaluatorError
        from vlmops.evaluators.structure import schema_errors

        try:
            errors = schema_errors(output, self.form)
        except EvaluatorError as error:
            raise UsageError(str(error)) from error
        if errors:
            more = f"; {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
            raise Misfit(FailureKind.SCHEMA_MISMATCH, "; ".join(map(str, errors[:_SHOWN])) + more)
        if isinstance(self.form, Mapping):
            return output
        return self.form.model_validate(output).model_dump(mode="json")


def _fits_strict(schema: Any) -> bool:
    if isinstance(schema, list | tuple):
        return all(_fits_strict(part) for part in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(
            properties
        ):
            return False
    return all(_fits_strict(part) for part in schema.values())


def _made_strict(schema: Any, *, properties: bool = False) -> Any:
    """A schema that strict modes take; ``properties`` says that the keys are names of the user's."""
    if isinstance(schema, list):
        return [_made_strict(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    inner = {
        key: _made_strict(part, properties=not properties and key in ("properties", "$defs"))
        for key, part in schema.items()
        if properties or key != "default"
    }
    if not properties and "properties" in inner:
        inner.setdefault("additionalProperties", False)
        inner["required"] = list(inner["properties"])
    return inner
