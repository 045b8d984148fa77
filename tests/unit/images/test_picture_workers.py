"""Processes that look pictures up: they say what the index says, and what befalls them costs time alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from vlmops.errors import ImageError
from vlmops.images import Image, ImageLimits, Preparation, picture_workers
from vlmops.images.origin import BytesOrigin, PathOrigin
from vlmops.images.picture_workers import PictureWorkers
from vlmops.images.pixel_index import PixelIndex
from vlmops.testing import picture

needs_processes = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


@asynccontextmanager
async def _started(workers: PictureWorkers) -> AsyncIterator[PictureWorkers]:
    workers.start()
    try:
        await _until_ready(workers)
        yield workers
    finally:
        await workers.close()


@pytest.fixture
async def workers() -> AsyncIterator[PictureWorkers]:
    async with _started(PictureWorkers(1)) as made:
        yield made


async def _until_ready(workers: PictureWorkers) -> None:
    async with asyncio.timeout(120):
        while not workers.is_ready:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _children() -> set[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(number) for number in listed.split()}


async def test_they_say_what_the_index_says(workers: PictureWorkers, tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(picture(1).read())
    index = PixelIndex(tmp_path / "own.sqlite")
    for image in (Image.from_path(file), picture(2)):
        twin = Image.from_bytes(image.read())
        fresh = Image(image.origin)
        assert await workers.stands_for(fresh) == index.stands_for(twin)
        assert fresh.facts == twin.facts
    index.close()


async def test_a_file_that_is_known_by_its_stamp_is_not_read(workers: PictureWorkers, tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(picture(1).read())
    await asyncio.sleep(0.06)  # younger than the clock's grain, a file is not remembered
    said = await workers.stands_for(Image.from_path(file))
    again = Image.from_path(file)
    assert await workers.stands_for(again) == said
    assert not again.is_known


def _private(file: Path) -> Path:
    """A JPEG with metadata that preparing it takes away."""
    exif = PIL.Image.Exif()
    exif[0x010F] = "Maker"
    picture(1).to_pil("RGB").save(file, "JPEG", exif=exif)
    return file


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("in_memory", [False, True])
async def test_what_they_prepare_is_at_hand_while_the_picture_is_held(
    workers: PictureWorkers, tmp_path: Path, private: bool, in_memory: bool
) -> None:
    file = tmp_path / "one"
    file.write_bytes(_private(file).read_bytes() if private else picture(1).read())
    data, preparation = file.read_bytes(), Preparation()
    expected = preparation.prepare(Image.from_bytes(data))
    image = Image.from_bytes(data, str(file)) if in_memory else Image.from_path(file)
    with image.held():
        await workers.stands_for(image, preparation)
        file.unlink()
        prepared = preparation.prepare(image)
        assert prepared.facts == expected.facts
        assert prepared.facts.has_exif is False
        assert prepared.data_uri() == expected.data_uri()
        assert prepared is preparation.prepare(image)
        assert prepared.source == image.source
    if not in_memory:
        with pytest.raises(ImageError, match="does not exist"):
            preparation.prepare(image)


@pytest.mark.parametrize(
    "preparation",
    [Preparation(max_side=20), Preparation(convert_to="image/jpeg", accept=("image/jpeg",))],
)
async def test_what_has_to_be_encoded_anew_is_left_to_threads(
    workers: PictureWorkers, preparation: Preparation
) -> None:
    image = picture(1)
    with image.held():
        assert await workers.stands_for(image, preparation) is not None
        assert image.prepared(preparation) is None


async def test_what_cannot_be_prepared_is_told_where_it_is_needed(
    workers: PictureWorkers, tmp_path: Path
) -> None:
    file = tmp_path / "two.gif"
    picture(1).to_pil("P").save(file, save_all=True, append_images=[picture(2).to_pil("P")])
    animation, refusing = Image.from_path(file), Preparation(animated="error")
    with animation.held():
        assert await workers.stands_for(animation, refusing) == f"bytes:{animation.sha256}"
        with pytest.raises(ImageError, match="has 2 frames"):
            refusing.prepare(animation)


async def test_nobody_who_lets_go_of_what_they_prepared_has_it_made_again(
    workers: PictureWorkers, tmp_path: Path
) -> None:
    """One picture may be in several requests at once."""
    file = _private(tmp_path / "one.jpg")
    image, preparation = Image.from_path(file), Preparation()
    with image.held():
        await workers.stands_for(image, preparation)
        file.unlink()
        prepared = preparation.prepare(image)
        prepared.release()
        assert preparation.prepare(image).read() == prepared.read()


async def test_what_was_read_here_meanwhile_stands_for_what_was_read(
    workers: PictureWorkers, tmp_path: Path
) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(picture(1).read())
    image = Image.from_path(file)
    asking = asyncio.create_task(workers.stands_for(image))
    await asyncio.sleep(0)  # it is on its way, with nothing known of it
    image.learn(picture(2).facts)
    assert await asking is None


async def test_a_file_that_is_replaced_once_its_stamp_was_seen_is_what_it_has_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = tmp_path / "one.png", tmp_path / "other.png"
    file.write_bytes(picture(1).read())
    os.utime(file, (1, 1))
    other.write_bytes(picture(2).read())
    await asyncio.sleep(0.06)  # younger than the clock's grain, a file is not remembered
    index = PixelIndex()
    index.stands_for(Image.from_path(file))
    index.close()
    program = picture_workers._PROGRAM.replace("; main()", f"; {_REPLACING}; main()")
    monkeypatch.setattr("vlmops.images.picture_workers._PROGRAM", program)
    async with _started(PictureWorkers(1)) as workers:
        image, preparation = Image.from_path(file), Preparation()
        with image.held():
            said = await workers.stands_for(image, preparation)
            assert preparation.prepare(image).read() == picture(2).read()
            assert said == f"pixels:{picture(2).pixel_hash()}"


_REPLACING = (
    "import os; from vlmops.images.pixel_index import PixelIndex; known = PixelIndex._of_file; "
    "PixelIndex._of_file = lambda *asked: "
    "(known(*asked), os.replace(asked[1].replace('one', 'other'), asked[1]))[0]"
)


async def test_long_pictures_are_prepared_here(workers: PictureWorkers, tmp_path: Path) -> None:
    """Sending one from process to process takes as long."""
    file = tmp_path / "long.png"
    noise = np.random.default_rng(1).integers(0, 256, (800, 800, 3), dtype=np.uint8)
    file.write_bytes(Image.from_array(noise).read())
    image, preparation = Image.from_path(file), Preparation()
    with image.held():
        assert await workers.stands_for(image, preparation) is not None
        assert image.prepared(preparation) is None


async def test_many_at_once_each_get_their_own(workers: PictureWorkers) -> None:
    images = [picture(number) for number in range(40)]
    said = await asyncio.gather(*(workers.stands_for(image) for image in images))
    assert said == [f"pixels:{image.pixel_hash()}" for image in images]


async def test_one_that_is_in_several_requests_is_looked_up_once(
    workers: PictureWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Image] = []
    found = picture_workers._Worker.found

    def counted(worker: Any, image: Image, preparation: Preparation | None) -> Any:
        sent.append(image)
        return found(worker, image, preparation)

    monkeypatch.setattr(picture_workers._Worker, "found", counted)
    image, coarse = picture(1), Preparation(quality=20)
    with image.held():
        asking = [asyncio.create_task(workers.stands_for(image, coarse)) for _ in range(3)]
        other = asyncio.create_task(workers.stands_for(image, Preparation()))
        await asyncio.sleep(0)
        asking.pop().cancel()
        said = await asyncio.gather(*asking, other)
        assert set(said) == {f"pixels:{image.pixel_hash()}"}
        assert image.prepared(coarse) is image
    assert sent == [image, image]


async def test_who_stops_waiting_leaves_the_others_no_worse_than_unasked(workers: PictureWorkers) -> None:
    image = picture(1)
    first, second = (asyncio.create_task(workers.stands_for(image)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is None
    assert await workers.stands_for(image) is not None


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
async def test_of_what_cannot_be_decoded_nothing_is_said_and_they_go_on(
    workers: PictureWorkers, data: bytes
) -> None:
    assert await workers.stands_for(Image.from_bytes(data)) is None
    assert await workers.stands_for(picture(1)) is not None


async def test_pictures_that_only_this_process_can_read_stay_here(workers: PictureWorkers) -> None:
    class Origin:
        description = "somewhere"

        def read(self) -> bytes:
            raise AssertionError("it has no business here")

    class Data(BytesOrigin):
        pass

    class Picture(Image):
        pass

    class Bounds(ImageLimits):
        pass

    data, bounds = picture(1).read(), Bounds()
    for image in (
        Image(Origin()),
        Image(Data(data)),
        Picture.from_bytes(data),
        Image.from_bytes(data, limits=bounds),
        Image(PathOrigin(Path("one.png"), bounds)),
    ):
        assert await workers.stands_for(image) is None
    assert workers.is_ready


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode there")
def test_names_need_not_be_utf8(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    file.write_bytes(picture(1).read())
    os.utime(file, (1, 1))
    time.sleep(0.06)  # younger than the clock's grain, a file is not remembered
    index = PixelIndex()
    known, unread = Image.from_path(file), Image.from_path(file)
    assert index.stands_for(known) == index.stands_for(unread)
    index.close()
    assert known.is_known
    assert not unread.is_known


async def test_what_they_found_is_written_down_when_they_end(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(picture(1).read())
    os.utime(file, (1, 1))
    await asyncio.sleep(0.06)  # younger than the clock's grain, a file is not remembered
    workers = PictureWorkers(1)
    workers.start()
    await _until_ready(workers)
    said = await workers.stands_for(Image.from_path(file))
    await workers.close()
    unread = Image.from_path(file)
    index = PixelIndex()
    assert index.stands_for(unread) == said
    index.close()
    assert not unread.is_known


@needs_processes
async def test_one_that_is_killed_leaves_nobody_waiting(workers: PictureWorkers) -> None:
    waiting = [asyncio.create_task(workers.stands_for(picture(number))) for number in range(20)]
    await waiting[0]
    for child in _children():
        os.kill(child, signal.SIGKILL)
    async with asyncio.timeout(10):
        said = await asyncio.gather(*waiting)
    assert None in said
    assert not workers.is_ready
    assert await workers.stands_for(picture(1)) is None


async def test_a_relative_path_is_meant_from_where_it_is_asked(
    workers: PictureWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program may have moved to another folder since the processes were started."""
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "same name.png").write_bytes(picture(number).read())
        monkeypatch.chdir(folder)
        image = Image.from_path("same name.png")
        assert await workers.stands_for(image) == f"pixels:{picture(number).pixel_hash()}"
        assert image.read() == picture(number).read()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed")
async def test_of_a_working_folder_that_is_gone_nothing_is_said(
    workers: PictureWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert await workers.stands_for(picture(1)) is None
    monkeypatch.chdir(tmp_path)
    assert await workers.stands_for(picture(1)) is not None


async def test_what_lies_in_the_working_folder_is_no_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("from pathlib import Path\nPath('was run').touch()\n")
    monkeypatch.chdir(tmp_path)
    workers = PictureWorkers(1)
    workers.start()
    await _until_ready(workers)
    await workers.close()
    assert not (tmp_path / "was run").exists()


async def test_one_that_still_answers_may_take_long_for_all_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = "import time; from vlmops.images import picture_worker as made; found = made._found"
    slowed = f"{slow}; made._found = lambda *asked: (time.sleep(0.5), found(*asked))[1]"
    program = picture_workers._PROGRAM.replace("; main()", f"; {slowed}; main()")
    monkeypatch.setattr("vlmops.images.picture_workers._PROGRAM", program)
    monkeypatch.setattr("vlmops.images.picture_workers._SECONDS_TO_ANSWER", 3.0)
    async with _started(PictureWorkers(1)) as workers:
        said = await asyncio.gather(*(workers.stands_for(picture(number)) for number in range(8)))
        assert None not in said
        assert workers.is_ready


async def test_what_an_interpreter_prints_as_it_starts_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files of settings (``sitecustomize``, ``.pth``) may."""
    program = f"print('hello', flush=True); {picture_workers._PROGRAM}"
    monkeypatch.setattr("vlmops.images.picture_workers._PROGRAM", program)
    async with _started(PictureWorkers(1)) as workers:
        assert await workers.stands_for(picture(1)) == f"pixels:{picture(1).pixel_hash()}"


@needs_processes
async def test_one_that_hangs_keeps_nobody_for_ever(
    workers: PictureWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlmops.images.picture_workers._SECONDS_TO_ANSWER", 0.05)
    for child in _children():
        os.kill(child, signal.SIGSTOP)
    async with asyncio.timeout(10):
        said = await asyncio.gather(*(workers.stands_for(picture(number)) for number in range(20)))
    assert set(said) == {None}
    assert not workers.is_ready


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
async def test_a_fork_of_the_program_holds_none_of_them_up() -> None:
    """It has the pipes, too: that this end of them is closed tells the processes nothing."""
    workers = PictureWorkers(1)
    workers.start()
    await _until_ready(workers)
    (started,) = workers._workers
    if not (fork := os.fork()):
        signal.pause()
    try:
        await workers.close()
        assert started._transport.get_returncode() == 0
    finally:
        os.kill(fork, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, fork, 0)


@needs_processes
async def test_none_is_left_behind() -> None:
    before = _children()
    workers = PictureWorkers(2)
    workers.start()
    await _until_ready(workers)
    assert _children() - before
    await workers.close()
    assert _children() == before


async def test_closing_while_they_start_leaves_none() -> None:
    workers = PictureWorkers(2)
    workers.start()
    await asyncio.sleep(0)
    await workers.close()
    assert not workers.is_ready


@pytest.mark.parametrize("interpreter", ["/no/such/python", sys.executable])
async def test_what_cannot_be_started_is_done_without(
    monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    """There may be no interpreter, or one that cannot import vlmops."""
    monkeypatch.setattr("multiprocessing.spawn._python_exe", os.fsencode(interpreter))
    monkeypatch.setattr("vlmops.images.picture_workers._PROGRAM", "print('hello'); print('good bye')")
    workers = PictureWorkers(1)
    workers.start()
    await asyncio.sleep(0.2)
    assert await workers.stands_for(picture(1)) is None
    await workers.close()


async def test_a_frozen_program_is_not_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(asyncio.get_running_loop(), "subprocess_exec", lambda *args: started.append(args))
    workers = PictureWorkers(1)
    workers.start()
    await asyncio.sleep(0)
    assert not started
    await workers.close()
