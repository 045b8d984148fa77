"""What a provider, or a purse, allows."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vlmops.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast one model may be asked.

    Attributes:
        concurrency: Requests under way at once.
        requests_per_minute: Requests sent in a minute, tries that failed among them; ``None`` for no limit.
        tokens_per_minute: Tokens in and out in a minute: the estimate counts until a reply says how many they
            were. ``None`` for no limit.

    Raises:
        UsageError: One is not above 0.

    Example:
        >>> Limits(requests_per_minute=500).concurrency
        64
    """

    concurrency: int = 64
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    def __post_init__(self) -> None:
        _require_positive(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What is tried again, how often and how long.

    Rate limits, timeouts and what a failure calls transient are tried again; nothing else is. The wait
    doubles with each try and is shortened at random by up to a half. A wait that the provider asks for is
    kept to.

    Attributes:
        tries: Tries in all, the first among them.
        timeout: Seconds one try may take; ``None`` leaves it to the model.
        deadline: Seconds one answer may take with all of its tries and the waits between them. Waiting for a
            turn, under a limit or while the provider has asked everyone to wait, does not count.
        wait: Seconds before the second try.
        longest_wait: Seconds waited at most before any one try; where the provider asks for more (a daily
            limit), the answer fails at once.

    Raises:
        UsageError: One is not above 0.
    """

    tries: int = 6
    timeout: float | None = None
    deadline: float = 600.0
    wait: float = 0.5
    longest_wait: float = 90.0

    def __post_init__(self) -> None:
        _require_positive(self)

    def pause(self, number: int, chance: float) -> float:
        """Seconds to wait after try ``number`` (from 1), for a random number from 0 to 1.

        Example:
            >>> Retry().pause(1, 0.0), Retry().pause(3, 1.0), Retry().pause(20, 0.0)
            (0.5, 1.0, 90.0)
        """
        longest: float = min(self.longest_wait, self.wait * 2 ** min(number - 1, 30))
        return longest * (1 - chance / 2)


def _require_positive(settings: Limits | Retry) -> None:
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value is not None and not value > 0:
            raise UsageError(f"{type(settings).__name__}.{field.name} is {value}: must be above 0")
