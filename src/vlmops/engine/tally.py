"""What an engine has done so far, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.evaluators.failure import FailureKind


@dataclass
class Tally:
    """Counts of an engine, or of one of its models.

    Attributes:
        calls: Tries that went out to a model.
        replies: Answers that came of them.
        cached: Answers that were kept from earlier calls: they cost nothing.
        shared: Answers that another request for the same, under way at the same time, brought.
        retries: Tries after a first one.
        pauses: How often a provider made everyone wait.
        failures: Answers that failed for good, by kind.
        input_tokens: Sent, as far as replies said.
        output_tokens: Received, as far as replies said.
        cost: US dollars spent, as far as known.
        saved: US dollars that kept answers had cost when they were first asked for.
    """

    calls: int = 0
    replies: int = 0
    cached: int = 0
    shared: int = 0
    retries: int = 0
    pauses: int = 0
    failures: Counter[FailureKind] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    saved: float = 0.0
