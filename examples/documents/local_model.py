"""An OpenAI-compatible endpoint on this machine that answers from what the bundled text reader reads.

It is no language model: it looks for the line that has most to do with the question, asks once to see it
closer, and says what stands there. So the example runs without a network and without a key.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rapidfuzz import fuzz

from vlmops import Image
from vlmops.models import ModelRequest, create

MARGIN = 0.02
TOKENS_A_PICTURE = 800
FIGURES = ("total", "subtotal", "tax", "vat", "fare", "tip", "date", "change", "cash", "due")


class LocalModel:
    """Serves ``/v1/chat/completions`` while it is open."""

    name = "local-reader"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """What OPENAI_BASE_URL would be."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> LocalModel:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if "_reader" in vars(self):
            self._reader.close()

    @cached_property
    def _reader(self) -> Any:
        return create("rapidocr", workers=1)

    def answer(self, messages: list[dict]) -> dict:
        """The next message of the conversation."""
        question = next(text for message in messages if (text := question_in(message)))
        pictures = [pictures_in(message) for message in messages]
        if messages[-1]["role"] == "user" and any(message["role"] == "tool" for message in messages):
            return {"role": "assistant", "content": self.best(question, pictures[-1])["text"]}
        found = self.best(question, next(filter(None, pictures)))
        place = {key: found[key] for key in ("page", "top", "bottom")}
        call = {"name": "look_closer", "arguments": json.dumps(place)}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        return {"role": "assistant", "content": None, "tool_calls": calls}

    def best(self, question: str, pictures: list[Image]) -> dict:
        """The line on these pages that has most to do with the question, and where it stands."""
        lines = [line for number, image in enumerate(pictures, 1) for line in self.lines(number, image)]
        if not lines:
            return {"page": 1, "top": 0.0, "bottom": 1.0, "text": "I cannot read anything there."}
        return max(lines, key=lambda line: score(question, line))

    def lines(self, page: int, image: Image) -> list[dict]:
        """The lines of a page, each with the strip it stands in."""
        with self._lock:
            reply = asyncio.run(self._reader.answer(ModelRequest(images=(image,))))
        found = []
        for line in reply.metadata["pictures"][0]["lines"]:
            heights = [y / image.height for box in line for _, y in box["corners"]]
            text = " ".join(box["text"] for box in line)
            place = {"top": max(0.0, min(heights) - MARGIN), "bottom": min(1.0, max(heights) + MARGIN)}
            found.append({"page": page, "text": text, **{k: round(v, 3) for k, v in place.items()}})
        return found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                message = outer.answer(request["messages"])
                data = json.dumps(completion(request, message)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        return Handler


def completion(request: dict, message: dict) -> dict:
    """The answer to a request, as chat completions word it."""
    sent = sum(len(pictures_in(each)) for each in request["messages"]) * TOKENS_A_PICTURE
    said = len(json.dumps(message)) // 4
    reason = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": "chatcmpl-local",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said},
    }


def pictures_in(message: dict) -> list[Image]:
    """The pictures of a message."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return [Image.from_data_uri(p["image_url"]["url"]) for p in parts if p["type"] == "image_url"]


def question_in(message: dict) -> str:
    """The text of a user's message."""
    content = message.get("content")
    parts = content if message["role"] == "user" and isinstance(content, list) else []
    return " ".join(part["text"] for part in parts if part["type"] == "text")


def score(question: str, line: dict) -> float:
    """How much a line has to do with the question; lines with a number come first, and the first page."""
    asked = re.findall(r"[a-z]{3,}", question.lower())
    wanted = [word for word in asked if word in FIGURES] or asked
    there = re.findall(r"[a-z]{3,}", line["text"].lower())
    closeness = max((fuzz.ratio(word, other) for word in wanted for other in there), default=0.0)
    return closeness + (10.0 if re.search(r"\d", line["text"]) else 0.0) - line["page"]
