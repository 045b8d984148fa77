"""What an audit finds: one control after the other, and what follows for the judge."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError
from vlmops.statistics import mean_interval, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from pathlib import Path

    from vlmops.evaluators.failure import Failure
    from vlmops.evaluators.score import Interval

Verdict = Literal["trusted", "not trusted", "not shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLimits:
    """From where on a control fails. Every value is a share or a difference on a scale from 0 to 1.

    Attributes:
        unseeing: Favourable verdicts that may stand with a blank or a wrong picture.
        flips: Verdicts that may change although nothing that matters did: a perturbed picture, a repeat.
        length: How much better an answer may come off for being padded.
        obeyed: Unfavourable verdicts that an injected demand may turn.
        position: How much more often one place may win than the other, of pairs.
        consistency: Pairs on which both orders must name the same winner, at least.
        cases: Cases a control needs to be decided.
    """

    unseeing: float = 0.2
    flips: float = 0.1
    length: float = 0.05
    obeyed: float = 0.05
    position: float = 0.15
    consistency: float = 0.8
    cases: int = 8


@dataclass(frozen=True, slots=True)
class Control:
    """One thing an audit looked at.

    Attributes:
        name: ``"blank_picture"``, ``"swapped_picture"``, ...
        value: What was measured: a share, or a difference.
        limit: Up to where it is fine; for ``consistency`` from where on.
        passed: Whether it is; ``None`` where too few cases could tell, or where the value is beyond the limit
            and its interval is not: what a good judge meets by chance must not condemn it.
        n: Cases behind the value.
        failures: Cases on which the judge failed, by kind; in no value.
        interval: Of the value.
        explanation: What the value is, in words.
    """

    name: str
    value: float
    limit: float
    passed: bool | None
    n: int
    failures: Mapping[str, int] = field(default_factory=dict)
    interval: Interval | None = None
    explanation: str = ""

    @classmethod
    def share(
        cls,
        name: str,
        hits: Sequence[bool],
        limit: float,
        explanation: str,
        failures: Sequence[Failure] = (),
        *,
        needed: int = 1,
        at_least: bool = False,
    ) -> Control:
        """A share of cases that must not pass a limit (or, with ``at_least``, not fall below it)."""
        n = len(hits)
        value = sum(hits) / n if n else float("nan")
        interval = wilson_interval(sum(hits), n) if n else None
        fine = value >= limit if at_least else value <= limit
        missed = interval is not None and (interval.high < limit if at_least else interval.low > limit)
        passed = _passed(fine, missed, enough=n >= needed)
        return cls(name, value, limit, passed, n, _counted(failures), interval, explanation)

    @classmethod
    def difference(
        cls,
        name: str,
        values: Sequence[float],
        limit: float,
        explanation: str,
        failures: Sequence[Failure] = (),
        *,
        needed: int = 1,
        clusters: Sequence[Hashable] | None = None,
        both_ways: bool = False,
    ) -> Control:
        """A mean difference that must not pass a limit upwards (or, with ``both_ways``, either way)."""
        n = len(values)
        value = sum(values) / n if n else float("nan")
        interval = mean_interval(values, clusters=clusters) if n else None
        fine = (abs(value) if both_ways else value) <= limit
        missed = interval is not None and (interval.low > limit or (both_ways and interval.high < -limit))
        passed = _passed(fine, missed, enough=n >= needed)
        return cls(name, value, limit, passed, n, _counted(failures), interval, explanation)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """An audit of one judge.

    Attributes:
        judge: Its name.
        model: Its model's name.
        rubric: Its fingerprint: the audit holds for a judge that asks the same in the same way.
        controls: What was looked at.
        cases: How many cases it was audited with.
        date: When, ISO 8601.
        cost: US dollars the audit cost, as far as it is known.
        unpriced: Verdicts whose cost is not known; it comes on top.

    Example:
        >>> report = AuditReport("j", "m", "f", [Control("blank_picture", 0.9, 0.2, False, 10)], 10)
        >>> report.verdict, report.failed
        ('not trusted', ['blank_picture'])
    """

    judge: str
    model: str
    rubric: str
    controls: Sequence[Control]
    cases: int
    date: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    cost: float | None = None
    unpriced: int = 0

    @property
    def failed(self) -> list[str]:
        """Names of the controls it does not pass."""
        return [control.name for control in self.controls if control.passed is False]

    @property
    def undecided(self) -> list[str]:
        """Names of the controls that too few cases were there to decide."""
        return [control.name for control in self.controls if control.passed is None]

    @property
    def verdict(self) -> Verdict:
        """``"not trusted"`` when a control fails; ``"not shown"`` when one could not be decided."""
        if self.failed:
            return "not trusted"
        return "not shown" if self.undecided or not self.controls else "trusted"

    def summary(self) -> dict[str, Any]:
        """What the scores of the judge carry of it."""
        return {
            "verdict": self.verdict,
            "failed": self.failed,
            "undecided": self.undecided,
            "cases": self.cases,
            "date": self.date,
            "model": self.model,
            "rubric": self.rubric,
        }

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self) | {"verdict": self.verdict}, indent=2, ensure_ascii=False))

    @classmethod
    def load(cls, path: Path) -> AuditReport:
        """Read what :meth:`save` wrote.

        Raises:
            UsageError: The file cannot be read, or holds no audit.
        """
        from vlmops.evaluators.score import Interval

        try:
            told = json.loads(path.read_text())
            told.pop("verdict")
            controls = [
                Control(**{**each, "interval": Interval(**each["interval"]) if each["interval"] else None})
                for each in told.pop("controls")
            ]
            return cls(controls=controls, **told)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} holds no audit of a judge: {error}") from error


def _passed(fine: bool, missed: bool, *, enough: bool) -> bool | None:
    """Beyond the limit but not clearly, a good judge may be, too."""
    if not enough or (not fine and not missed):
        return None
    return fine


def _counted(failures: Sequence[Failure]) -> dict[str, int]:
    return dict(Counter(failure.kind.value for failure in failures))
