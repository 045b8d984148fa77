"""JSON in answers: whether it parses as it is, and whether it does after repair."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from vlmops.evaluators.bases import OutputEvaluator
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Score, SetScore
from vlmops.evaluators.structure.rate import rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case


def parse_json(text: str, *, allow_nan: bool = False) -> Any:
    """The value of a JSON text, strictly: nothing before or after it, no comments, no trailing commas.

    Args:
        text: What should be JSON and nothing else.
        allow_nan: Take ``NaN`` and ``Infinity``, which JSON (RFC 8259) lacks and Python's parser accepts.

    Raises:
        ValueError: It is not JSON; the message says where and why.

    Example:
        >>> parse_json('{"total": 12.5}')
        {'total': 12.5}
        >>> parse_json('{"total": NaN}')
        Traceback (most recent call last):
        ValueError: NaN is not JSON
    """
    try:
        return json.loads(text, parse_constant=None if allow_nan else _refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def repair_json(text: str) -> Any:
    """The value that the package ``json-repair`` finds in a text: in prose, in a fence, cut off, with slips.

    Returns:
        The value; ``""`` where there is nothing like JSON in the text.

    Example:
        >>> repair_json("Here it is: {'total': 12.5,")
        {'total': 12.5}
    """
    import json_repair

    return json_repair.repair_json(text, return_objects=True)


def read_json(text: str) -> Any:
    r"""The value of a JSON text, repaired if needed.

    Raises:
        ValueError: There is no JSON in it; the message says why it does not parse as it is.

    Example:
        >>> read_json('```json\n[1, 2,]\n```')
        [1, 2]
    """
    try:
        return parse_json(text)
    except ValueError as error:
        repaired = repair_json(text)
        if isinstance(repaired, dict | list):
            return repaired
        raise ValueError(f"no JSON object or list in the text ({error})") from error


@register("json_parse")
@dataclass(frozen=True, kw_only=True)
class JsonParse(OutputEvaluator):
    """Whether an answer is JSON: as it is (``<name>.strict``), and at least after repair (``.repaired``).

    A set gives both rates, and ``<name>.repair_rate``: the share of answers that only repair made readable,
    which is what a stricter prompt or a response schema would save. An output that is an object or a list
    already counts as parsed.

    Example:
        >>> from vlmops.evaluators import Case
        >>> for score in JsonParse().evaluate(Case(output='{"total": 12.5,}')):
        ...     print(score.name, score.value)
        json_parse.strict False
        json_parse.repaired True
    """

    default_name: ClassVar[str] = "json_parse"

    def judge(self, output: Any) -> list[Score]:
        """Score one answer."""
        problem = _problem(output, parse_json)
        strict = Score(self.part("strict"), not problem, problem or "parses as it is")
        hopeless = problem and _problem(output, read_json)
        explanation = hopeless or ("parses after repair" if problem else "parses as it is")
        return [strict, Score(self.part("repaired"), not hopeless, explanation)]

    def evaluate_set(self, cases: Sequence[Case]) -> list[SetScore] | Failure:
        """The rates over all cases that have an output."""
        outputs = self.read_set(cases, self.output_of)
        if isinstance(outputs, Failure):
            return outputs
        strict = [not _problem(output, parse_json) for output in outputs.values]
        pairs = zip(strict, outputs.values, strict=True)
        readable = [ok or not _problem(output, read_json) for ok, output in pairs]
        repaired = [after and not before for before, after in zip(strict, readable, strict=True)]
        total = outputs.n
        return [
            rate(self.part("strict"), strict, outputs, f"{sum(strict)} of {total} parse as they are"),
            rate(self.part("repaired"), readable, outputs, f"{sum(readable)} of {total} can be read"),
            rate(
                self.part("repair_rate"),
                repaired,
                outputs,
                f"{sum(repaired)} of {total} had to be repaired",
                direction="minimize",
            ),
        ]


def _problem(output: Any, read: Any) -> str:
    """Why an output cannot be read; empty if it can."""
    if isinstance(output, dict | list):
        return ""
    if not isinstance(output, str):
        return f"the output is {type(output).__name__}, neither text nor JSON"
    try:
        read(output)
    except ValueError as error:
        return str(error)
    return ""


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
