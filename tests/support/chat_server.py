"""A local server that speaks just enough of the chat completions interface, with answers set by the test."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from typing import Any

from local_server import Handler, LocalServer


@dataclass
class Answer:
    """What the server says to one request; ``hold`` keeps it back until the test is over."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False


def completion(content: str | None, *, finish_reason: str = "stop", refusal: str | None = None, **usage: Any):
    """A 200 answer."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "test-model-2025-01-01",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
    }
    if usage:
        body["usage"] = usage
    return Answer(body=body, headers={"x-request-id": "req-7"})


def error(status: int, message: str, *, code: str | None = None, param: str | None = None, **headers: str):
    """An error as OpenAI words it; headers are given with ``_`` for ``-``."""
    body = {"error": {"message": message, "type": "error", "code": code, "param": param}}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class ChatServer(LocalServer):
    """Serves answers in turn, the last one over and over, and keeps what it was asked.

    What it answers to whom is up to :meth:`answer`; see ``provider_server`` for one that looks at pictures.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self._lock = threading.Lock()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def answer(self, path: str, body: Any) -> Answer:
        """What to say to a POST of this body, which is JSON or the fields of a form."""
        with self._lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def picture(self, path: str) -> bytes | None:
        """The PNG behind a path that is asked for by GET."""
        return None

    def _handler(self) -> type[Handler]:
        outer = self

        class Answers(Handler):
            def post(self) -> None:
                body = _read(self.headers, self.received())
                outer.requests.append(body)
                outer.paths.append(self.path)
                answer = outer.answer(self.path, body)
                if answer.hold:
                    outer.over.wait()
                    self.close_connection = True
                    return
                self._send(answer)

            def get(self) -> None:
                found = outer.picture(self.path)
                headers = {"Content-Type": "image/png"}
                self._send(Answer(404) if found is None else Answer(body=found, headers=headers))

            def _send(self, answer: Answer) -> None:
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.reply(answer.status, data, {"Content-Type": "application/json", **answer.headers})

        return Answers


def _read(headers: Message, body: bytes) -> Any:
    """JSON as it is; of a form its fields, files as bytes and repeated ones as lists."""
    if "multipart/form-data" not in headers.get("Content-Type", ""):
        return json.loads(body)
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    form: dict[str, Any] = {}
    for part in BytesParser(policy=default).parsebytes(head + body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        value = payload if part.get_filename() else payload.decode()
        form.setdefault(name.removesuffix("[]"), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in form.items()}
