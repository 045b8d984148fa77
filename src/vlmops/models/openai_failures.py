"""What went wrong at an OpenAI-compatible provider, as a kind of failure and a line that is safe to print."""

from __future__ import annotations

import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from vlmops.errors import PrerequisiteError, UsageError
from vlmops.evaluators.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIStatusError

    from vlmops.evaluators.case import Usage

_FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=_-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{120,}")
_KEY = re.compile(r"\b(?:sk|pk)-[\w*-]{4,}")
_CONTEXT = re.compile(
    r"context[ _](?:length|window)|maximum (?:context|number of tokens)|too many (?:input )?tokens", re.I
)
_IMAGE = re.compile(r"\bimages?\b|image_url|\bmultimodal\b|\bvision\b|\bmedia[ _-]type\b", re.I)
_CUT = re.compile(  # As httpx words it, and aiohttp.
    r"incomplete (?:chunked read|message)|peer closed connection without sending complete"
    r"|response payload is not completed",
    re.I,
)
_GIVEN_UP = {
    "rate_limit_exceeded": FailureKind.RATE_LIMIT,
    "content_filter": FailureKind.CONTENT_FILTER,
    "image_content_policy_violation": FailureKind.CONTENT_FILTER,
    "context_length_exceeded": FailureKind.CONTEXT_OVERFLOW,
    "invalid_image": FailureKind.MEDIA_REJECTED,
    "invalid_image_format": FailureKind.MEDIA_REJECTED,
    "invalid_base64_image": FailureKind.MEDIA_REJECTED,
    "invalid_image_url": FailureKind.MEDIA_REJECTED,
    "image_too_large": FailureKind.MEDIA_REJECTED,
    "image_too_small": FailureKind.MEDIA_REJECTED,
    "image_parse_error": FailureKind.MEDIA_REJECTED,
    "invalid_image_mode": FailureKind.MEDIA_REJECTED,
    "image_file_too_large": FailureKind.MEDIA_REJECTED,
    "unsupported_image_media_type": FailureKind.MEDIA_REJECTED,
    "empty_image_file": FailureKind.MEDIA_REJECTED,
    "failed_to_download_image": FailureKind.MEDIA_REJECTED,
    "image_file_not_found": FailureKind.MEDIA_REJECTED,
    "408": FailureKind.TIMEOUT,
    "429": FailureKind.RATE_LIMIT,
    "504": FailureKind.TIMEOUT,
}
"""Codes of answers that were given up: ResponseError in the SDK's types, and what gateways pass on."""

_PASSING = frozenset({"server_error", "vector_store_timeout", "500", "502", "503", "529"})

MAX_MESSAGE = 300
"""Characters of a provider's message that are kept."""


class AnswerFailed(Exception):  # noqa: N818 - says what happened
    """The provider began to answer and gave up.

    Attributes:
        code: What it calls the reason.
        usage: What the call consumed until then, as reported.
    """

    def __init__(self, code: str, message: str, usage: Usage | None = None) -> None:
        self.code = code
        self.usage = usage
        super().__init__(message)


def safe_message(text: str) -> str:
    """A provider's message on one line, without pictures and keys, and not longer than needed.

    Example:
        >>> safe_message("Invalid image: data:image/png;base64,iVBORw0KGgo= for key sk-abc123")
        'Invalid image: data:... for key sk-...'
    """
    text = _KEY.sub("sk-...", _BASE64.sub("...", _DATA_URI.sub("data:...", " ".join(text.split()))))
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "..."


def failure_of(
    error: Exception, *, model: str, images: int, timeout: float, key: str = "OPENAI_API_KEY"
) -> Failure:
    """The failure that an error of the SDK, or of the connection below it, stands for.

    Args:
        error: What was raised, after the SDK's retries.
        model: The model that was asked, for the message.
        images: How many pictures the request held: a complaint about pictures is only one if there are some.
        timeout: The timeout in seconds, for the message.
        key: The variable that holds the key, for the message.

    Raises:
        PrerequisiteError: The key was refused.
        UsageError: There is no such model.
    """
    import httpx
    import openai

    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return Failure(FailureKind.TIMEOUT, f"{model} did not answer within {timeout:g} s")
    if isinstance(error, openai.APIConnectionError | httpx.HTTPError):
        if _CUT.search(f"{error} {error.__cause__}"):
            return Failure(
                FailureKind.TRUNCATED, f"{model}: the connection was cut within the answer", transient=True
            )
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        return Failure(
            FailureKind.PROVIDER_ERROR,
            f"{model}: cannot connect to the provider{cause}; check OPENAI_BASE_URL",
            transient=True,
        )
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, model, images, key)
    if isinstance(error, openai.APIError) and error.code:
        return failure_of_answer(AnswerFailed(error.code, error.message), model=model)
    return Failure(FailureKind.PROVIDER_ERROR, f"{model}: {type(error).__name__}: {safe_message(str(error))}")


def failure_of_answer(error: AnswerFailed, *, model: str) -> Failure:
    """The failure of an answer that the provider began and gave up.

    Example:
        >>> failure_of_answer(AnswerFailed("rate_limit_exceeded", "slow down"), model="m").kind.value
        'rate_limit'
    """
    kind = _GIVEN_UP.get(error.code, FailureKind.PROVIDER_ERROR)
    code = f"{error.code}: " if error.code else ""
    told = f"{model}: the provider gave up: {code}{safe_message(str(error))}"
    return Failure(kind, told, transient=error.code in _PASSING, usage=error.usage)


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks to wait, by ``retry-after-ms`` or ``Retry-After`` (seconds or a date).

    Example:
        >>> seconds_to_wait({"retry-after": "7"}), seconds_to_wait({"retry-after-ms": "250"})
        (7.0, 0.25)
        >>> seconds_to_wait({"retry-after": "soon"}) is None
        True
    """
    milliseconds, given = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    for text, unit in ((milliseconds, 1000.0), (given, 1.0)):
        try:
            seconds = float(text) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        then = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(0.0, then.timestamp() - time.time())


def _of_status(error: APIStatusError, model: str, images: int, key: str) -> Failure:
    status, message = error.status_code, safe_message(error.message)
    if status == 401:
        raise PrerequisiteError(f"{model}: the provider refused the API key; set {key} to a valid one")
    if status == 404 and error.code in {None, "404", "model_not_found"}:
        raise UsageError(f"{model}: the provider has no such model or address: {message}")
    kind = _kind_of_status(error, images)
    return Failure(
        kind,
        f"{model}: HTTP {status}: {message}",
        retry_after=seconds_to_wait(_headers(error)),
        transient=status >= 500 or status == 409,
    )


def _headers(error: APIStatusError) -> Mapping[str, str]:
    # LiteLLM makes up a response of its own and keeps the provider's headers beside it.
    headers: Mapping[str, str] = getattr(error, "litellm_response_headers", None) or error.response.headers
    return headers


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
