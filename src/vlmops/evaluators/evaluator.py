"""What an evaluator is: two small protocols, and a base for those that compare output with expected."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from vlmops.evaluators.case import Case
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.score import Score, SetScore

Result = Score | list[Score] | Failure
"""What evaluating one case gives."""

SetResult = SetScore | list[SetScore] | Failure
"""What evaluating a whole set of cases gives."""


@runtime_checkable
class Evaluator(Protocol):
    """Scores one case at a time; ``evaluate`` may be a coroutine function."""

    @property
    def name(self) -> str:
        """Name of the score it gives, or the common prefix when it gives several."""
        ...

    def evaluate(self, case: Case) -> Result | Awaitable[Result]:
        """Score one case, or say why it could not be scored."""
        ...


@runtime_checkable
class SetEvaluator(Protocol):
    """Scores a whole set of cases at once, for metrics that are more than a mean (micro CER, mAP, F1).

    A class may be both an :class:`Evaluator` and a :class:`SetEvaluator`.
    """

    @property
    def name(self) -> str:
        """Name of the score it gives, or the common prefix when it gives several."""
        ...

    def evaluate_set(self, cases: Sequence[Case]) -> SetResult | Awaitable[SetResult]:
        """Score all cases together; cases it cannot use are counted in ``failures``."""
        ...


class Missing:
    """Marks that a key leads nowhere; distinct from a ``None`` that is really there."""


MISSING = Missing()


def select(value: Any, key: str | None) -> Any:
    """Follow a dotted key into nested mappings and lists; :data:`MISSING` where it leads nowhere.

    Example:
        >>> select({"total": {"amount": 3}, "items": ["a", "b"]}, "total.amount")
        3
        >>> select({"items": ["a", "b"]}, "items.1")
        'b'
    """
    if key is None:
        return value
    for part in key.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


@dataclass(frozen=True, kw_only=True)
class ComparisonEvaluator(ABC):
    """Base of evaluators that compare an output with what was expected.

    Subclasses implement :meth:`compare` and set ``default_name``; selection and absence are handled here,
    so that a missing answer is a :class:`Failure` and never a score of zero.

    Attributes:
        name: Name of the score; give another to use the evaluator twice in one run.
        key: Dotted path of the part to compare, in ``output`` and in ``expected`` alike
            (``"total.amount"``); the whole value when ``None``.
        expected_key: The same for ``expected`` alone, where the two differ in shape.
    """

    default_name: ClassVar[str]

    name: str = ""
    key: str | None = None
    expected_key: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.default_name)

    def sides(self, case: Case) -> tuple[Any, Any] | Failure:
        """The selected parts of output and expected, or the failure that says which is absent."""
        output = select(case.output, self.key)
        expected = select(case.expected, self.expected_key if self.expected_key is not None else self.key)
        if isinstance(case.output, Failure):
            return Failure(case.output.kind, case.output.message, evaluator=self.name)
        if expected is MISSING or expected is None:
            return self.failure(FailureKind.MISSING_EXPECTED, self._absent("expected", case.expected))
        if output is MISSING or output is None:
            return self.failure(FailureKind.MISSING_OUTPUT, self._absent("output", case.output))
        return output, expected

    def applies(self, case: Case) -> bool:
        """Whether the case says what was expected; one that does not is no failure of anybody."""
        key = self.expected_key if self.expected_key is not None else self.key
        return select(case.expected, key) not in (MISSING, None)

    def evaluate(self, case: Case) -> Result:
        """Score one case."""
        sides = self.sides(case)
        if isinstance(sides, Failure):
            return sides
        return self.compare(*sides)

    @abstractmethod
    def compare(self, output: Any, expected: Any) -> Result:
        """Score a present output against a present expected value."""

    def failure(self, kind: FailureKind, message: str) -> Failure:
        """A failure that carries this evaluator's name."""
        return Failure(kind, message, evaluator=self.name)

    def _absent(self, side: str, whole: Any) -> str:
        key = self.expected_key if side == "expected" and self.expected_key is not None else self.key
        if key is None or whole is None:
            return f"the case has no {side} value"
        held = f"it has {', '.join(map(str, whole))}" if isinstance(whole, Mapping) else "it is not an object"
        return f"no '{key}' in the {side} value: {held}"


def applies(evaluator: object, case: Case) -> bool:
    """Whether the evaluator has anything to say of this case; ``True`` for those that do not decide it.

    Example:
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> applies(CharacterErrorRate(), Case(output="ab"))
        False
    """
    decide = getattr(evaluator, "applies", None)
    return decide is None or bool(decide(case))


async def evaluate(evaluator: Evaluator, case: Case) -> Result:
    """Run an evaluator, sync or async, on one case; what it raises becomes a :class:`Failure`.

    Example:
        >>> import asyncio
        >>> from vlmops.evaluators import CharacterErrorRate
        >>> asyncio.run(evaluate(CharacterErrorRate(), Case(output="ab", expected="ac"))).value
        0.5
    """
    try:
        result = evaluator.evaluate(case)
        return await result if inspect.isawaitable(result) else result
    except Exception as error:  # noqa: BLE001 - any bug of a third party's evaluator is a counted failure
        return Failure(
            FailureKind.EVALUATOR_ERROR, f"{type(error).__name__}: {error}", evaluator=evaluator.name
        )


async def evaluate_in_thread(evaluator: Evaluator, case: Case) -> Result:
    """As :func:`evaluate`, away from the running event loop, so that a heavy metric stalls nothing else on it."""
    import asyncio

    return await asyncio.to_thread(lambda: asyncio.run(evaluate(evaluator, case)))
