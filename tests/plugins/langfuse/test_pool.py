"""What goes over the wire: addresses as they are, keys only where they belong, bodies of any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from vlmops_langfuse import pool
from vlmops_langfuse.pool import HttpPool, NoAnswer

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Wire:
    """A server that keeps the requests it gets as they came."""

    answer: bytes = ANSWER
    delay: float = 0.0
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(li[15:]) for li in head.lower().split(b"\r\n") if b"content-length" in li), 0
                )
                body = await reader.readexactly(length)
                self.requests.append(head + body)
                self.at_once += 1
                self.most = max(self.most, self.at_once)
                await asyncio.sleep(self.delay)
                self.at_once -= 1
                writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(**options: object) -> AsyncIterator[Wire]:
    wire = Wire(**options)  # type: ignore[arg-type]
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield wire
    server.close()


@asynccontextmanager
async def connections(**options: object) -> AsyncIterator[HttpPool]:
    made = HttpPool(**options)  # type: ignore[arg-type]
    yield made
    await made.aclose()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Proxies are looked up anew in each test; gives a function that sets one."""
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    pool._proxy.cache_clear()
    return lambda url: monkeypatch.setenv("http_proxy", url)


async def test_a_signed_address_is_sent_as_it_is() -> None:
    async with serving() as wire, connections(connections=1) as http:
        await http.request("PUT", f"{wire.url}/a%2Fb~c?X-Sig=a%2Bb%2F%3D&x=%7E", content=b"1")
    assert wire.requests[0].startswith(b"PUT /a%2Fb~c?X-Sig=a%2Bb%2F%3D&x=%7E HTTP/1.1\r\n")
    assert b"authorization" not in wire.requests[0].lower()


async def test_keys_and_json_are_sent_to_the_api() -> None:
    async with (
        serving() as wire,
        connections(connections=1, base_url=wire.url, keys=("pk", "sk")) as http,
    ):
        answer = await http.request("POST", "/p", params={"q": "ä&b"}, body={"n": "ö"})
    assert (answer.status, answer.json(), answer.is_success) == (200, {}, True)
    assert answer.headers["Content-Type"] == "application/json"
    assert b"Authorization: Basic cGs6c2s=\r\n" in wire.requests[0]
    assert wire.requests[0].startswith(b"POST /p?q=%C3%A4%26b HTTP/1.1\r\n")
    assert wire.requests[0].endswith('{"n":"ö"}'.encode())


@pytest.mark.parametrize("length", [0, 1, 100_000, 5_000_000])
async def test_bodies_of_any_size_arrive_whole(length: int) -> None:
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    async with serving() as wire, connections(connections=1) as http:
        await http.request("PUT", wire.url + "/", content=data)
    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    assert body == data
    assert f"content-length: {length}".encode() in head.lower()


async def test_connections_are_bounded_and_what_waits_is_not_given_up() -> None:
    async with serving(delay=0.05) as wire, connections(connections=3) as http:
        asked = [http.request("GET", wire.url + "/", seconds=0.5) for _ in range(45)]
        answers = await asyncio.gather(*asked)
    assert {answer.status for answer in answers} == {200}
    assert wire.most == 3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"answer": b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}"}, "Timeout"),
        ({"answer": b"no HTTP at all\r\n\r\n"}, "Response"),
    ],
)
async def test_what_is_no_whole_answer_is_none(options: dict[str, bytes], reason: str) -> None:
    async with serving(**options) as wire, connections(connections=1, silent_seconds=0.2) as http:
        with pytest.raises(NoAnswer, match=reason):
            await http.request("GET", wire.url + "/")


async def test_redirects_are_not_followed() -> None:
    elsewhere = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
    async with serving(answer=elsewhere) as wire, connections(connections=1, keys=("pk", "sk")) as http:
        assert (await http.request("GET", wire.url + "/")).status == 302


async def test_a_proxy_of_the_environment_is_used(no_proxies: Callable[[str], None]) -> None:
    async with serving() as proxy, connections(connections=1) as http:
        no_proxies(proxy.url)
        await http.request("GET", "http://langfuse.example/api")
    assert proxy.requests[0].startswith(b"GET http://langfuse.example/api HTTP/1.1\r\n")
