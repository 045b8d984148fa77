"""The engine around models that a command asks beside a specification: those of judges."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.engine import Engine

BudgetOption = typer.Option(None, "--budget", min=0, help="US dollars that judges may spend at most.")
FreshOption = typer.Option(False, "--fresh", help="Ask judges anew what they have been asked before.")
NoCacheOption = typer.Option(False, "--no-cache", help="Neither use nor keep judges' answers for other runs.")


@contextmanager
def model_care(
    *, budget: float | None = None, fresh: bool = False, no_cache: bool = False
) -> Iterator[Engine]:
    """An engine with the cache of answers that all commands share."""
    from vlmops.engine import Budget, Engine, ResponseCache

    with ExitStack() as stack:
        cache = None if no_cache else stack.enter_context(ResponseCache.default())
        purse = None if budget is None else Budget(usd=budget)
        yield stack.enter_context(Engine(cache=cache, budget=purse, fresh=fresh))
