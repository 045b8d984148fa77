"""Processes that read pictures for an event loop: threads that do keep everything else from its turn."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.images.facts import ImageFacts
from vlmops.images.image import Image
from vlmops.images.limits import ImageLimits
from vlmops.images.origin import BytesOrigin, PathOrigin
from vlmops.images.picture_worker import HEAD, LONGEST_SENT, READY
from vlmops.images.preparation import Preparation

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from vlmops.images.picture_worker import main; main()"
)
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 28)}
"""Has the GNU C library use memory again instead of giving it back, which takes as long as decoding."""
_GIVEN = 8
"""Pictures given to a process at a time, so that it need not wait for the next."""
_SECONDS_TO_END = 10.0
_SECONDS_TO_ANSWER = 60.0
"""Far more than any picture takes: a process that says nothing for so long hangs."""

_log = logging.getLogger(__name__)


class PictureWorkers:
    """Looks pictures up in the index of pixels and prepares them, in processes of its own.

    Belongs to one event loop.

    It only ever saves time: of what no process can say, for whatever reason, nothing is said.

    Args:
        processes: How many.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._workers: list[_Worker] = []
        self._places = asyncio.Semaphore(_GIVEN * processes)
        self._starting: asyncio.Task[None] | None = None
        # One picture may be in several requests at once, and what is said of it serves all.
        self._under_way: dict[tuple[int, Preparation | None], asyncio.Future[str | None]] = {}

    @property
    def is_ready(self) -> bool:
        """Whether there is a process to ask."""
        return any(worker.is_ready for worker in self._workers)

    def start(self) -> None:
        """Begin to start them, once; nobody needs to wait for that."""
        if self._starting is None and self._processes and _interpreter():
            self._starting = asyncio.create_task(self._start())

    async def stands_for(self, image: Image, preparation: Preparation | None = None) -> str | None:
        """As the index says; ``None`` where no process can say.

        If the picture was read for it, its facts are known then.

        Args:
            image: The picture, held.
            preparation: What is to be done to it, so that it is at hand for as long as the picture is held.
        """
        if not _is_sendable(image):
            return None
        if type(preparation) is not Preparation:
            # Classes derived from it need not be known there.
            preparation = None
        key = id(image), preparation
        if (under_way := self._under_way.get(key)) is not None:
            return await asyncio.shield(under_way)
        self._under_way[key] = said = asyncio.get_running_loop().create_future()
        stands = None
        try:
            stands = await self._said(image, preparation)
        finally:
            del self._under_way[key]
            if not said.done():
                said.set_result(stands)
        return stands

    async def _said(self, image: Image, preparation: Preparation | None) -> str | None:
        async with self._places:
            ready = [worker for worker in self._workers if worker.is_ready]
            found = await min(ready, key=_Worker.waiting).found(image, preparation) if ready else None
        return None if found is None else found.learnt(image, preparation)

    async def close(self) -> None:
        """Have them write down what they have found, and end them."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        await asyncio.gather(*(worker.end() for worker in self._workers))
        self._workers.clear()

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        # -P: what lies in the working folder must not pass for a module.
        command = (_interpreter(), "-P", "-c", _PROGRAM)
        try:
            for _ in range(self._processes):
                _, worker = await loop.subprocess_exec(
                    _Worker,
                    *command,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={**os.environ, **_KEEP_MEMORY},
                )
                self._workers.append(worker)
        except (OSError, NotImplementedError) as error:
            _log.debug("pictures are decoded in threads, since no process can be started: %s", error)


@dataclass(slots=True)
class _Found:
    """What a process says of a picture: nothing where it cannot be read."""

    said: Mapping[str, Any]
    data: bytes

    def learnt(self, image: Image, preparation: Preparation | None) -> str | None:
        """What stands for the pixels, once the picture knows the rest; ``None`` where nothing was said."""
        if not self.said:
            return None
        facts = ImageFacts(**self.said["facts"]) if self.said["facts"] is not None else None
        if facts is not None:
            image.learn(facts)
        if image.is_known and (facts is None or facts.sha256 != image.sha256):
            # It was read here meanwhile, and what is said may be of another that took its place.
            return None
        if self.said["prepared"] is not None and preparation is not None:
            preparation.learn(image, ImageFacts(**self.said["prepared"]), self.data)
        return str(self.said["stands"])


class _Worker(asyncio.SubprocessProtocol):
    """One process, and the pictures it has been given."""

    def __init__(self) -> None:
        self.is_ready = False
        self._given: deque[asyncio.Future[_Found | None]] = deque()
        self._asked, self._said = bytearray(), bytearray()
        self._transport: Any = None
        self._limit: asyncio.TimerHandle | None = None
        self._has_left = False
        self._over = asyncio.get_running_loop().create_future()

    def waiting(self) -> int:
        """How many pictures it has still to look up."""
        return len(self._given)

    async def found(self, image: Image, preparation: Preparation | None) -> _Found | None:
        """What it says of the picture; ``None`` where it can say nothing."""
        try:
            asked = pickle.dumps((os.getcwd(), image, preparation))  # noqa: PTH109 - no Path is needed
        except OSError:
            # The working folder is gone, and with it what a path might name.
            return None
        found: asyncio.Future[_Found | None] = asyncio.get_running_loop().create_future()
        self._given.append(found)
        self._send(asked)
        if len(self._given) == 1:
            self._watch()
        return await found

    def _watch(self) -> None:
        """Give it so long from now on to say something, if it has been asked anything."""
        if self._limit is not None:
            self._limit.cancel()
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(_SECONDS_TO_ANSWER, self._hangs) if self._given else None

    def _hangs(self) -> None:
        self._leave()
        self._transport.kill()

    def _send(self, asked: bytes) -> None:
        """With all else that is asked in this turn of the loop: waking a process is dear."""
        if not self._asked:
            asyncio.get_running_loop().call_soon(self._send_all)
        self._asked += asked

    def _send_all(self) -> None:
        self._transport.get_pipe_transport(0).write(bytes(self._asked))
        self._asked.clear()

    async def end(self) -> None:
        """Let it come to its end, and wait for that."""
        stdin = self._transport.get_pipe_transport(0)
        # Said in words too: a fork of this process would keep the pipe open.
        stdin.write(pickle.dumps(None))
        stdin.close()
        await asyncio.wait([self._over], timeout=_SECONDS_TO_END)
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process has been started."""
        self._transport = transport
        self._transport.get_pipe_transport(0).write(pickle.dumps(sys.path))

    def pipe_data_received(self, _: int, data: bytes) -> None:
        """It has said something."""
        self._said += data
        if not self.is_ready:
            # Whatever the start of an interpreter prints, by the settings of who runs it, comes before.
            if (begins := self._said.find(READY)) < 0 or self._has_left:
                return
            self.is_ready = True
            del self._said[: begins + len(READY)]
        while (found := self._next()) is not None:
            if not (waiting := self._given.popleft()).done():
                waiting.set_result(found)
        self._watch()

    def _next(self) -> _Found | None:
        """What it has said of the next picture, once that is all there."""
        if len(self._said) < HEAD.size:
            return None
        text, data = HEAD.unpack_from(self._said)
        if len(self._said) < (end := HEAD.size + text + data):
            return None
        said = json.loads(self._said[HEAD.size : HEAD.size + text])
        found = _Found(said, bytes(self._said[HEAD.size + text : end]))
        del self._said[:end]
        return found

    def pipe_connection_lost(self, _: int, __: Exception | None) -> None:
        """It says no more, or hears no more."""
        self._leave()

    def connection_lost(self, _: Exception | None) -> None:
        """It is over, and so are its pipes."""
        self._leave()
        if not self._over.done():
            self._over.set_result(None)

    def _leave(self) -> None:
        self.is_ready, self._has_left = False, True
        for found in self._given:
            if not found.done():
                found.set_result(None)
        self._given.clear()
        self._watch()


def _interpreter() -> str:
    """What runs Python programs; empty where nothing does: a frozen program would start itself anew."""
    from multiprocessing.spawn import get_executable

    return "" if getattr(sys, "frozen", False) else os.fsdecode(get_executable() or "")


def _is_sendable(image: Image) -> bool:
    """A file is read there; what is in memory travels, if it is short; other origins may hold connections.

    Classes derived from ours need not be known there.
    """
    if type(image) is not Image or type(image.limits) is not ImageLimits:
        return False
    origin = image.origin
    if type(origin) is BytesOrigin:
        return len(origin.data) <= LONGEST_SENT
    return type(origin) is PathOrigin and type(origin.limits) is ImageLimits
