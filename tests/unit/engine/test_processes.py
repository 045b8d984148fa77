"""Pictures that processes look up for the engine: nobody who asks can tell."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from vlmops.engine import Engine, Limits
from vlmops.evaluators import FailureKind
from vlmops.images import Image, Preparation
from vlmops.images.picture_workers import PictureWorkers
from vlmops.models import ModelReply, ModelRequest
from vlmops.models.delivery import PictureDelivery
from vlmops.testing import picture


class Sizes:
    """Says how large a picture is."""

    name = "sizes"

    def __init__(self) -> None:
        self.asked = 0

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    async def answer(self, request: ModelRequest) -> ModelReply:
        self.asked += 1
        await asyncio.sleep(0.01)
        size = str(request.images[0].size)
        return ModelReply(size, size)


class Shown(Sizes):
    """Says the question and the address of what it was shown."""

    name = "shown"

    def __init__(self) -> None:
        super().__init__()
        self.delivery = PictureDelivery()

    async def answer(self, request: ModelRequest) -> ModelReply:
        return await self.prepared(request)()

    def prepared(self, request: ModelRequest) -> Callable[[], Awaitable[ModelReply]]:
        said = f"{request.prompt} {self.delivery.deliver(request.images[0]).address}"

        async def ask() -> ModelReply:
            self.asked += 1
            return ModelReply(said, said)

        return ask


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes from the first picture on, wherever this runs."""
    monkeypatch.setattr("vlmops.engine.workshop._WORTH_SECONDS", -1.0)
    monkeypatch.setattr("vlmops.engine.workshop._processors", lambda: 2)


def _processes() -> list[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(number) for number in listed.split()]


async def _ready(engine: Engine) -> None:
    async with asyncio.timeout(120):
        while not engine._workshop()._workers.is_ready:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_answers_and_failures_are_as_ever(tmp_path: Path) -> None:
    copy, broken = tmp_path / "copy.bmp", tmp_path / "broken.png"
    picture(1).to_pil("RGB").save(copy)
    broken.write_bytes(picture(2).read()[:60])
    model = Sizes()
    async with Engine() as engine:
        asked = engine.model(model)
        first = await asked.answer(ModelRequest("?", (picture(1),)))
        await _ready(engine)
        same = await asked.answer(ModelRequest("?", (Image.from_path(copy),)))
        failed = await asked.answer(ModelRequest("?", (Image.from_path(broken),)))
        gone = await asked.answer(ModelRequest("?", (Image.from_path(tmp_path / "none.png"),)))
        two = await asked.answer(ModelRequest("?", (picture(3), picture(4), picture(3))))
    assert same.cached
    assert same.output == first.output
    assert failed.kind is gone.kind is FailureKind.BAD_IMAGE
    assert "broken.png" in failed.message
    assert "none.png" in gone.message
    assert two.output == str(picture(3).size)
    assert model.asked == 2


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
async def test_a_process_that_dies_costs_no_answer() -> None:
    model = Sizes()
    async with Engine(limits=Limits(concurrency=10)) as engine:
        asked = engine.model(model)
        await asked.answer(ModelRequest("?", (picture(0),)))
        await _ready(engine)
        asking = [
            asyncio.create_task(asked.answer(ModelRequest("?", (picture(number),)))) for number in range(40)
        ]
        await asking[3]
        for number in _processes():
            os.kill(number, signal.SIGKILL)
        replies = await asyncio.gather(*asking)
    assert {reply.output for reply in replies} == {str(picture(0).size)}
    assert model.asked == 40
    assert not _processes()


async def test_what_is_still_looked_up_once_the_engine_is_closed_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up, go_on = asyncio.Event(), asyncio.Event()
    stands_for = PictureWorkers.stands_for

    async def slowly(workers: PictureWorkers, image: Image, preparation: Preparation | None) -> str | None:
        found = await stands_for(workers, image, preparation)
        looked_up.set()
        await go_on.wait()
        return found

    model = Sizes()
    async with Engine() as engine:
        asked = engine.model(model)
        await asked.answer(ModelRequest("?", (picture(0),)))
        await _ready(engine)
        monkeypatch.setattr(PictureWorkers, "stands_for", slowly)
        asking = asyncio.create_task(asked.answer(ModelRequest("?", (picture(1),))))
        await looked_up.wait()
    go_on.set()
    with pytest.raises(RuntimeError, match="engine was closed"):
        await asking
    assert model.asked == 1


def test_one_that_is_never_closed_holds_no_program_up(tmp_path: Path) -> None:
    """The processes end when whoever started them does, however that ends."""
    import subprocess

    program = tmp_path / "careless.py"
    program.write_text(
        "import asyncio, vlmops.engine.workshop as workshop\n"
        "workshop._WORTH_SECONDS, workshop._processors = -1.0, lambda: 2\n"
        "from vlmops.engine import Engine\n"
        "from vlmops.models import ModelReply, ModelRequest\n"
        "from vlmops.testing import picture\n"
        "class Model:\n"
        "    name = 'm'\n"
        "    async def answer(self, request):\n"
        "        return ModelReply('x', 'x')\n"
        "model = Engine().model(Model())\n"
        "for number in range(3):\n"
        "    print(asyncio.run(model.answer(ModelRequest('?', (picture(number),)))).output)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.split() == ["x", "x", "x"]


async def test_what_processes_have_prepared_needs_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{number}.png" for number in (1, 2, 3, 4)]
    for number, file in enumerate(files):
        file.write_bytes(picture(number).read())
    model = Shown()
    async with Engine() as engine:
        asked = engine.model(model)

        async def said(prompt: str, file: Path) -> str:
            answer = await asked.answer(ModelRequest(prompt, (Image.from_path(file),)))
            assert isinstance(answer, ModelReply), answer
            return answer.text

        def expected(prompt: str, file: Path) -> str:
            return f"{prompt} {PictureDelivery().deliver(Image.from_path(file)).address}"

        assert await said("one", files[0]) == expected("one", files[0])
        await _ready(engine)
        with monkeypatch.context() as patched:
            patched.setattr("vlmops.engine.reader_pool.ReaderPool.run", _no_thread)
            for file in files[1:]:
                assert await said("one", file) == expected("one", file)
            assert await said("one", files[1]) == expected("one", files[1])
        # What was looked for last was kept, so that nothing is prepared ahead.
        assert await said("two", files[1]) == expected("two", files[1])
    assert (model.asked, engine.tally.cached) == (5, 1)


async def _no_thread(*_: object) -> None:
    raise AssertionError("it should not be needed")


async def test_kept_answers_for_pictures_whose_hash_is_known_need_neither_thread_nor_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "1.png"
    file.write_bytes(picture(1).read())
    image = Image.from_path(file)
    async with Engine() as engine:
        asked = engine.model(Sizes())
        first = await asked.answer(ModelRequest("?", (image,)))
        file.unlink()
        monkeypatch.setattr("vlmops.engine.reader_pool.ReaderPool.run", _no_thread)
        monkeypatch.setattr("vlmops.images.picture_workers.PictureWorkers.stands_for", _no_thread)
        again = await asked.answer(ModelRequest("?", (image,)))
    assert again.cached
    assert again.output == first.output
