"""The generation of an answer shows what the model was asked, the item at the root what the dataset holds."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from langfuse_server import Fault, LangfuseServer
from vlmops import Experiment, ImageDataset, Sample, function_task, push
from vlmops.evaluators import Case, Failure, FailureKind, Usage
from vlmops.experiments import ModelTask
from vlmops.models import ModelReply, ModelRequest, Turn, ask
from vlmops.platforms import Prompt, PromptTurn, PromptVersion
from vlmops.testing import picture
from vlmops_langfuse.references import media_id, parse_reference

if TYPE_CHECKING:
    from langfuse_server.observations import Observation
    from vlmops.experiments import ExperimentResult
    from vlmops_langfuse import LangfusePlatform

MEDIA = "POST /api/public/media"


class Reader:
    """Reads the pictures it is shown, and says what that cost."""

    name = "reader"

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        assert all(image.width for image in request.pictures)
        usage = Usage(120, 5, 100, 0.01)
        if "refuse" in (request.prompt or ""):
            return Failure(FailureKind.REFUSAL, "I would rather not", usage=usage)
        return ModelReply("12.50", "12.50", usage, 0.5, "reader-1")


@pytest.fixture
def pushed(platform: LangfusePlatform) -> LangfusePlatform:
    samples = [
        Sample(f"r{n}", {"image": picture(n), "question": "What is the total?"}, expected="12.50")
        for n in range(2)
    ]
    assert push(ImageDataset.from_samples("receipts", samples), platform).ok
    return platform


def run(platform: LangfusePlatform, task: Any, **options: Any) -> ExperimentResult:
    return Experiment("receipts", "read", task, **options).run(platform)


def generations(server: LangfuseServer) -> list[Observation]:
    return [each for each in server.observations if each.type == "GENERATION"]


def asked(generation: Observation) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(generation.input or "")
    return messages


def texts(generation: Observation) -> list[str]:
    return [part["text"] for turn in asked(generation) for part in turn["content"] if part["type"] == "text"]


def drawn(generation: Observation) -> list[str]:
    """Media ids of the pictures, each a reference string and nothing else."""
    urls = [
        part["image_url"]["url"]
        for turn in asked(generation)
        for part in turn["content"]
        if part["type"] == "image_url"
    ]
    found = [parse_reference(url) for url in urls]
    assert None not in found
    return [each.id for each in found if each is not None]


def test_the_prompt_as_it_was_sent_is_shown_with_its_picture(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    task = ModelTask(Reader(), "Read {question} Answer with a number.", parameters={"temperature": 0})
    langfuse_server.clear_log()
    run(pushed, task)
    found = generations(langfuse_server)
    assert [texts(each) for each in found] == [["Read What is the total? Answer with a number."]] * 2
    assert sorted(id_ for each in found for id_ in drawn(each)) == sorted(
        media_id(picture(n).sha256) for n in range(2)
    )
    assert [asked(each)[0]["role"] for each in found] == ["user"] * 2
    assert langfuse_server.count(MEDIA) == 0, "pictures of the dataset are stored"
    for each in found:
        assert (each.model, each.output) == ("reader-1", "12.50")
        assert (each.usage["input"], each.usage["input_image"]) == (20, 100)
        assert each.model_parameters == {"temperature": 0}
        assert "base64" not in (each.input or "")


def test_the_item_keeps_its_own_input(pushed: LangfusePlatform, langfuse_server: LangfuseServer) -> None:
    run(pushed, ModelTask(Reader(), "Describe it."))
    spans = [each for each in langfuse_server.observations if each.experiment]
    items = [each for each in spans if each.id == each.experiment.root_observation_id]
    assert len(items) == 2
    assert all("What is the total?" in (each.input or "") for each in items)
    assert all("Describe it." not in (each.input or "") for each in items)
    assert [texts(each) for each in generations(langfuse_server)] == [["Describe it."]] * 2


def test_every_turn_is_shown_and_its_pictures_are_stored_once(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    example = picture(77)

    async def task(sample: Sample) -> Any:
        before = (
            Turn("system", ("Be brief.",)),
            Turn("user", ("Like this:", example, "is")),
            Turn("assistant", ("9.80",)),
        )
        return await ask(Reader(), ModelRequest("And now?", (sample.inputs["image"],), before=before))

    langfuse_server.clear_log()
    run(pushed, task)
    for each in generations(langfuse_server):
        assert [turn["role"] for turn in asked(each)] == ["system", "user", "assistant", "user"]
        assert texts(each) == ["Be brief.", "Like this:", "is", "9.80", "And now?"]
        kinds = [part["type"] for part in asked(each)[1]["content"]]
        assert kinds == ["text", "image_url", "text"]
        assert drawn(each)[0] == media_id(example.sha256)
    assert langfuse_server.media_bytes(media_id(example.sha256)) == example.read()
    assert langfuse_server.count("PUT bucket") == 1
    places = [each.body for each in langfuse_server.requests if each.route == MEDIA]
    assert {(each["field"], each["traceId"], each["observationId"]) for each in places} == {
        ("input", each.trace_id, each.id) for each in generations(langfuse_server)
    }


def test_the_prompt_of_the_platform_is_linked(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async def task(sample: Sample) -> Any:
        return await ask(Reader(), ModelRequest("Total?"), {"name": "totals", "version": "3"})

    run(pushed, task)
    links = {(each.prompt_name, each.prompt_version) for each in generations(langfuse_server)}
    assert links == {("totals", 3)}


def test_a_variant_asked_by_a_prompt_of_langfuse_is_linked_to_its_version(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    turns = (PromptTurn("system", "Be exact."), PromptTurn("user", "Read {{question}}"))

    async def fetched() -> PromptVersion:
        async with pushed:
            await pushed.prompts.publish(Prompt("reading/total", turns))
            return await pushed.prompts.fetch("reading/total")

    run(pushed, ModelTask(Reader(), asyncio.run(fetched())))
    for each in generations(langfuse_server):
        assert (each.prompt_name, each.prompt_version) == ("reading/total", 1)
        assert texts(each)[0] == "Be exact."


def test_what_was_refused_is_shown_as_it_was_asked(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    result = run(pushed, ModelTask(Reader(), "refuse this"))
    assert result.summary.failures == {FailureKind.REFUSAL: 2}
    for each in generations(langfuse_server):
        assert (texts(each), each.level, each.model) == (["refuse this"], "WARNING", "reader")
        assert each.usage["input_image"] == 100


def test_a_picture_that_cannot_be_stored_costs_no_answer(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    async def task(sample: Sample) -> Any:
        return await ask(Reader(), ModelRequest("And this?", (picture(78),)))

    refusal = Fault("answer", 400, {"message": "no pictures of that kind"})
    langfuse_server.faults.add(refusal.on(MEDIA))
    result = run(pushed, task)
    assert result.summary.failures == {}
    for each in generations(langfuse_server):
        assert [part["type"] for part in asked(each)[0]["content"]] == ["text", "text"]
        assert "could not be stored" in texts(each)[1]


async def asks_twice(sample: Sample) -> Any:
    await ask(Reader(), ModelRequest("Where is it?"))
    return await ask(Reader(), ModelRequest("And what is it?"))


@pytest.mark.parametrize("task", [function_task(lambda sample: "12.50"), asks_twice])
def test_of_other_tasks_the_item_is_shown(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer, task: Any
) -> None:
    run(pushed, task)
    assert [texts(each) for each in generations(langfuse_server)] == [["What is the total?"]] * 2


def test_words_that_break_off_within_a_character_are_shown_and_cost_no_span(
    pushed: LangfusePlatform, langfuse_server: LangfuseServer, caplog: pytest.LogCaptureFixture
) -> None:
    class BreaksOff(Reader):
        async def answer(self, request: ModelRequest) -> ModelReply | Failure:
            return ModelReply("12 \ud83d", "12 \ud83d", model="reader-1")

    @dataclass(frozen=True)
    class Judge:
        name: str = "judge"

        async def evaluate(self, case: Case) -> Failure:
            await ask(BreaksOff(), ModelRequest("Is it right? \ud83d"))
            return Failure(FailureKind.UNPARSABLE, "no verdict in 12 \ud83d", self.name)

    run(pushed, ModelTask(BreaksOff(), "Read \ud83d"), evaluators=[Judge()])
    by_name: dict[str, list[Observation]] = {}
    for each in langfuse_server.observations:
        by_name.setdefault(each.name, []).append(each)
    assert [len(by_name[name]) for name in ("read", "judge", "judge: reader")] == [2, 2, 2]
    for each in by_name["read"]:
        assert (texts(each), each.output) == (["Read \ufffd"], "12 \ufffd")
    for each in by_name["judge: reader"]:
        assert (texts(each), each.output) == (["Is it right? \ufffd"], "12 \ufffd")
    assert {each.status_message for each in by_name["judge"]} == {"unparsable: no verdict in 12 \ufffd"}
    assert "encode" not in caplog.text
