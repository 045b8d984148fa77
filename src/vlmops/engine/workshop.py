"""An engine at work: its loop, threads, processes and files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.concurrency import map_each
from vlmops.engine.cache import ResponseCache
from vlmops.engine.inbox import Inbox
from vlmops.engine.landed import LandedKeys
from vlmops.engine.reader_pool import ReaderPool
from vlmops.engine.reply_writer import ReplyWriter
from vlmops.images.image import Image
from vlmops.images.pixel_index import PixelIndex
from vlmops.images.pixel_workers import PixelWorkers

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from vlmops.engine.home_loop import HomeLoop

T = TypeVar("T")
Look = Callable[[int, Callable[[Image], str]], T]

_READERS = 4
_WORKERS = 4
_WORTH_SECONDS = 0.2
"""What starting a process takes of the processor: it pays once decoding has taken as long."""
_READ_AT_ONCE = 16
"""Requests whose pictures are in memory at a time, while nothing of theirs has been asked yet."""


class Workshop:
    """What an engine starts for its first call and ends when it is closed.

    Attributes:
        home: The loop.
        readers: Threads that read.
        writer: Keeps replies.
        landed: What was kept lately.
        aside: Replies that are kept no longer than this.
    """

    def __init__(self, home: HomeLoop) -> None:
        processors = _processors()
        self.home = home
        self.readers = ReaderPool(min(_READERS, processors), Inbox(home.loop))
        self.writer = ReplyWriter()
        self.landed = LandedKeys()
        self.aside = ResponseCache(None)
        self._pixels = PixelIndex()
        self._workers = PixelWorkers(min(_WORKERS, processors // 2))
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    async def read(self, pictures: Sequence[Image], look: Look[T]) -> T:
        """What ``look`` gives in a reader's thread, where the bytes of the pictures are at hand.

        Args:
            pictures: All that it may ask for.
            look: Takes the mark of what has landed before, and what says what stands for a picture's pixels.

        Raises:
            ImageError: A picture cannot be read or decoded.
        """
        mark = self.landed.count
        async with self._reading:
            with ExitStack() as held:
                for picture in pictures:
                    held.enter_context(picture.held())
                known = await self._known(pictures)
                return await self.readers.run(lambda: look(mark, self._standing(pictures, known)))

    async def close(self, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Finish what was begun: readers first, since they may still send questions on."""
        await asyncio.to_thread(self.readers.close)
        try:
            if not self.home.is_over:
                await self.home.run(self._closed(drain))
        finally:
            await asyncio.to_thread(self._end)

    async def _known(self, pictures: Sequence[Image]) -> dict[int, str]:
        """What stands for pictures, by their ``id()``, as far as processes can say."""
        if self._pixels.decoding_seconds > _WORTH_SECONDS:
            self._workers.start()
        if not self._workers.is_ready:
            return {}
        found = await map_each(pictures, self._workers.stands_for)
        return {id(picture): stands for picture, stands in zip(pictures, found, strict=True) if stands}

    def _standing(self, pictures: Sequence[Image], known: dict[int, str]) -> Callable[[Image], str]:
        for picture in pictures:
            if id(picture) not in known:
                known[id(picture)] = self._pixels.stands_for(picture)
        return lambda image: known.get(id(image)) or self._pixels.stands_for(image)

    async def _closed(self, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await drain()
        finally:
            await self._workers.close()

    def _end(self) -> None:
        self.home.close()
        self.writer.close()
        self._pixels.close()
        self.aside.close()


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
