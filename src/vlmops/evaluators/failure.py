"""A failure: what happened instead of an answer or a score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmops.evaluators.case import Usage


class FailureKind(StrEnum):
    """Why there is no answer or no score; kinds are counted apart and never averaged in."""

    REFUSAL = "refusal"
    """The model declined to answer."""
    UNPARSABLE = "unparsable"
    """The answer is not in the form the task asks for."""
    SCHEMA_MISMATCH = "schema_mismatch"
    """The answer is JSON, but not JSON that fits the schema."""
    TRUNCATED = "truncated"
    """The answer broke off: at the token limit, or with the stream."""
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    CONTENT_FILTER = "content_filter"
    CONTEXT_OVERFLOW = "context_overflow"
    MEDIA_REJECTED = "media_rejected"
    """The provider did not accept the picture."""
    BAD_IMAGE = "bad_image"
    """The picture could not be read on our side."""
    PROVIDER_ERROR = "provider_error"
    TASK_ERROR = "task_error"
    """The user's task raised."""
    MISSING_OUTPUT = "missing_output"
    """There is no answer to evaluate."""
    MISSING_EXPECTED = "missing_expected"
    """There is nothing to compare the answer with."""
    ABSTAINED = "abstained"
    """A judge says that what it was shown does not suffice."""
    EVALUATOR_ERROR = "evaluator_error"
    """The evaluator itself raised."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in the place of a score or an answer that could not be had.

    A failure is not a bad score: it is counted by kind and shown with the denominator.

    Attributes:
        kind: Why.
        message: One line for a person: what happened, to what, and what to do if something can be done.
        evaluator: Name of the evaluator that returned it; empty for a failed task.
        retry_after: Seconds the provider asks to wait before the next try; ``None`` when it named none.
        transient: Whether the same request may well be answered a little later: the provider was overloaded,
            restarted, or cut the connection. Rate limits and timeouts always are and need not say so.
        usage: What the call consumed all the same: a refusal or an unreadable answer is paid for, too.

    Example:
        >>> Failure(FailureKind.UNPARSABLE, "no number in 'about a dozen'", evaluator="absolute_error")
        Failure(kind=<FailureKind.UNPARSABLE: 'unparsable'>, message="no number in 'about a dozen'", \
evaluator='absolute_error', retry_after=None, transient=False, usage=None)
    """

    kind: FailureKind
    message: str
    evaluator: str = ""
    retry_after: float | None = None
    transient: bool = False
    usage: Usage | None = None
