"""Whether an answer has the form that was asked for: a JSON Schema or a pydantic model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.errors import EvaluatorError
from vlmops.evaluators.bases import OutputEvaluator
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore
from vlmops.evaluators.structure.json_text import parse_json, read_json
from vlmops.evaluators.structure.rate import rate
from vlmops.evaluators.text import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from vlmops.evaluators.case import Case

    Schema = Mapping[str, Any] | bool | type[BaseModel]

_SHOWN_ERRORS = 3
_SHOWN_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One way in which a value breaks its schema.

    Attributes:
        path: Keys and positions that lead to the part at fault; empty for the whole value.
        rule: The JSON Schema keyword that failed (``"minimum"``), or pydantic's error type.
        message: One line for a person.
    """

    path: tuple[str | int, ...]
    rule: str
    message: str

    def __str__(self) -> str:
        place = ".".join(map(str, self.path)) or "the value"
        return f"{place}: {shortened(self.message, _SHOWN_LENGTH)}"


def schema_errors(value: Any, schema: Schema, *, check_formats: bool = False) -> list[SchemaError]:
    """All ways in which a value breaks a schema; empty if it is valid.

    JSON Schema is read as Draft 2020-12: ``1.0`` is an integer and ``true`` is not; ``format`` says nothing
    unless ``check_formats``. References to other documents are not fetched. A pydantic model validates as it
    would in the application, conversions included.

    Args:
        value: Parsed JSON.
        schema: A JSON Schema or a pydantic model class.
        check_formats: Whether ``format`` is checked, for the formats that need no further package.

    Raises:
        EvaluatorError: The schema itself is invalid.

    Example:
        >>> schema = {"properties": {"count": {"type": "integer", "minimum": 0}}, "required": ["count"]}
        >>> [str(error) for error in schema_errors({"count": -1}, schema)]
        ['count: -1 is less than the minimum of 0']
    """
    return _found(value, schema if isinstance(schema, type) else _validator(schema, check_formats))


@register("schema_valid")
@dataclass(frozen=True, kw_only=True)
class SchemaValidity(OutputEvaluator):
    """Whether an answer obeys a JSON Schema or a pydantic model.

    Text is parsed first, strictly unless ``repair``; text that is not JSON is not valid. A set gives the
    valid rate with its bootstrap interval, and how often each rule failed.

    Attributes:
        schema: A JSON Schema (Draft 2020-12) or a pydantic model class.
        repair: Repair text that does not parse as it is.
        check_formats: Whether the schema's ``format`` keywords are checked.

    Raises:
        EvaluatorError: No schema is given, or it is invalid.

    Example:
        >>> from vlmops.evaluators import Case
        >>> evaluator = SchemaValidity(schema={"type": "object", "required": ["total"]})
        >>> evaluator.evaluate(Case(output='{"sum": 12.5}')).explanation
        "the value: 'total' is a required property"
    """

    default_name: ClassVar[str] = "schema_valid"

    schema: Schema | None = None
    repair: bool = False
    check_formats: bool = False
    _checker: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.schema is None:
            raise EvaluatorError(f"{self.name}: give a JSON Schema or a pydantic model as `schema`")
        is_model = isinstance(self.schema, type)
        checker = self.schema if is_model else _validator(self.schema, self.check_formats)
        object.__setattr__(self, "_checker", checker)

    def judge(self, output: Any) -> Score:
        """Score one answer."""
        errors = self._errors(output)
        shown = "; ".join(map(str, errors[:_SHOWN_ERRORS]))
        more = f"; {len(errors) - _SHOWN_ERRORS} more" if len(errors) > _SHOWN_ERRORS else ""
        details = [{"path": list(e.path), "rule": e.rule, "message": e.message} for e in errors]
        return Score(self.name, not errors, f"{shown}{more}" or "valid", metadata={"errors": details})

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """The valid rate over all cases that have an output."""
        outputs = self.read_set(cases, self.output_of)
        if isinstance(outputs, Failure):
            return outputs
        errors = [self._errors(output) for output in outputs.values]
        valid = [not found for found in errors]
        rules = Counter(f"{_place(e.path)}: {e.rule}" for found in errors for e in found)
        explanation = f"{sum(valid)} of {len(valid)} answers are valid"
        score = rate(self.name, valid, outputs, explanation)
        return replace(score, metadata={"errors_by_rule": dict(rules.most_common())})

    def _errors(self, output: Any) -> list[SchemaError]:
        if isinstance(output, str):
            try:
                output = read_json(output) if self.repair else parse_json(output)
            except ValueError as error:
                return [SchemaError((), "json", f"not JSON: {error}")]
        return _found(output, self._checker)


def _place(path: tuple[str | int, ...]) -> str:
    """A path with list positions left out, so that the same slip in several rows is counted together."""
    return ".".join(part for part in path if isinstance(part, str)) or "the value"


def _validator(schema: Any, check_formats: bool) -> Any:
    import jsonschema
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    kind = jsonschema.Draft202012Validator
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise EvaluatorError(f"the JSON Schema is invalid at {error.json_path}: {error.message}") from error
    # With a registry of its own, the validator does not fetch references over the network.
    return kind(schema, registry=REGISTRY, format_checker=kind.FORMAT_CHECKER if check_formats else None)


def _found(value: Any, checker: Any) -> list[SchemaError]:
    """The errors that a validator of ``jsonschema`` or a pydantic model finds."""
    if not isinstance(checker, type):
        errors = sorted(checker.iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
        return [SchemaError(tuple(e.absolute_path), str(e.validator), e.message) for e in errors]
    from pydantic import ValidationError

    model: Any = checker
    try:
        model.model_validate(value)
    except ValidationError as error:
        return [SchemaError(e["loc"], e["type"], e["msg"]) for e in error.errors()]
    return []
