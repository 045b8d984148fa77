"""Tasks: what a model is asked about a sample, and what becomes of its answer."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from vlmops.datasets import Sample
from vlmops.errors import UsageError
from vlmops.evaluators import Failure, FailureKind
from vlmops.experiments import ModelTask, function_task
from vlmops.models import ModelReply, ModelRequest, Turn, recorded_calls
from vlmops.platforms import Prompt, PromptTurn, PromptVersion
from vlmops.testing import picture


@dataclass
class Recorder:
    """Answers one text, and keeps what it was asked."""

    text: str = "7"
    name: str = "recorder"
    asked: list[ModelRequest] = field(default_factory=list)

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.asked.append(request)
        return ModelReply(output=self.text, text=self.text, model=self.name)


@dataclass
class Refuser:
    name: str = "refuser"

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        return Failure(FailureKind.REFUSAL, "I would rather not")


async def test_every_picture_of_the_inputs_is_shown_in_order() -> None:
    model = Recorder()
    inputs = {"pages": [picture(1), picture(2)], "stamp": picture(3)}
    await ModelTask(model, prompt="Read")(Sample("s", inputs, expected={"image": picture(4)}))
    assert model.asked[0].images == (picture(1), picture(2), picture(3))


async def test_the_prompt_is_filled_from_the_inputs() -> None:
    model = Recorder()
    task = ModelTask(model, prompt="How many {what}, at most {limit}?")
    await task(Sample("s", {"what": "coins", "limit": 20, "image": picture(1)}))
    assert model.asked[0].prompt == "How many coins, at most 20?"


def version(*turns: tuple[Any, str]) -> PromptVersion:
    """A prompt as a platform keeps it."""
    said = tuple(PromptTurn(role, text) for role, text in turns)
    return PromptVersion(Prompt("count", said), "3", "p3", "")


async def test_a_prompt_of_a_platform_is_said_turn_by_turn_with_its_slots_filled() -> None:
    model = Recorder()
    prompt = version(("system", "You count {{ what }}."), ("user", 'How many {{what}}? {"n": {limit}}'))
    sample = Sample("s", {"what": "coins", "limit": 20, "image": picture(1)})
    with recorded_calls() as calls:
        await ModelTask(model, prompt)(sample)
    (request,) = model.asked
    assert request.before == (Turn("system", ("You count coins.",)),)
    assert request.prompt == 'How many coins? {"n": {limit}}'
    assert request.images == (picture(1),)
    assert calls[0].prompt == {"name": "count", "version": "3", "template": prompt.text}


async def test_a_prompt_that_ends_with_another_turn_leaves_the_pictures_alone() -> None:
    model = Recorder()
    await ModelTask(model, version(("system", "Count."), ("assistant", "Show me.")))(
        Sample("s", {"question": "not asked", "image": picture(1)})
    )
    assert model.asked[0].prompt is None
    assert [turn.role for turn in model.asked[0].before] == ["system", "assistant"]


async def test_a_slot_that_the_inputs_lack_is_a_failure_of_the_task() -> None:
    failure = await ModelTask(Recorder(), version(("user", "How many {{what}}?")))(Sample("s", {}))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.TASK_ERROR
    assert "'what'" in failure.message


async def test_braces_that_name_no_field_stay_so_that_a_prompt_may_hold_json() -> None:
    model = Recorder()
    await ModelTask(model, prompt='Count {what}. Answer {"n": 0, "seen": [{}]}')(
        Sample("s", {"what": "coins"})
    )
    assert model.asked[0].prompt == 'Count coins. Answer {"n": 0, "seen": [{}]}'


async def test_a_field_that_the_inputs_lack_is_a_failure_that_names_it() -> None:
    model = Recorder()
    answer = await ModelTask(model, prompt="Read the {kind}")(Sample("s", {"image": picture(1)}))
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.TASK_ERROR
    assert "'kind'" in answer.message
    assert not model.asked


@pytest.mark.parametrize("key", ["prompt", "question", "instruction", "instructions"])
async def test_without_a_prompt_the_samples_own_question_is_asked(key: str) -> None:
    model = Recorder()
    await ModelTask(model)(Sample("s", {"image": picture(1), key: "What is this?"}))
    assert model.asked[0].prompt == "What is this?"


async def test_without_any_question_the_model_gets_the_picture_alone() -> None:
    model = Recorder()
    await ModelTask(model)(Sample("s", {"image": picture(1)}))
    assert model.asked[0].prompt is None


async def test_schema_and_parameters_reach_the_model() -> None:
    model = Recorder()
    schema = {"type": "object"}
    await ModelTask(model, schema=schema, parameters={"temperature": 0})(Sample("s", {}))
    assert (model.asked[0].schema, model.asked[0].parameters) == (schema, {"temperature": 0})


async def test_what_post_process_makes_is_the_output_and_the_text_stays() -> None:
    task = ModelTask(Recorder('{"n": 7}'), post_process=lambda reply: json.loads(reply.text)["n"])
    reply = await task(Sample("s", {}))
    assert isinstance(reply, ModelReply)
    assert (reply.output, reply.text, reply.model) == (7, '{"n": 7}', "recorder")


async def test_a_reply_that_cannot_be_read_is_a_failure_that_quotes_it() -> None:
    answer = await ModelTask(Recorder("about seven"), post_process=lambda reply: int(reply.text))(
        Sample("s", {})
    )
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.UNPARSABLE
    assert "about seven" in answer.message


async def test_a_failure_of_the_model_is_passed_on_and_not_processed() -> None:
    def never(reply: ModelReply) -> object:
        raise AssertionError("there is no reply to process")

    answer = await ModelTask(Refuser(), post_process=never)(Sample("s", {}))
    assert answer == Failure(FailureKind.REFUSAL, "I would rather not")


async def test_a_plain_function_runs_away_from_the_event_loop() -> None:
    threads: list[int] = []

    def where(sample: Sample) -> str:
        threads.append(threading.get_ident())
        return sample.id

    reply = await function_task(where)(Sample("s1", {}))
    assert (reply.output, reply.text, reply.model) == ("s1", "s1", "where")
    assert reply.latency is not None
    assert reply.latency >= 0
    assert threads != [threading.get_ident()]


async def test_coroutine_functions_run_side_by_side() -> None:
    both_here = asyncio.Barrier(2)

    async def meet(sample: Sample) -> dict[str, str]:
        await both_here.wait()
        return {"id": sample.id}

    task = function_task(meet)
    first, second = await asyncio.gather(task(Sample("a", {})), task(Sample("b", {})))
    assert (first.output, second.output) == ({"id": "a"}, {"id": "b"})
    assert first.text == ""


async def test_what_a_function_raises_is_left_to_the_runner() -> None:
    def broken(sample: Sample) -> str:
        raise ValueError("no such template")

    with pytest.raises(ValueError, match="no such template"):
        await function_task(broken)(Sample("s", {}))


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"properties": []}, "an object"])
def test_a_schema_that_is_none_is_told_before_anybody_is_asked(schema) -> None:
    with pytest.raises(UsageError):
        ModelTask(Recorder("{}"), schema=schema)
