"""A local server that answers like OpenAI, Azure, vLLM, Anthropic and Gemini, about the pictures it is sent.

It decodes every picture of a request and says what it sees: ``a red picture of 320 x 200``. Asked to make or
to change a picture, it makes one, as base64 or under a URL of its own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from chat_server import Answer, ChatServer, error
from PIL import Image

COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 160, 60),
    "blue": (40, 70, 200),
    "yellow": (225, 200, 40),
    "purple": (140, 50, 170),
    "white": (245, 245, 245),
    "black": (15, 15, 15),
}
USAGE = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}


def drawn(colour: str, size: tuple[int, int], seed: str, kind: str = "PNG") -> bytes:
    """A picture of one colour with noise of its own: equal arguments give equal bytes."""
    noise = Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))
    flat = Image.new("RGB", size, COLOURS[colour])
    out = io.BytesIO()
    Image.blend(flat, noise, 0.15).save(out, kind)
    return out.getvalue()


def seen(data: bytes) -> str:
    """What the server says of a picture."""
    image = Image.open(io.BytesIO(data))
    image.load()
    mean = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    names = {sum((a - b) ** 2 for a, b in zip(mean, rgb, strict=True)): c for c, rgb in COLOURS.items()}
    return f"a {names[min(names)]} picture of {image.width} x {image.height}"


def pictures_in(body: Any) -> Iterator[bytes]:
    """Every picture of a request, whatever provider's shape it has."""
    if isinstance(body, bytes):
        yield body
    elif isinstance(body, str):
        if body.startswith("data:image/"):
            yield base64.b64decode(body.partition(",")[2], validate=True)
    elif isinstance(body, Mapping):
        inline = body.get("data")
        if isinstance(inline, str) and {"media_type", "mimeType", "mime_type"} & set(body):
            yield base64.b64decode(
                inline + "=" * (-len(inline) % 4), altchars=None if "+" in inline else b"-_"
            )
            return
        for value in body.values():
            yield from pictures_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from pictures_in(value)


class ProviderServer(ChatServer):
    """Answers every provider's paths.

    Attributes:
        generated: The pictures it has made.
        fetched: Paths of pictures that somebody has asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generated: list[bytes] = []
        self.fetched: list[str] = []
        self._numbers = itertools.count(1)
        self._served: dict[str, bytes] = {}

    def answer(self, path: str, body: Any) -> Answer:
        route = urlsplit(path).path
        for ending, make in {
            "/chat/completions": self._chat,
            "/responses": self._responses,
            "/images/generations": self._generation,
            "/images/edits": self._generation,
            "/messages": self._anthropic,
            ":generateContent": self._gemini,
            ":streamGenerateContent": self._gemini_stream,
        }.items():
            if route.endswith(ending):
                return make(body)
        return error(404, f"there is no {route} here")

    def picture(self, path: str) -> bytes | None:
        self.fetched.append(path)
        return self._served.get(path)

    def serve(self, data: bytes) -> str:
        """A URL under which a picture can be had."""
        path = f"/pictures/{hashlib.sha256(data).hexdigest()[:16]}.png"
        self._served[path] = data
        return f"{self.origin}{path}"

    def _draw(self, body: Any) -> bytes:
        """The picture that is asked for: of the colour that the prompt names, else purple."""
        text = json.dumps(body, default=str)
        colour = next((name for name in COLOURS if name in text), "purple")
        picture = drawn(colour, (160, 120), f"generated {next(self._numbers)}")
        self.generated.append(picture)
        return picture

    def _said(self, body: Any) -> str:
        found = [seen(data) for data in pictures_in(body)]
        return "I see " + (" and ".join(found) if found else "no picture") + "."

    def _chat(self, body: Any) -> Answer:
        if body.get("stream"):
            return self._chat_stream(body)
        message: dict[str, Any] = {"role": "assistant", "content": self._said(body), "refusal": None}
        if body.get("tools") and body["messages"][-1]["role"] == "user":
            call = {"name": body["tools"][0]["function"]["name"], "arguments": '{"page": 1}'}
            message |= {
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
            }
        if "image" in (body.get("modalities") or ()):
            uri = f"data:image/png;base64,{_base64(self._draw(body))}"
            message["images"] = [{"type": "image_url", "image_url": {"url": uri}}]
        finish = "tool_calls" if "tool_calls" in message else "stop"
        return Answer(
            body={
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
                "usage": USAGE,
            }
        )

    def _chat_stream(self, body: Any) -> Answer:
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        words = self._said(body).split(" ")
        deltas = [{"role": "assistant", "content": ""}, *({"content": f"{word} "} for word in words)]
        chunks = [{**base, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
        chunks += [
            {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {**base, "choices": [], "usage": USAGE},
        ]
        return _events([(None, chunk) for chunk in chunks], end="data: [DONE]\n\n")

    def _responses(self, body: Any) -> Answer:
        output: list[dict[str, Any]] = [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": self._said(body), "annotations": []}],
            }
        ]
        if any(tool.get("type") == "image_generation" for tool in body.get("tools") or ()):
            result = _base64(self._draw(body))
            call = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": result}
            output.insert(0, call)
        response = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "model": body["model"],
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": body.get("tools") or [],
            "usage": {
                "input_tokens": 900,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 12,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 912,
            },
        }
        if not body.get("stream"):
            return Answer(body=response)
        text = output[-1]["content"][0]["text"]
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        events = [
            {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
            {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []},
            {"type": "response.completed", "response": response},
        ]
        numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
        return _events([(event["type"], event) for event in numbered])

    def _generation(self, body: Any) -> Answer:
        count = int(body.get("n") or 1)
        pictures = [self._draw(body) for _ in range(count)]
        if body.get("response_format") == "url":
            data = [{"url": self.serve(picture)} for picture in pictures]
        else:
            data = [{"b64_json": _base64(picture)} for picture in pictures]
        return Answer(body={"created": 1, "data": data})

    def _anthropic(self, body: Any) -> Answer:
        text = self._said(body)
        usage = {"input_tokens": 900, "output_tokens": 12}
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": usage,
        }
        if not body.get("stream"):
            return Answer(body=message)
        begun = {**message, "content": [], "stop_reason": None}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": begun},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 12},
            },
            {"type": "message_stop"},
        ]
        return _events([(event["type"], event) for event in events])

    def _gemini(self, body: Any) -> Answer:
        return Answer(body=self._gemini_reply(body))

    def _gemini_stream(self, body: Any) -> Answer:
        return _events([(None, self._gemini_reply(body))])

    def _gemini_reply(self, body: Any) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"text": self._said(body)}]
        wanted = (body.get("generationConfig") or {}).get("responseModalities") or ()
        if "IMAGE" in wanted:
            parts.append({"inlineData": {"mimeType": "image/png", "data": _base64(self._draw(body))}})
        return {
            "candidates": [
                {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 12, "totalTokenCount": 912},
            "modelVersion": "gemini-2.5-flash",
        }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _events(events: list[tuple[str | None, Any]], end: str = "") -> Answer:
    """Server-sent events."""
    lines = [(f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in events]
    return Answer(body=("".join(lines) + end).encode(), headers={"Content-Type": "text/event-stream"})
