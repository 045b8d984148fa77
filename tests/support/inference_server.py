"""A local server that speaks KServe's open inference protocol, with one answer set by the test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from local_server import Handler, LocalServer


@dataclass
class Answered:
    """What the server says; ``cut`` ends the connection after so many bytes, ``hang`` never answers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: bool = False


@dataclass
class Inference:
    """A request, taken apart."""

    path: str
    document: dict[str, Any]
    tensors: dict[str, bytes]


class InferenceServer(LocalServer):
    """Answers every inference alike and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = Answered()
        self.asked: list[Inference] = []
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        return self.origin

    def _handler(self) -> type[Handler]:
        outer = self

        class Answers(Handler):
            def post(self) -> None:
                body = self.received()
                outer.asked.append(
                    taken_apart(self.path, body, int(self.headers["Inference-Header-Content-Length"]))
                )
                answer = outer.answer
                if answer.hang:
                    outer.over.wait()
                    self.close_connection = True
                    return
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                headers = {"Content-Type": "application/json", **answer.headers}
                self.reply(answer.status, data, headers, answer.cut)

        return Answers


def taken_apart(path: str, body: bytes, header: int) -> Inference:
    document = json.loads(body[:header])
    tensors, at = {}, header
    for tensor in document["inputs"]:
        size = tensor["parameters"]["binary_data_size"]
        tensors[tensor["name"]] = body[at : at + size]
        at += size
    assert at == len(body)
    return Inference(path, document, tensors)


def outputs(**named: tuple[list[int], list[Any]]) -> Answered:
    """A 200 answer of outputs by name: shape and data."""
    described = [{"name": name, "datatype": "?", "shape": s, "data": d} for name, (s, d) in named.items()]
    return Answered(body={"model_name": "served", "model_version": "3", "outputs": described})
