"""vlmops evaluators inside Langfuse's own runner, on items of vlmops and of anyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import judging_models
import langfuse
import pytest
from langfuse import Langfuse

from vlmops.datasets import ImageDataset, Sample
from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, CharacterErrorRate, Score, Usage
from vlmops.judges import Judge, Rubric, YesNo
from vlmops.models import ModelReply
from vlmops.platforms import push
from vlmops.testing import picture
from vlmops.testing.contract import samples
from vlmops_langfuse import as_evaluator, as_mapper, as_run_evaluator

if TYPE_CHECKING:
    from langfuse_server import LangfuseServer
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings

IS_SDK_5 = langfuse.__version__ >= "5"


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Sees the picture, and shows what it saw."""

    name: str = "looks"

    def evaluate(self, case: Case) -> Score:
        first = case.images[0]
        return Score("looks.width", float(first.width), "seen", range=None, evidence=picture(99))


@dataclass(frozen=True, kw_only=True)
class Consumption:
    """Says what is known of time, tokens and money."""

    name: str = "consumption"

    def evaluate(self, case: Case) -> list[Score]:
        usage = case.usage or Usage()
        known = {"latency": case.latency, "tokens": usage.input_tokens, "cost": usage.cost}
        return [Score(name, float(value), range=None) for name, value in known.items() if value is not None]


@pytest.fixture
def client(langfuse_server: LangfuseServer) -> Langfuse:
    return Langfuse(
        public_key=langfuse_server.public_key,
        secret_key=langfuse_server.secret_key,
        base_url=langfuse_server.url,
    )


def answer(*, item: Any, **_: Any) -> Any:
    expected = item.expected_output
    return {"text": expected["text"] if isinstance(expected, dict) else expected}


def test_pushed_items_are_scored_with_their_pictures_in_the_native_runner(
    langfuse_server: LangfuseServer,
    client: Langfuse,
    platform: LangfusePlatform,
    settings: LangfuseSettings,
) -> None:
    push(ImageDataset.from_samples("d", samples(3)), platform)
    result = client.get_dataset("d").run_experiment(
        name="native",
        task=answer,
        evaluators=[as_evaluator(CharacterErrorRate(key="text"), settings), as_evaluator(Looks(), settings)],
        run_evaluators=[as_run_evaluator(CharacterErrorRate(key="text"), settings)],
    )
    client.flush()
    found = {(e.name, e.value) for item in result.item_results for e in item.evaluations}
    assert found == {("cer", 0.0), ("looks.width", 48.0)}
    assert [(each.name, each.value) for each in result.run_evaluations] == [("cer", 0.0)]
    assert {score["name"] for score in langfuse_server.scores} == {"cer", "looks.width"}
    seen = next(score for score in langfuse_server.scores if score["name"] == "looks.width")
    assert seen["metadata"]["evidence"].startswith("@@@langfuseMedia:type=image/png|id=")


def test_items_of_others_are_compared_as_they_are(client: Langfuse, settings: LangfuseSettings) -> None:
    client.create_dataset(name="theirs")
    client.create_dataset_item(dataset_name="theirs", input={"question": "?"}, expected_output="ab")
    result = client.get_dataset("theirs").run_experiment(
        name="native",
        task=lambda *, item, **_: "ac",
        evaluators=[as_evaluator(CharacterErrorRate(), settings)],
    )
    assert [e.value for item in result.item_results for e in item.evaluations] == [0.5]


async def test_failed_answers_and_absent_expectations_give_no_score() -> None:
    score = as_evaluator(CharacterErrorRate())
    assert await score(input="", output={"failure": "refusal", "message": "no"}, expected_output="a") == []
    assert await score(input="", output="a") == []


def test_what_a_task_consumed_is_seen(client: Langfuse, settings: LangfuseSettings) -> None:
    reply = ModelReply("a", "a", usage=Usage(120, 5, 100, 0.01), latency=0.25)
    client.create_dataset(name="theirs")
    client.create_dataset_item(dataset_name="theirs", input={"question": "?"})
    result = client.get_dataset("theirs").run_experiment(
        name="native",
        task=lambda *, item, **_: reply,
        evaluators=[as_evaluator(Consumption(), settings)],
    )
    found = {(e.name, e.value) for item in result.item_results for e in item.evaluations}
    assert found == {("latency", 0.25), ("tokens", 120.0), ("cost", 0.01)}


@pytest.mark.parametrize("langfuse_server", [{"events_only": IS_SDK_5}], indirect=True)
def test_recorded_observations_are_scored_in_batches(
    langfuse_server: LangfuseServer, client: Langfuse, settings: LangfuseSettings
) -> None:
    message = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": picture(3).data_uri()}}],
    }
    with client.start_as_current_observation(name="read", as_type="generation", input=[message]) as span:
        span.update(output="seven", usage_details={"input": 20, "input_image": 100, "output": 1})
        span.update(cost_details={"total": 0.02})
    client.flush()
    # SDK 4 reads through a route that servers no longer have by default.
    newer = {"fields": "core,basic,io,metadata,usage,metrics"}
    result = client.run_batched_evaluation(
        mapper=as_mapper(expected=lambda item: "sevem", settings=settings),
        evaluators=[as_evaluator(each, settings) for each in (CharacterErrorRate(), Looks(), Consumption())],
        **(newer if IS_SDK_5 else {"scope": "observations"}),
    )
    client.flush()
    assert result.total_items_processed == 1
    found = {s["name"]: s["value"] for s in langfuse_server.scores}
    assert 0 <= found.pop("latency") < 10
    assert found == {"cer": 0.2, "looks.width": 48.0, "tokens": 120.0, "cost": 0.02}


def test_a_judge_sees_the_pictures_of_the_native_runner(
    langfuse_server: LangfuseServer,
    client: Langfuse,
    platform: LangfusePlatform,
    settings: LangfuseSettings,
) -> None:
    shown = {"a": judging_models.picture("red"), "b": judging_models.picture("blue")}
    push(
        ImageDataset.from_samples("d", [Sample(name, {"image": each}) for name, each in shown.items()]),
        platform,
    )
    rubric = Rubric("Judge a colour.", (YesNo("right", "Is it the picture's colour?"),))
    model = judging_models.ScriptedModel("right", judging_models.sees)
    judge = Judge(name="colour", model=model, rubric=rubric)
    for name in ("first", "second"):
        client.get_dataset("d").run_experiment(
            name=name, task=lambda *, item, **_: "red", evaluators=[as_evaluator(judge, settings)]
        )
    client.flush()
    given = [score for score in langfuse_server.scores if score["name"] == "colour"]
    assert sorted(score["value"] for score in given) == [0, 0, 1, 1]
    assert {score["dataType"] for score in given} == {"BOOLEAN"}
    assert {score["metadata"]["judge"]["model"] for score in given} == {"scripted"}
    assert {each.sha256 for request in model.requests for each in request.pictures} == {
        each.sha256 for each in shown.values()
    }


def test_an_evaluator_of_single_cases_is_no_run_evaluator() -> None:
    with pytest.raises(EvaluatorError, match="as_evaluator"):
        as_run_evaluator(Looks())  # type: ignore[arg-type]
