"""A chat-completions server whose judge decodes the pictures it is sent and answers from their pixels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from chat_server import Answer, ChatServer, completion, error
from judging_models import pieces_of

from vlmops import Image

Decide = Callable[[dict[str, Any], Any], str]


class JudgingServer(ChatServer):
    """Answers every criterion of the schema it is sent by what ``decide`` makes of the pieces it is shown.

    ``decide`` is told which verdicts there are, and for how many times the same was asked (``repetition``).
    """

    def __init__(self, decide: Decide) -> None:
        self.decide = decide
        self.seen: list[dict[str, Any]] = []
        self._asked: Counter[str] = Counter()
        super().__init__()

    def answer(self, path: str, body: Any) -> Answer:
        """A verdict, as JSON in the form that is asked for."""
        try:
            shown = pieces_of(_content(body["messages"][-1]["content"]))
        except ValueError as problem:
            return error(400, f"cannot decode what was sent: {problem}")
        self.seen.append(shown)
        key = json.dumps(body["messages"])
        self._asked[key] += 1
        criteria = body["response_format"]["json_schema"]["schema"]["properties"]
        told = {}
        for name, part in criteria.items():
            verdicts = part["properties"]["verdict"]["enum"]
            verdict = self.decide(shown, SimpleNamespace(repetition=self._asked[key], verdicts=verdicts))
            told[name] = {"reason": "I looked.", "verdict": verdict, "confidence": "high"}
        return completion(json.dumps(told), prompt_tokens=900, completion_tokens=40, total_tokens=940)


def _content(content: Any) -> list[str | Image]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        Image.from_data_uri(part["image_url"]["url"]) if part["type"] == "image_url" else part["text"]
        for part in parts
    ]
