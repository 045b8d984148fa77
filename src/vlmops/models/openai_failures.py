"""What went wrong at an OpenAI-compatible provider, as a kind of failure and a line that is safe to print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAIError

_FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=_-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{120,}")
_KEY = re.compile(r"\b(?:sk|pk)-[\w*-]{4,}")
_CONTEXT = re.compile(
    r"context[ _](?:length|window)|maximum (?:context|number of tokens)|too many (?:input )?tokens", re.I
)
_IMAGE = re.compile(r"\bimages?\b|image_url|\bmultimodal\b|\bvision\b|\bmedia[ _-]type\b", re.I)

MAX_MESSAGE = 300
"""Characters of a provider's message that are kept."""


def safe_message(text: str) -> str:
    """A provider's message on one line, without pictures and keys, and not longer than needed.

    Example:
        >>> safe_message("Invalid image: data:image/png;base64,iVBORw0KGgo= for key sk-abc123")
        'Invalid image: data:... for key sk-...'
    """
    text = _KEY.sub("sk-...", _BASE64.sub("...", _DATA_URI.sub("data:...", " ".join(text.split()))))
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "..."


def failure_of(error: OpenAIError, *, model: str, images: int, timeout: float) -> Failure:
    """The failure that an error of the SDK stands for.

    Args:
        error: What the SDK raised, after its retries.
        model: The model that was asked, for the message.
        images: How many pictures the request held: a complaint about pictures is only one if there are some.
        timeout: The timeout in seconds, for the message.

    Raises:
        PrerequisiteError: The key was refused.
        UsageError: There is no such model.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Failure(FailureKind.TIMEOUT, f"{model} did not answer within {timeout:g} s")
    if isinstance(error, openai.APIConnectionError):
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        return Failure(
            FailureKind.PROVIDER_ERROR,
            f"{model}: cannot connect to the provider{cause}; check OPENAI_BASE_URL",
            transient=True,
        )
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, model, images)
    return Failure(FailureKind.PROVIDER_ERROR, f"{model}: {type(error).__name__}: {safe_message(str(error))}")


def _of_status(error: APIStatusError, model: str, images: int) -> Failure:
    status, message = error.status_code, safe_message(error.message)
    if status == 401:
        raise PrerequisiteError(
            f"{model}: the provider refused the API key; set OPENAI_API_KEY to a valid one"
        )
    if status == 404 and error.code in {None, "404", "model_not_found"}:
        raise UsageError(f"{model}: the provider has no such model or address: {message}")
    kind = _kind_of_status(error, images)
    return Failure(kind, f"{model}: HTTP {status}: {message}", transient=status >= 500 or status == 409)


def _kind_of_status(error: APIStatusError, images: int) -> FailureKind:
    status, code, told = error.status_code, error.code or "", f"{error.code} {error.param} {error.message}"
    if code == "insufficient_quota":
        return FailureKind.PROVIDER_ERROR
    if status == 429:
        return FailureKind.RATE_LIMIT
    if status in {408, 504}:
        return FailureKind.TIMEOUT
    if code in _FILTER_CODES:
        return FailureKind.CONTENT_FILTER
    if status in {400, 413, 415, 422}:
        if code == "context_length_exceeded" or _CONTEXT.search(told):
            return FailureKind.CONTEXT_OVERFLOW
        if images and (status in {413, 415} or _IMAGE.search(told)):
            return FailureKind.MEDIA_REJECTED
    return FailureKind.PROVIDER_ERROR
