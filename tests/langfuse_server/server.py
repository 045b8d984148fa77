"""A Langfuse server for tests: real HTTP on free ports, one project, everything in memory."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections import Counter
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self, TypeVar

import uvicorn

from .application import Api, Gateway, ObjectStore
from .faults import Fault, FaultPlan
from .project import Project
from .request_log import LoggedRequest, RequestLog
from .score_list import newest_of_each_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping
    from types import TracebackType

    from .media import MediaRecord
    from .observations import Observation

RECORDED_VERSION = "4.16.0"
"""The server the recordings come from. It refuses score lists, so SDK 5 loses scores against it."""

_T = TypeVar("_T")
_numbers = itertools.count(1)


class LangfuseServer:
    """A Langfuse server in a thread, and what was stored in it.

    Args:
        version: what it claims to be; from 4.59.0 on it takes lists of scores and honours their timestamps.
        faults: what goes wrong, see `Fault`.
        latency_ms: delay of every answer, in milliseconds.
        consistency_delay_ms: how long a score or span stays invisible to reads, in milliseconds. `settle`
            lets that time pass without waiting.
        events_only: the default write mode, in which the former routes answer 404.
        takes_score_lists: overrides what the version says about lists.
        seed: of the generator that decides about faults with a rate.
        url_lifetime_seconds: how long a signed URL works.

    >>> with LangfuseServer() as server:
    ...     server.url.startswith("http://127.0.0.1:"), server.count("GET /api/public/health")
    (True, 0)
    """

    def __init__(
        self,
        *,
        version: str = "4.59.0",
        faults: Iterable[Fault] = (),
        latency_ms: int = 0,
        consistency_delay_ms: int = 0,
        events_only: bool = True,
        takes_score_lists: bool | None = None,
        seed: int = 0,
        url_lifetime_seconds: int = 3600,
    ) -> None:
        # The SDK keeps one client for a public key, whatever the URL: two servers must not share one.
        self.public_key = f"pk-lf-test-{next(_numbers)}"
        self.secret_key = "sk-lf-test"
        self.project = Project(
            version=version,
            public_key=self.public_key,
            secret_key=self.secret_key,
            events_only=events_only,
            takes_score_lists=takes_score_lists,
            delay_ms=consistency_delay_ms,
            url_lifetime_seconds=url_lifetime_seconds,
        )
        self.faults = FaultPlan(faults, seed)
        self._log = RequestLog()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._servers: list[_Server] = []
        self._gateways = [
            Gateway(Api(self.project), self._log, self.faults, latency_ms),
            Gateway(ObjectStore(self.project), self._log, self.faults, latency_ms),
        ]
        self.url = ""

    def __enter__(self) -> Self:
        sockets = [_listening_socket() for _ in self._gateways]
        self.url, self.project.bucket.url = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets)
        self._servers = [_Server(_configuration(gateway)) for gateway in self._gateways]
        for gateway, server in zip(self._gateways, self._servers, strict=True):
            gateway.abort = _aborter(server)
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(sockets, started), name="langfuse test server", daemon=True
        )
        self._thread.start()
        started.wait()
        return self

    def _run(self, sockets: list[socket.socket], started: threading.Event) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            started.set()
            pairs = zip(self._servers, sockets, strict=True)
            await asyncio.gather(*(server.serve(sockets=[each]) for server, each in pairs))

        asyncio.run(serve())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._thread is not None:
            for server in self._servers:
                self._loop.call_soon_threadsafe(server.leave)
            self._thread.join()
        self._loop = self._thread = None
        if self._log.crashes and error is None:
            raise RuntimeError("the test server has a fault of its own") from self._log.crashes[0]

    def environment(self) -> dict[str, str]:
        """The environment variables that point a Langfuse SDK at this server."""
        return {
            "LANGFUSE_BASE_URL": self.url,
            "LANGFUSE_HOST": self.url,
            "LANGFUSE_PUBLIC_KEY": self.public_key,
            "LANGFUSE_SECRET_KEY": self.secret_key,
        }

    def _inside(self, read: Callable[[], _T]) -> _T:
        """Run `read` between two requests, so that it sees no half-done write."""
        if self._loop is None:
            return read()
        result: Future[_T] = Future()

        def run() -> None:
            try:
                result.set_result(read())
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
                result.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return result.result()

    def advance(self, seconds: float) -> None:
        """Let time pass at once: delays end, signed URLs expire."""
        self._inside(lambda: self.project.clock.advance(seconds))

    def settle(self) -> None:
        """Make every score and span sent so far visible to reads."""
        self.advance(self.project.delay_ms / 1000)

    def items(self, dataset_name: str) -> list[dict[str, Any]]:
        """The current items of a dataset as the API shows them, archived ones too, newest first."""
        project = self.project

        def read() -> list[dict[str, Any]]:
            dataset = project.datasets.by_name[dataset_name]
            return [project.items.as_json(item) for item in project.items.current(dataset.id)]

        return self._inside(read)

    def item_versions(self, item_id: str) -> list[dict[str, Any]]:
        """Every version of an item as the API shows it, oldest first."""
        items = self.project.items
        return self._inside(lambda: [items.as_json(each) for each in items.versions.get(item_id, [])])

    @property
    def datasets(self) -> dict[str, dict[str, Any]]:
        """The datasets by name, as the API shows them."""
        project = self.project
        stored = project.datasets.by_name
        return self._inside(lambda: {name: each.as_json(project.id) for name, each in stored.items()})

    @property
    def media(self) -> dict[str, MediaRecord]:
        """The media by id."""
        return self._inside(lambda: dict(self.project.media.records))

    def media_bytes(self, media_id: str) -> bytes | None:
        """The bytes uploaded for a media, or None when there are none."""
        project = self.project

        def read() -> bytes | None:
            stored = project.bucket.objects.get(project.media.object_path(project.media.records[media_id]))
            return None if stored is None else stored.data

        return self._inside(read)

    @property
    def scores(self) -> list[dict[str, Any]]:
        """The scores with all fields and targets, newest first, visible to reads or not."""
        return self._inside(lambda: newest_of_each_id(self.project.scores.rows(all_events=True)))

    @property
    def dropped_scores(self) -> list[dict[str, Any]]:
        """Scores that were answered with success and then dropped, as they were sent."""
        return self._inside(lambda: list(self.project.scores.dropped))

    @property
    def observations(self) -> list[Observation]:
        """The observations in order of arrival, visible to reads or not."""
        return self._inside(lambda: list(self.project.observations.rows.values()))

    @property
    def prompts(self) -> dict[str, list[dict[str, Any]]]:
        """The versions of each prompt as the API shows them, oldest first."""
        project = self.project
        stored = project.prompts.versions
        return self._inside(
            lambda: {
                name: [each.as_json(project.id) for each in versions] for name, versions in stored.items()
            }
        )

    @property
    def comments(self) -> list[dict[str, Any]]:
        """The comments as the API shows them, oldest first."""
        return self._inside(lambda: list(self.project.comments.comments.values()))

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests to both ports, in order of arrival."""
        return self._inside(lambda: list(self._log.entries))

    def counts(self) -> Counter[str]:
        """How many requests each route got, by names such as `POST /api/public/media` and `PUT bucket`."""
        return self._inside(lambda: Counter(entry.route for entry in self._log.entries))

    def count(self, route: str) -> int:
        """How many requests a route got."""
        return self.counts()[route]

    def peak(self, route: str) -> int:
        """How many requests of a route ran at the same time, at most. Without latency that is mostly 1."""
        return self._inside(lambda: self._log.peaks[route])

    def clear_log(self) -> None:
        """Forget the requests so far."""
        self._inside(self._log.clear)


class _Server(uvicorn.Server):
    """Ends at once: uvicorn looks every 0.1 s whether it is to end, and rests as long before it does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """End; called within the server's loop."""
        self.should_exit = self.force_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        for tick in itertools.count():
            if await self.on_tick(tick):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # Connections are lost in the loop's next round.
        await asyncio.sleep(0)
        for server in self.servers:
            await server.wait_closed()


def _listening_socket() -> socket.socket:
    """A socket that already queues connections, so that no client has to wait for the thread."""
    # The event loop switches Nagle's algorithm off only for sockets that name their protocol.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    return listening


def _configuration(gateway: Gateway) -> uvicorn.Config:
    return uvicorn.Config(
        gateway,
        http="httptools",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
    )


def _aborter(server: uvicorn.Server) -> Callable[[MutableMapping[str, Any]], Any]:
    """A coroutine function that closes the connection of a request without an answer."""

    async def abort(scope: MutableMapping[str, Any]) -> None:
        client = tuple(scope["client"])
        for connection in list(server.server_state.connections):
            if getattr(connection, "client", None) == client:
                connection.transport.abort()
        # The protocol learns of the loss in the next turns of the loop; before that it would answer 500.
        with contextlib.suppress(asyncio.CancelledError):
            for _ in range(3):
                await asyncio.sleep(0)

    return abort
