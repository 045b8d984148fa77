"""Two servers in processes of their own: a fast model, and a platform that only counts what it gets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-11-20",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "a part"}, "finish_reason": "stop"},
    ],
    "usage": {"prompt_tokens": 800, "completion_tokens": 2, "total_tokens": 802},
}


@contextmanager
def server() -> Iterator[str]:
    """The base URL of a server: ``POST`` anything; ``GET /received`` gives requests and bytes by path."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def received(url: str) -> dict[str, list[int]]:
    """Requests and bytes by path, since the start."""
    return httpx.get(f"{url}/received", timeout=60).json()


async def _serve() -> None:
    counts: dict[str, list[int]] = {}
    answer = json.dumps(ANSWER).encode()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                length = left = int(headers.get("content-length", 0))
                while left:
                    left -= len(await reader.read(min(left, 1 << 20)))
                body = answer if path.endswith("/chat/completions") else b""
                if method == "GET":
                    body = json.dumps(counts).encode()
                else:
                    entry = counts.setdefault(path, [0, 0])
                    entry[0] += 1
                    entry[1] += length
                kind = b"application/json" if body else b"application/x-protobuf"
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b"
                    % (kind, len(body), body)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, limit=1 << 22)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
