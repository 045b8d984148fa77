"""An engine at work: its loop, threads, processes and files."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.concurrency import map_each
from vlmops.engine.cache import ResponseCache
from vlmops.engine.inbox import Inbox
from vlmops.engine.landed import LandedKeys
from vlmops.engine.reader_pool import ReaderPool
from vlmops.engine.reply_writer import ReplyWriter
from vlmops.errors import ImageError
from vlmops.images.picture_workers import PictureWorkers
from vlmops.images.pixel_index import PixelIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence, Set

    from vlmops.engine.home_loop import HomeLoop
    from vlmops.images.image import Image
    from vlmops.images.preparation import Preparation

T = TypeVar("T")

_READERS = 4
_WORKERS = 4
_WORTH_SECONDS = 0.1
"""What starting a process takes of the processor: it pays once decoding has taken as long."""
_WORTH_PICTURES = 500
"""Looking so many up in threads, where none is decoded, has cost as much more."""
_SHORT_BYTES = 1 << 18
"""Pictures of up to so much together are written into a request within a millisecond."""
_READ_AT_ONCE = 16
"""Requests whose pictures are in memory at a time, while nothing of theirs has been asked yet."""


@dataclass(frozen=True, slots=True)
class AtHand:
    """What there is to look a request up with.

    Attributes:
        mark: How many replies had landed before.
        known: What stands for pictures, by their ``id()``.
        unread: Of which the index said so by their files alone, which were not read, by their ``id()``.
        pixels: Says so of others.
        may_read: Whether pictures may be read now; where not, that would hold up the loop.
    """

    mark: int
    known: Mapping[int, str]
    unread: Set[int]
    pixels: PixelIndex
    may_read: bool

    def stands_for(self, image: Image) -> str:
        """What is equal for pictures of equal pixels."""
        return self.known.get(id(image)) or self.pixels.stands_for(image)

    def read(self, image: Image) -> None:
        """Read a picture that was looked up unread: from here on, another one in its place is refused.

        Raises:
            ImageError: It cannot be read or decoded, or another one has taken its place already.
        """
        image.read()
        if self.pixels.stands_for(image) != self.known[id(image)]:
            raise ImageError(
                image.source, "was overwritten while it was looked up", "ask again once it is there to stay"
            )


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
        self._workers = PictureWorkers(min(_WORKERS, processors // 2))
        self._pictures = 0
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    async def look_up(
        self, pictures: Sequence[Image], look: Callable[[AtHand], T], preparation: Preparation | None = None
    ) -> T:
        """What ``look`` gives where the pictures are at hand.

        That is in a reader's thread, or at once where processes have read all of them: a thread that works
        beside the loop costs both far more than so short a look takes.

        Args:
            pictures: All that it may ask for.
            look: Takes what is at hand.
            preparation: What is to be done to the pictures; ``None`` where that is not likely to be needed.

        Raises:
            ImageError: A picture cannot be read or decoded.
            RuntimeError: The engine was closed meanwhile.
        """
        mark = self.landed.count
        async with self._reading:
            # What comes of it later would be asked, and kept, where nobody sees to that any more.
            self.readers.require_open()
            with _held(pictures):
                known = await self._known(pictures, preparation)
                self.readers.require_open()
                unread = {id(picture) for picture in pictures if not picture.is_known}
                if known and known.keys() >= set(map(id, pictures)) and _are_short(pictures, preparation):
                    return look(AtHand(mark, known, unread, self._pixels, may_read=False))
                return await self.readers.run(lambda: look(self._read(mark, pictures, known, unread)))

    async def read(self, pictures: Sequence[Image], work: Callable[[], T]) -> T:
        """What ``work`` gives in a reader's thread, which may read the pictures.

        Raises:
            ImageError: A picture cannot be read or decoded.
        """
        async with self._reading:
            with _held(pictures):
                return await self.readers.run(work)

    async def close(self, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Finish what was begun: readers first, since they may still send questions on."""
        await asyncio.to_thread(self.readers.close)
        try:
            if not self.home.is_over:
                await self.home.run(self._closed(drain))
        finally:
            await asyncio.to_thread(self._end)

    async def _known(self, pictures: Sequence[Image], preparation: Preparation | None) -> dict[int, str]:
        """What stands for pictures, by their ``id()``, as far as the index or processes can say it."""
        known = {id(picture): stands for picture in pictures if (stands := self._pixels.known(picture))}
        asked = pictures if preparation else [picture for picture in pictures if id(picture) not in known]
        if not asked:
            return known
        self._pictures += len(asked)
        if self._pixels.decoding_seconds > _WORTH_SECONDS or self._pictures > _WORTH_PICTURES:
            self._workers.start()
        if self._workers.is_ready:
            found = await map_each(asked, lambda picture: self._workers.stands_for(picture, preparation))
            known |= {id(picture): stands for picture, stands in zip(asked, found, strict=True) if stands}
        return known

    def _read(self, mark: int, pictures: Sequence[Image], known: dict[int, str], unread: set[int]) -> AtHand:
        for picture in pictures:
            if id(picture) not in known:
                known[id(picture)] = self._pixels.stands_for(picture)
                if picture.is_known:
                    unread.discard(id(picture))
        return AtHand(mark, known, unread, self._pixels, may_read=True)

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


@contextmanager
def _held(pictures: Sequence[Image]) -> Iterator[None]:
    with ExitStack() as held:
        for picture in pictures:
            held.enter_context(picture.held())
        yield


def _are_short(pictures: Sequence[Image], preparation: Preparation | None) -> bool:
    """Whether what goes into a request is; of pictures that are not read, nothing does yet."""
    known = (picture for picture in pictures if picture.is_known)
    sent = ((preparation and picture.prepared(preparation)) or picture for picture in known)
    return sum(picture.byte_length for picture in sent) <= _SHORT_BYTES


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
