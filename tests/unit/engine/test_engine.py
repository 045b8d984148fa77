"""The engine around a model: what is asked, how often, how many at once, and what is kept."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from vlmops.blocking import blocking
from vlmops.engine import Budget, Engine, Limits, ResponseCache, Retry
from vlmops.engine.home_loop import HomeLoop
from vlmops.engine.inbox import Inbox
from vlmops.engine.reader_pool import ReaderPool
from vlmops.errors import BudgetSpent, ImageError, PrerequisiteError, UsageError
from vlmops.evaluators import Failure, FailureKind, Usage
from vlmops.images import Image
from vlmops.images.pixel_index import PixelIndex
from vlmops.models import ModelReply, ModelRequest
from vlmops.testing import picture

Answer = Callable[[ModelRequest], Awaitable[ModelReply | Failure]]
QUICK = Retry(wait=0.001)


async def echo(request: ModelRequest) -> ModelReply:
    return ModelReply(request.prompt, request.prompt or "", Usage(10, 1, cost=0.01))


class Model:
    """Answers as told, and keeps count."""

    def __init__(self, answer: Answer = echo, name: str = "m") -> None:
        self.name = name
        self.asked: list[ModelRequest] = []
        self.most = self.under_way = 0
        self._answer = answer

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.asked.append(request)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self._answer(request)
        finally:
            self.under_way -= 1


class Anonymous(Model):
    identity: Any = None


def in_turn(*outcomes: ModelReply | Failure) -> Answer:
    """Gives these, the last one over and over."""
    left = list(outcomes)

    async def answer(request: ModelRequest) -> ModelReply | Failure:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def ask(engine: Engine, model: Any, *prompts: str) -> list[ModelReply | Failure]:
    asked = engine.model(model)

    async def all_of_them() -> list[ModelReply | Failure]:
        return await asyncio.gather(*(asked.answer(ModelRequest(prompt)) for prompt in prompts))

    return asyncio.run(all_of_them())


DONE = ModelReply("done", "done")


class TestKept:
    def test_a_second_run_asks_nothing(self, tmp_path: Path) -> None:
        model = Model()
        for expected in (False, True):
            with ResponseCache(tmp_path / "r.sqlite") as cache, Engine(cache=cache) as engine:
                (reply,) = ask(engine, model, "a")
                assert reply.cached is expected
        assert len(model.asked) == 1
        assert (engine.tally.calls, engine.tally.cached, engine.tally.cost) == (0, 1, 0.0)
        assert engine.tally.saved == 0.01
        assert reply.usage == Usage(10, 1, cost=0.01)

    def test_the_same_asked_at_once_is_asked_once(self) -> None:
        async def slow(request: ModelRequest) -> ModelReply:
            await asyncio.sleep(0.05)
            return DONE

        model = Model(slow)
        with Engine() as engine:
            replies = ask(engine, model, *["a"] * 20)
        assert len(model.asked) == 1
        assert engine.tally.shared + engine.tally.cached == 19
        assert {reply.output for reply in replies} == {"done"}

    def test_failures_are_not_kept(self) -> None:
        model = Model(in_turn(Failure(FailureKind.REFUSAL, "no"), DONE))
        with Engine() as engine:
            assert isinstance(ask(engine, model, "a")[0], Failure)
            assert ask(engine, model, "a") == [DONE]
        assert engine.tally.failures == {FailureKind.REFUSAL: 1}

    def test_repetitions_are_kept_apart(self) -> None:
        model = Model()
        with Engine() as engine:
            asked = engine.model(model)
            for repetition in (1, 2, 1, 2):
                asyncio.run(asked.answer(ModelRequest("a", repetition=repetition)))
        assert [request.repetition for request in model.asked] == [1, 2]

    def test_fresh_asks_anew_once(self, tmp_path: Path) -> None:
        model = Model()
        with ResponseCache(tmp_path / "r.sqlite") as cache:
            for fresh in (False, True):
                with Engine(cache=cache, fresh=fresh) as engine:
                    for _ in range(2):
                        ask(engine, model, "a")
        assert len(model.asked) == 2

    def test_a_model_that_does_not_say_what_it_depends_on_is_kept_for_this_run_alone(
        self, tmp_path: Path
    ) -> None:
        model = Anonymous()
        with ResponseCache(tmp_path / "r.sqlite") as cache:
            for _ in range(2):
                with Engine(cache=cache) as engine:
                    assert [ask(engine, model, "a")[0].cached] == [False]
            assert cache.models() == []

    def test_pictures_count_by_their_pixels(self, tmp_path: Path) -> None:
        model = Model()
        file = tmp_path / "copy.bmp"
        picture(1).to_pil("RGB").save(file)
        with Engine() as engine:
            asked = engine.model(model)
            for image in (picture(1), Image.from_path(file), picture(2)):
                asyncio.run(asked.answer(ModelRequest("a", (image,))))
        assert len(model.asked) == 2

    async def test_a_file_that_changes_before_its_turn_is_not_answered_as_what_it_was(
        self, tmp_path: Path
    ) -> None:
        """Known from an earlier run, it need not be read to be looked up: it must be before it waits."""
        file = tmp_path / "one.png"
        file.write_bytes(picture(1).read())
        os.utime(file, (1, 1))
        await asyncio.sleep(0.06)  # younger than the clock's grain, a file is not remembered
        busy, go_on = asyncio.Event(), asyncio.Event()

        async def seen(request: ModelRequest) -> ModelReply | Failure:
            if not request.images:
                busy.set()
                await go_on.wait()
                return await echo(request)
            try:
                text = str(request.images[0].read() == picture(1).read())
            except ImageError as error:
                return Failure(FailureKind.BAD_IMAGE, str(error))
            return ModelReply(text, text)

        class Flat:
            def expected(self, model: object, request: ModelRequest) -> Usage:
                return Usage(1, 1)

        async with Engine() as engine:
            await engine.model(Model()).answer(ModelRequest("?", (Image.from_path(file),)))
        async with Engine(limits=Limits(concurrency=1), estimator=Flat()) as engine:
            model = engine.model(Model(seen))
            first = asyncio.create_task(model.answer(ModelRequest("wait")))
            await busy.wait()
            asking = asyncio.create_task(model.answer(ModelRequest("?", (Image.from_path(file),))))
            async with asyncio.timeout(20):
                while len(engine._flights) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            file.write_bytes(picture(2).read())
            go_on.set()
            await first
            changed = await asking
            right = await model.answer(ModelRequest("?", (picture(1),)))
        assert isinstance(changed, Failure)
        assert changed.kind is FailureKind.BAD_IMAGE
        assert right.output == "True"

    async def test_a_file_that_changes_while_it_is_looked_up_is_not_answered_as_what_it_was(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Known by its stamp, it is read only after that, to be asked about."""
        file = tmp_path / "one.png"
        file.write_bytes(picture(1).read())
        os.utime(file, (1, 1))
        await asyncio.sleep(0.06)  # younger than the clock's grain, a file is not remembered
        looked_up = PixelIndex.stands_for

        def replaced(index: PixelIndex, image: Image) -> str:
            stands = looked_up(index, image)
            if not image.is_known:
                file.write_bytes(picture(2).read())
            return stands

        async def seen(request: ModelRequest) -> ModelReply:
            text = str(request.images[0].read() == picture(1).read())
            return ModelReply(text, text)

        async with Engine() as engine:
            await engine.model(Model()).answer(ModelRequest("?", (Image.from_path(file),)))
        monkeypatch.setattr(PixelIndex, "stands_for", replaced)
        async with Engine() as engine:
            model = engine.model(Model(seen))
            changed = await model.answer(ModelRequest("?", (Image.from_path(file),)))
            right = await model.answer(ModelRequest("?", (picture(1),)))
        assert isinstance(changed, Failure)
        assert (changed.kind, right.output) == (FailureKind.BAD_IMAGE, "True")
        assert "one.png: was overwritten" in changed.message

    def test_a_picture_that_cannot_be_read_is_not_sent(self) -> None:
        model = Model()
        with Engine() as engine:
            asked = engine.model(model)
            failure = asyncio.run(asked.answer(ModelRequest("a", (Image.from_bytes(b"none", "x.png"),))))
        assert failure.kind is FailureKind.BAD_IMAGE
        assert "x.png" in failure.message
        assert model.asked == []

    @pytest.mark.parametrize("error", [StopIteration("odd"), KeyError("odd")])
    def test_whatever_an_estimator_raises_reaches_who_asks(self, error: Exception) -> None:
        """No future takes a StopIteration: who asks must hear of it all the same, and not wait for ever."""

        class Broken:
            def expected(self, model: Any, request: ModelRequest) -> Usage:
                raise error

        with Engine(estimator=Broken()) as engine, pytest.raises((RuntimeError, KeyError)):
            ask(engine, Model(), "a")


class TestRetries:
    @pytest.mark.parametrize(
        "trouble",
        [
            Failure(FailureKind.RATE_LIMIT, "slow down", retry_after=0.001),
            Failure(FailureKind.TIMEOUT, "late"),
            Failure(FailureKind.PROVIDER_ERROR, "HTTP 503", transient=True),
        ],
    )
    def test_what_passes_is_tried_again(self, trouble: Failure) -> None:
        model = Model(in_turn(trouble, trouble, DONE))
        with Engine(retry=QUICK) as engine:
            (reply,) = ask(engine, model, "a")
        assert (reply.output, reply.metadata["tries"]) == ("done", 3)
        assert (engine.tally.calls, engine.tally.retries) == (3, 2)

    @pytest.mark.parametrize(
        "kind", [FailureKind.REFUSAL, FailureKind.MEDIA_REJECTED, FailureKind.PROVIDER_ERROR]
    )
    def test_what_lasts_is_not(self, kind: FailureKind) -> None:
        model = Model(in_turn(Failure(kind, "no"), DONE))
        with Engine(retry=QUICK) as engine:
            (failure,) = ask(engine, model, "a")
        assert failure == Failure(kind, "no")

    def test_it_ends_after_so_many_tries(self) -> None:
        model = Model(in_turn(Failure(FailureKind.TIMEOUT, "late")))
        with Engine(retry=Retry(wait=0.001, tries=3)) as engine:
            (failure,) = ask(engine, model, "a")
        assert len(model.asked) == 3
        assert failure.message == "late (tried 3 times)"

    def test_a_wait_beyond_reason_is_not_waited_for(self) -> None:
        model = Model(in_turn(Failure(FailureKind.RATE_LIMIT, "daily limit", retry_after=3600)))
        with Engine(retry=QUICK) as engine:
            (failure,) = ask(engine, model, "a")
        assert (failure.kind, len(model.asked)) == (FailureKind.RATE_LIMIT, 1)

    def test_a_try_that_hangs_is_a_timeout(self) -> None:
        async def hang(request: ModelRequest) -> ModelReply:
            await asyncio.Event().wait()
            raise AssertionError

        model = Model(hang)
        with Engine(retry=Retry(timeout=0.02, tries=2, wait=0.001)) as engine:
            (failure,) = ask(engine, model, "a")
        assert failure.kind is FailureKind.TIMEOUT
        assert len(model.asked) == 2

    def test_the_deadline_holds_over_all_tries(self) -> None:
        model = Model(in_turn(Failure(FailureKind.TIMEOUT, "late")))
        with Engine(retry=Retry(wait=0.02, deadline=0.05, tries=1000)) as engine:
            ask(engine, model, "a")
        assert len(model.asked) < 10

    def test_what_spoils_every_answer_is_raised(self) -> None:
        async def no_key(request: ModelRequest) -> ModelReply:
            raise PrerequisiteError("set a key")

        with Engine() as engine, pytest.raises(PrerequisiteError, match="set a key"):
            ask(engine, Model(no_key), "a")


class TestLimits:
    def test_no_more_at_once_than_allowed_from_all_threads_together(self) -> None:
        async def slow(request: ModelRequest) -> ModelReply:
            await asyncio.sleep(0.005)
            return DONE

        model = Model(slow)
        with Engine(limits=Limits(concurrency=3)) as engine:
            threads = [
                threading.Thread(target=ask, args=(engine, model, *(f"{n}.{i}" for i in range(10))))
                for n in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(model.asked) == 40
        assert model.most == 3

    def test_a_storm_pauses_all_and_then_goes_gently(self) -> None:
        """While the provider says no, nobody else is sent to hear it."""
        refused = 0
        all_out = asyncio.Event()

        async def stormy(request: ModelRequest) -> ModelReply | Failure:
            nonlocal refused
            if len(model.asked) > 8:
                return DONE
            if len(model.asked) == 8:
                all_out.set()
            await all_out.wait()
            refused += 1
            return Failure(FailureKind.RATE_LIMIT, "slow down", retry_after=0.1)

        model = Model(stormy)
        with Engine(limits=Limits(concurrency=8), retry=QUICK) as engine:
            replies = ask(engine, model, *map(str, range(60)))
        assert all(isinstance(reply, ModelReply) for reply in replies)
        assert refused == 8
        assert engine.tally.pauses == 1

    def test_each_model_has_its_own(self) -> None:
        async def slow(request: ModelRequest) -> ModelReply:
            await asyncio.sleep(0.005)
            return DONE

        one, two = Model(slow, "one"), Model(slow, "two")
        limits = {"one": Limits(concurrency=1), "two": Limits(concurrency=2)}
        with Engine(limits=limits) as engine:
            for model in (one, two):
                ask(engine, model, *"abcdef")
        assert (one.most, two.most) == (1, 2)


class Estimator:
    def __init__(self, usage: Usage) -> None:
        self.usage = usage

    def expected(self, model: Any, request: ModelRequest) -> Usage:
        return self.usage


class TestBudget:
    def test_it_ends_before_it_is_passed_and_keeps_what_was_paid(self) -> None:
        model = Model()
        budget = Budget(usd=0.035)
        with Engine(budget=budget, estimator=Estimator(Usage(10, 1, cost=0.01))) as engine:
            for prompt in "abc":
                ask(engine, model, prompt)
            with pytest.raises(BudgetSpent):
                ask(engine, model, "d")
            assert ask(engine, model, "a")[0].cached
        assert len(model.asked) == 3
        assert budget.spent_usd == pytest.approx(0.03)

    def test_estimates_that_were_too_high_do_not_end_it_early(self) -> None:
        model = Model()
        with Engine(budget=Budget(usd=0.1), estimator=Estimator(Usage(10, 1, cost=0.05))) as engine:
            replies = ask(engine, model, *"abcde")
        assert len(replies) == len(model.asked) == 5

    def test_an_unreadable_answer_is_paid_for_and_a_rate_limit_is_not(self) -> None:
        budget = Budget(usd=1)
        outcomes = in_turn(
            Failure(FailureKind.RATE_LIMIT, "slow down", retry_after=0.001),
            Failure(FailureKind.UNPARSABLE, "what?", usage=Usage(5, 5, cost=0.2)),
        )
        with Engine(budget=budget, estimator=Estimator(Usage(10, 1, cost=0.01)), retry=QUICK) as engine:
            ask(engine, Model(outcomes), "a")
        assert budget.spent_usd == pytest.approx(0.2)

    def test_a_budget_in_dollars_needs_a_price(self) -> None:
        with (
            Engine(budget=Budget(usd=1), estimator=Estimator(Usage(10, 1))) as engine,
            pytest.raises(UsageError, match="no price is known for m"),
        ):
            engine.model(Model())


class TestInterruption:
    def test_a_call_that_is_out_is_seen_through_and_kept(self) -> None:
        begun = threading.Event()

        async def slow(request: ModelRequest) -> ModelReply:
            begun.set()
            await asyncio.sleep(0.05)
            return DONE

        async def cancelled(asked: Any) -> None:
            task = asyncio.create_task(asked.answer(ModelRequest("a")))
            await asyncio.to_thread(begun.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        model = Model(slow)
        with ResponseCache(None) as cache:
            with Engine(cache=cache) as engine:
                asyncio.run(cancelled(engine.model(model)))
            with Engine(cache=cache) as engine:
                assert ask(engine, model, "a")[0].cached
        assert len(model.asked) == 1

    def test_what_is_not_out_yet_is_given_up(self) -> None:
        begun = threading.Event()

        async def slow(request: ModelRequest) -> ModelReply:
            begun.set()
            await asyncio.sleep(0.05)
            return DONE

        async def cancelled(asked: Any) -> None:
            tasks = [asyncio.create_task(asked.answer(ModelRequest(str(n)))) for n in range(10)]
            await asyncio.to_thread(begun.wait)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        model = Model(slow)
        with Engine(limits=Limits(concurrency=1)) as engine:
            asyncio.run(cancelled(engine.model(model)))
        assert len(model.asked) == 1

    def test_it_can_be_used_again_after_it_was_closed(self) -> None:
        model = Model()
        engine = Engine()
        for prompt in "ab":
            ask(engine, model, prompt)
            engine.close()
        assert len(model.asked) == 2


async def test_within_a_running_loop() -> None:
    async with Engine() as engine:
        reply = await engine.model(Model()).answer(ModelRequest("a"))
    assert reply.output == "a"


def test_an_engine_that_was_closed_begins_anew() -> None:
    async def slow(request: ModelRequest) -> ModelReply:
        await asyncio.sleep(0.01)
        return await echo(request)

    async def ask_many(prefix: str) -> list[ModelReply | Failure]:
        return await asyncio.gather(*(model.answer(ModelRequest(f"{prefix}{n}")) for n in range(4)))

    engine = Engine(limits=Limits(concurrency=1), budget=Budget(tokens=10_000))
    model = engine.model(Model(slow))
    for prefix in "ab":
        assert all(isinstance(said, ModelReply) for said in asyncio.run(ask_many(prefix)))
        engine.close()


def test_a_model_that_cannot_be_closed_leaves_no_thread_and_no_other_model_open() -> None:
    closed = []

    class Closing(Model):
        async def aclose(self) -> None:
            closed.append(self.name)
            if self.name == "broken":
                raise OSError("the socket is gone")

    before = set(threading.enumerate())
    engine = Engine()
    models = [engine.model(Closing(name=name)) for name in ("a", "broken", "b")]
    asyncio.run(models[0].answer(ModelRequest("hello")))
    with pytest.raises(OSError, match="socket"):
        engine.close()
    assert sorted(closed) == ["a", "b", "broken"]
    assert not set(threading.enumerate()) - before


class TestEnteredInALoop:
    """Entered with ``async with``, an engine works in the caller's own loop."""

    async def test_it_works_there_without_a_loop_of_its_own(self) -> None:
        loops = []

        async def answer(request: ModelRequest) -> ModelReply:
            loops.append(asyncio.get_running_loop())
            return await echo(request)

        async with Engine() as engine:
            assert (await engine.model(Model(answer)).answer(ModelRequest("a"))).output == "a"
        assert loops == [asyncio.get_running_loop()]

    async def test_other_threads_and_loops_may_ask_too(self) -> None:
        model = Model()
        async with Engine(limits=Limits(concurrency=2)) as engine:
            asked = engine.model(model)

            def elsewhere(prompt: str) -> Any:
                return asyncio.run(asked.answer(ModelRequest(prompt))).output

            answers = await asyncio.gather(*(asyncio.to_thread(elsewhere, prompt) for prompt in "abcd"))
            assert answers == list("abcd")
        assert model.most <= 2

    async def test_a_call_that_holds_the_loop_up_is_refused_instead_of_waiting_for_ever(self) -> None:
        async with Engine() as engine:
            asked = engine.model(Model())
            await asked.answer(ModelRequest("a"))
            with pytest.raises(UsageError, match="await the asynchronous method"):
                blocking(lambda: asked.answer(ModelRequest("b")))
            with pytest.raises(UsageError, match="await the asynchronous method"):
                blocking(lambda: asyncio.to_thread(lambda: blocking(lambda: asked.answer(ModelRequest("b")))))
            with pytest.raises(UsageError, match="await the asynchronous method"):
                engine.close()
            assert (await asked.answer(ModelRequest("a"))).cached

    async def test_who_has_nothing_to_do_with_what_holds_the_loop_up_waits(self) -> None:
        replies: list[ModelReply | Failure] = []
        async with Engine() as engine:
            model = engine.model(Model())
            thread = threading.Thread(
                target=lambda: replies.append(asyncio.run(model.answer(ModelRequest("a"))))
            )

            async def hold_up() -> None:
                thread.start()
                await asyncio.to_thread(thread.join, 0.2)

            blocking(hold_up)
            await asyncio.to_thread(thread.join)
        assert [reply.output for reply in replies if isinstance(reply, ModelReply)] == ["a"]

    def test_a_loop_that_is_over_is_told(self) -> None:
        engine = Engine()
        asked = engine.model(Model())

        async def forget_to_leave() -> None:
            await engine.__aenter__()
            await asked.answer(ModelRequest("a"))

        asyncio.run(forget_to_leave())
        with pytest.raises(UsageError, match="is over"):
            asyncio.run(asked.answer(ModelRequest("b")))
        engine.close()
        assert asyncio.run(asked.answer(ModelRequest("b"))).output == "b"
        engine.close()

    async def test_leaving_it_sees_paid_calls_through(self, tmp_path: Path) -> None:
        out, go_on = asyncio.Event(), asyncio.Event()

        async def slow(request: ModelRequest) -> ModelReply:
            out.set()
            await go_on.wait()
            return await echo(request)

        model = Model(slow)
        with ResponseCache(tmp_path / "replies.sqlite") as cache:
            async with Engine(cache=cache) as engine:
                asking = asyncio.create_task(engine.model(model).answer(ModelRequest("a")))
                await out.wait()
                asking.cancel()
                asyncio.get_running_loop().call_later(0.01, go_on.set)
            async with Engine(cache=cache) as engine:
                assert (await engine.model(model).answer(ModelRequest("a"))).cached
        assert len(model.asked) == 1

    async def test_who_cancels_all_there_is_in_the_loop_may_ask_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even while an answer is being kept: nothing waits for ever after that."""
        writing, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()
        with ResponseCache(tmp_path / "replies.sqlite") as cache:
            put_all = cache.put_all

            def slowly(replies: Any) -> None:
                loop.call_soon_threadsafe(writing.set)
                go_on.wait()
                put_all(replies)

            monkeypatch.setattr(cache, "put_all", slowly)
            async with asyncio.timeout(20), Engine(cache=cache) as engine:
                model = engine.model(Model())
                asking = asyncio.create_task(model.answer(ModelRequest("a")))
                await writing.wait()
                others = asyncio.all_tasks() - {asyncio.current_task()}
                for task in others:
                    task.cancel()
                await asyncio.wait([asking])
                go_on.set()
                replies = [await model.answer(ModelRequest(text)) for text in "ab"]
        assert [reply.output for reply in replies] == ["a", "b"]


@pytest.mark.parametrize("entered", [False, True])
async def test_who_stops_waiting_until_it_is_closed_leaves_no_thread_behind(entered: bool) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow:
        description = "a slow disk"

        def read(self) -> bytes:
            reading.set()
            go_on.wait()
            return picture(1).read()

    engine = Engine()
    if entered:
        await engine.__aenter__()
    asking = asyncio.create_task(engine.model(Model()).answer(ModelRequest("a", (Image(Slow()),))))
    await asyncio.to_thread(reading.wait)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.aclose(), 0.01)
    go_on.set()
    assert (await asking).output == "a"
    async with asyncio.timeout(20):
        while any("vlmops-engine" in thread.name for thread in threading.enumerate()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_work_that_its_loop_does_not_end_is_told_apart_from_work_that_is_cancelled() -> None:
    home = HomeLoop()
    begun = threading.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    cancelled = asyncio.create_task(home.run(endless()))
    await asyncio.to_thread(begun.wait)
    begun.clear()
    left = asyncio.create_task(home.run(endless()))
    await asyncio.to_thread(begun.wait)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await asyncio.to_thread(home.close)
    assert cancelled.cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        await left


async def test_readers_that_are_closed_refuse_what_they_would_never_do() -> None:
    readers = ReaderPool(1, Inbox(asyncio.get_running_loop()))
    readers.close()
    with pytest.raises(RuntimeError, match="closed"):
        await readers.run(lambda: None)


async def test_readers_that_are_closed_bring_what_they_did_last() -> None:
    readers = ReaderPool(1, Inbox(asyncio.get_running_loop()))
    busy, go_on = threading.Event(), threading.Event()

    def first() -> None:
        busy.set()
        go_on.wait()

    running = [asyncio.create_task(readers.run(work)) for work in (first, lambda: None)]
    await asyncio.to_thread(busy.wait)
    closing = asyncio.create_task(asyncio.to_thread(readers.close))
    async with asyncio.timeout(10):
        while not readers._closed:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        go_on.set()
        await asyncio.gather(closing, *running)


async def test_readers_leave_out_what_nobody_waits_for() -> None:
    """Else the pictures of a run that was stopped would all be read first."""
    readers = ReaderPool(1, Inbox(asyncio.get_running_loop()))
    done: list[str] = []
    busy, go_on = threading.Event(), threading.Event()

    def first() -> None:
        busy.set()
        go_on.wait()

    running = asyncio.create_task(readers.run(first))
    left = asyncio.create_task(readers.run(lambda: done.append("left")))
    await asyncio.to_thread(busy.wait)
    left.cancel()
    await asyncio.wait([left])
    go_on.set()
    await running
    await asyncio.to_thread(readers.close)
    assert done == []
