"""A model's endpoint that takes its time, misbehaves as told, and counts; also a program of its own.

    python model_server.py --delay 0.2 --log asked.log

prints its address and answers until it is killed, writing a line to the log for every question.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Headers = dict[str, str]


@dataclass
class Said:
    """What the endpoint says to one question, and how.

    ``cut`` breaks the connection off after so many bytes of the body; ``hang`` never answers.
    """

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    hang: bool = False


@dataclass
class Asked:
    """One question, as it came."""

    number: int
    body: dict[str, Any]
    at: float

    @property
    def text(self) -> str:
        """The prompt."""
        content = self.body["messages"][-1]["content"]
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content)

    @property
    def pictures(self) -> int:
        content = self.body["messages"][-1]["content"]
        return 0 if isinstance(content, str) else sum(part["type"] == "image_url" for part in content)


Behaviour = Callable[[Asked], Said]


def reply(text: str, *, tokens: tuple[int, int] = (100, 10), delay: float = 0.0, **choice: Any) -> Said:
    """A chat completion."""
    message = {"role": "assistant", "content": text, **choice.pop("message", {})}
    usage = {
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "total_tokens": sum(tokens),
        **choice.pop("usage", {}),
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served-2026-01-01",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None, **choice}],
        "usage": usage,
    }
    return Said(body=json.dumps(body).encode(), delay=delay)


def error(status: int, message: str, *, code: str | None = None, **headers: str) -> Said:
    """An error as OpenAI words it; headers are given with ``_`` for ``-``."""
    body = {"error": {"message": message, "type": "error", "code": code, "param": None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, json.dumps(body).encode(), named)


def echo(asked: Asked) -> Said:
    """Says the question."""
    return reply(asked.text)


class ModelServer:
    """Serves one behaviour on a free port, in a thread of its own."""

    def __init__(self, behaviour: Behaviour = echo, log: Path | None = None) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._under_way = 0
        self._log = log
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                if not await self._say(json.loads(await reader.readexactly(length)), writer):
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _say(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        asked = Asked(len(self.asked) + 1, body, time.monotonic())
        self.asked.append(asked)
        if self._log is not None:
            with self._log.open("a") as out:
                out.write(asked.text + "\n")
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            said = self.behaviour(asked)
            if said.hang:
                await asyncio.Event().wait()
            if said.delay:
                await asyncio.sleep(said.delay)
        finally:
            self._under_way -= 1
        headers = {"content-type": "application/json", "content-length": str(len(said.body)), **said.headers}
        lines = [f"HTTP/1.1 {said.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
        sent = said.body if said.cut is None else said.body[: said.cut]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
        await writer.drain()
        return said.cut is None


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--delay", type=float, default=0.0)
    options.add_argument("--log", type=Path)
    chosen = options.parse_args()
    server = ModelServer(lambda asked: reply("seen", delay=chosen.delay), chosen.log)
    print(server.url, flush=True)
    sys.stdin.read()
    server.close()


if __name__ == "__main__":
    main()
