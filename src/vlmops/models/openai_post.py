"""A question as it is posted: through the SDK, past its conversion of parameters.

``client.chat.completions.create`` walks every request against the SDK's types, which takes as long as all
the rest of a call does and changes nothing in one that is JSON already. ``client.post``, which the SDK offers
for whatever it has no method for, keeps its retries, its errors, its keys and Azure's addresses.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai import AsyncOpenAI

_OPTIONS = {"extra_headers": "headers", "extra_query": "params", "timeout": "timeout"}
"""Parameters that say how to send, and what ``client.post`` calls them."""

_WHOLE_RESPONSE = {"X-Stainless-Raw-Response": "true"}
"""Asks the SDK for the response with its headers, as its ``with_raw_response`` does."""


class _Members(dict[str, Any]):
    """A JSON object whose members are attributes; building the SDK's classes takes longer than sending."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def _read(content: bytes) -> Any:
    try:
        return json.loads(content, object_hook=_Members)
    except ValueError:
        raise ValueError("it is not JSON; does base_url lead to the interface (.../v1)?") from None


@contextmanager
def read_as_shaped() -> Iterator[None]:
    """Within it, an answer is taken apart as its interface describes it.

    Raises:
        ValueError: It has another shape: nothing has looked at its members before.

    Example:
        >>> with read_as_shaped():
        ...     [].choices
        Traceback (most recent call last):
        ValueError: the answer has another shape: 'list' object has no attribute 'choices'
    """
    try:
        yield
    except (AttributeError, TypeError, LookupError) as error:
        raise ValueError(f"the answer has another shape: {error}") from error


@dataclass(frozen=True, slots=True)
class Question:
    """What is posted.

    Attributes:
        body: All that the provider is sent.
        options: How it is to be sent: ``timeout``, ``extra_headers``, ``extra_query``.
    """

    body: Mapping[str, Any] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], parameters: Mapping[str, Any]) -> Question:
        """The question with a user's parameters, named as the SDK's methods name theirs.

        Example:
            >>> question = Question.of({"messages": []}, {"top_k": 3, "timeout": 9, "extra_body": {"n": 1}})
            >>> question.body, question.options
            ({'messages': [], 'top_k': 3, 'n': 1}, {'timeout': 9})
        """
        body, options = dict(given), {}
        for name, value in parameters.items():
            if name in _OPTIONS:
                options[name] = value
            elif name in body:
                # The responses interface keeps the schema beside settings of the user's (verbosity).
                body[name] = {**value, **body[name]}
            elif name != "extra_body":
                body[name] = value
        return cls({**body, **(parameters.get("extra_body") or {})}, options)

    async def post(self, client: AsyncOpenAI, path: str, kind: type[Any]) -> tuple[Any, dict[str, Any]]:
        """The answer, and what is to be told of the way it came.

        The answer is read as that class of the SDK would be: members it does not have are ``None``.

        Raises:
            ValueError: What came is not JSON.
        """
        options: Any = self._sdk_options()
        options["headers"] = {**(options.get("headers") or {}), **_WHOLE_RESPONSE}
        response: Any = await client.post(path, cast_to=kind, body=self.body, options=options)
        told = {"retries": response.retries_taken, "request_id": response.headers.get("x-request-id")}
        return _read(response.content), {name: value for name, value in told.items() if value}

    async def stream(self, client: AsyncOpenAI, path: str, kind: type[Any], piece: Any, **more: Any) -> Any:
        """The answer in pieces of that class of the SDK; to be closed.

        Args:
            client: Whom to ask.
            path: Of the interface.
            kind: The whole answer's class.
            piece: The class of its pieces.
            **more: Further members of the body that a stream needs.
        """
        from openai import AsyncStream

        body = {**self.body, "stream": True, **more}
        options: Any = self._sdk_options()
        pieces: Any = AsyncStream[piece]
        return await client.post(
            path, cast_to=kind, body=body, options=options, stream=True, stream_cls=pieces
        )

    def _sdk_options(self) -> dict[str, Any]:
        return {_OPTIONS[name]: value for name, value in self.options.items()}
