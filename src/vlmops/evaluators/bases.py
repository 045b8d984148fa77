"""Bases of evaluators: a name, a selected part of the output, and the expected value beside it.

Absence is handled here once: a missing answer is a :class:`Failure` and never a score of zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.selection import MISSING, absence, has_parts, select

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from vlmops.evaluators.case import Case
    from vlmops.evaluators.evaluator import Result
    from vlmops.evaluators.score import Direction

Reading = TypeVar("Reading")


@dataclass(frozen=True)
class Readings(Generic[Reading]):
    """What could be read of the cases of a set; there is at least one.

    Attributes:
        values: One per case that could be read.
        cases: Those cases.
        failures: How many could not be read.
    """

    values: Sequence[Reading]
    cases: Sequence[Case]
    failures: int

    @property
    def n(self) -> int:
        """How many cases were read."""
        return len(self.values)

    @cached_property
    def clusters(self) -> list[Hashable]:
        """For bootstrap intervals: equal keys for cases with the same pictures."""
        return picture_clusters(self.cases)


@dataclass(frozen=True, kw_only=True)
class NamedEvaluator(ABC):
    """Base of all evaluators: a name, and the convention for the names of several scores.

    One score carries the evaluator's name; several are named ``<name>.<part>``.

    Attributes:
        name: Name of the score, or the prefix of several; give another to use the evaluator twice in one run.
    """

    default_name: ClassVar[str]
    direction: ClassVar[Direction] = "maximize"
    """Which way the score of a case is better; of several, that of the first."""

    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.default_name)

    def part(self, name: str) -> str:
        """The name of one of several scores."""
        return f"{self.name}.{name}"

    def failure(self, kind: FailureKind, message: str) -> Failure:
        """A failure that carries this evaluator's name."""
        return Failure(kind, message, evaluator=self.name)

    def read_set(
        self, cases: Sequence[Case], read: Callable[[Case], Reading | Failure]
    ) -> Readings[Reading] | Failure:
        """What ``read`` gives of each case; a failure when none can be read, of the most frequent kind."""
        found = [(case, read(case)) for case in cases]
        readable = [(case, value) for case, value in found if not isinstance(value, Failure)]
        if readable:
            usable, values = zip(*readable, strict=True)
            return Readings(values, usable, len(cases) - len(values))
        failures = [value for _, value in found if isinstance(value, Failure)]
        if not failures:
            return self.failure(FailureKind.MISSING_OUTPUT, "there are no cases")
        kind, _ = Counter(failure.kind for failure in failures).most_common(1)[0]
        example = next(failure.message for failure in failures if failure.kind == kind)
        return self.failure(kind, f"none of {len(cases)} cases can be scored: {example}")


@dataclass(frozen=True, kw_only=True)
class OutputReader(NamedEvaluator):
    """Base of evaluators that look at the output, or a part of it.

    Attributes:
        key: Dotted path of the part to look at (``"total.amount"``); the whole output when ``None``.
    """

    key: str | None = None

    def output_of(self, case: Case) -> Any:
        """The selected part of the output, or the failure that says why there is none.

        A key that leads to ``None`` has found something: JSON's ``null``.
        """
        if isinstance(case.output, Failure):
            return self.failure(case.output.kind, case.output.message)
        output = select(case.output, self.key)
        if output is MISSING or case.output is None:
            return self.failure(FailureKind.MISSING_OUTPUT, absence("output", case.output, self.key))
        return output


@dataclass(frozen=True, kw_only=True)
class OutputEvaluator(OutputReader):
    """Base of evaluators that judge the output alone.

    Subclasses implement :meth:`judge` and set ``default_name``.
    """

    def evaluate(self, case: Case) -> Result:
        """Score one case."""
        output = self.output_of(case)
        return output if isinstance(output, Failure) else self.judge(output)

    @abstractmethod
    def judge(self, output: Any) -> Result:
        """Score a present output."""


@dataclass(frozen=True, kw_only=True)
class PairReader(OutputReader):
    """Base of evaluators that need an expected value beside the output, of a case or of a set.

    Attributes:
        key: Dotted path of the part to look at, in ``output`` and in ``expected`` alike; the whole value when
            ``None``.
        expected_key: The same for ``expected`` alone, where the two differ in shape; ``""`` is the whole
            expected value. ``None`` follows ``key``, unless the expected value is a plain one (a text, a
            number, a list of right answers), which has no such parts and is taken whole.
    """

    expected_key: str | None = None

    def sides(self, case: Case) -> tuple[Any, Any] | Failure:
        """The selected parts of output and expected, or the failure that says which is absent."""
        output = self.output_of(case)
        if isinstance(case.output, Failure):
            return self.failure(case.output.kind, case.output.message)
        expected = self.expected_of(case)
        if isinstance(expected, Failure):
            return expected
        if output is None:
            return self.failure(FailureKind.MISSING_OUTPUT, f"'{self.key}' in the output value is null")
        return output if isinstance(output, Failure) else (output, expected)

    def expected_of(self, case: Case) -> Any:
        """The selected part of the expected value, or the failure that says that there is none."""
        key = self.expected_key
        if key is None and has_parts(case.expected, self.key):
            key = self.key
        expected = select(case.expected, key)
        if expected is MISSING or expected is None:
            return self.failure(FailureKind.MISSING_EXPECTED, absence("expected", case.expected, key))
        return expected

    def read_pairs(
        self, cases: Sequence[Case], read: Callable[[Any, Any], Reading | Failure]
    ) -> Readings[Reading] | Failure:
        """As :meth:`read_set`, for what reads an output and its expected value."""

        def of_case(case: Case) -> Reading | Failure:
            sides = self.sides(case)
            return sides if isinstance(sides, Failure) else read(*sides)

        return self.read_set(cases, of_case)

    def applies(self, case: Case) -> bool:
        """Whether the case says what was expected; one that does not is no failure of anybody."""
        return not isinstance(self.expected_of(case), Failure)


@dataclass(frozen=True, kw_only=True)
class ComparisonEvaluator(PairReader):
    """Base of evaluators that compare an output with what was expected.

    Subclasses implement :meth:`compare` and set ``default_name``; selection and absence are handled here.

    Example:
        >>> from vlmops.evaluators import Case, Score
        >>> class SameLength(ComparisonEvaluator):
        ...     default_name = "same_length"
        ...     def compare(self, output, expected):
        ...         return Score(self.name, len(output) == len(expected))
        >>> SameLength(key="text").evaluate(Case(output={"text": "ab"}, expected={"text": "cd"})).value
        True
    """

    def evaluate(self, case: Case) -> Result:
        """Score one case."""
        sides = self.sides(case)
        return sides if isinstance(sides, Failure) else self.compare(*sides)

    @abstractmethod
    def compare(self, output: Any, expected: Any) -> Result:
        """Score a present output against a present expected value."""
