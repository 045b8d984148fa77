"""What a call is expected to take, before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vlmops.evaluators.case import Usage
    from vlmops.models.model import Model, ModelRequest


class Estimator(Protocol):
    """Says what a call will take, for limits on tokens and for budgets."""

    def expected(self, model: Model, request: ModelRequest) -> Usage:
        """Tokens in and out, and the cost; a cost of ``None`` where no price is known.

        Raises:
            ImageError: A picture cannot be read.
        """
        ...
