"""Python functions as models."""

import asyncio
import threading

import pytest

from vlmops.errors import ImageError, UsageError
from vlmops.evaluators import Failure, FailureKind
from vlmops.models import (
    CallableModel,
    Identified,
    ModelReply,
    ModelRequest,
    VersionedCallable,
    create,
    identity_of,
)

SCHEMA = {"type": "object", "required": ["n"]}


def ask(function, request=None, **options):
    return asyncio.run(CallableModel(function, **options).answer(request or ModelRequest("How many?")))


def test_text_json_replies_and_failures_are_taken_as_they_are():
    assert ask(lambda request: f"{request.prompt} 3").output == "How many? 3"
    reply = ask(lambda request: {"n": 3})
    assert (reply.output, reply.text) == ({"n": 3}, '{"n": 3}')
    own = ModelReply(output=1, text="1", model="mine")
    assert ask(lambda request: own) is own
    failure = Failure(FailureKind.REFUSAL, "no")
    assert ask(lambda request: failure) is failure


def test_coroutines_and_threads():
    async def later(request):
        await asyncio.sleep(0)
        return threading.current_thread().name

    class Later:
        async def __call__(self, request):
            return "called"

    here = threading.current_thread().name
    assert ask(later).output == here
    assert ask(lambda request: threading.current_thread().name).output != here
    assert ask(Later()).output == "called"


def test_the_schema_is_held_against_what_is_said():
    request = ModelRequest("?", schema=SCHEMA)
    assert ask(lambda _: '{"n": 3}', request).validity == "valid"
    assert ask(lambda _: '{"n": 3', request).kind is FailureKind.UNPARSABLE
    assert ask(lambda _: '{"n": 3', request, repair=True).validity == "repaired"
    assert ask(lambda _: {"m": 3}, request).kind is FailureKind.SCHEMA_MISMATCH
    assert ask(lambda _: {"n": 3}, request).output == {"n": 3}


def test_what_it_raises_costs_one_answer():
    def broken(request):
        raise RuntimeError("out of memory")

    def unreadable(request):
        raise ImageError("a.png", "is truncated")

    failure = ask(broken, name="net")
    assert failure.kind is FailureKind.TASK_ERROR
    assert failure.message == "net: RuntimeError: out of memory"
    assert ask(unreadable).kind is FailureKind.BAD_IMAGE
    assert ask(lambda _: object()).kind is FailureKind.TASK_ERROR
    assert ask(lambda _: "").kind is FailureKind.MISSING_OUTPUT

    def spoils(request):
        raise UsageError("no such prompt")

    with pytest.raises(UsageError):
        ask(spoils)


def test_only_a_version_lets_answers_be_kept():
    assert not isinstance(CallableModel(str), Identified)
    one, two = (VersionedCallable(str, version=version) for version in "12")
    assert identity_of(one) != identity_of(two)


def test_by_name():
    model = create("callable:json:dumps", version="1")
    assert identity_of(model)["function"] == "json:dumps"
    assert not isinstance(create("callable:json:dumps"), Identified)
    with pytest.raises(UsageError, match="write 'module:function'"):
        create("callable:json")
    with pytest.raises(UsageError, match="cannot be imported: No module named 'nowhere'"):
        create("callable:nowhere:f")
    with pytest.raises(UsageError, match="has no attribute 'gone'"):
        create("callable:json:gone")
    with pytest.raises(UsageError, match="is no function"):
        create("callable:json:__name__")
