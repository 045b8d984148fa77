"""vlmops evaluators inside Langfuse's own runner, on items of vlmops and of anyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import langfuse
import pytest
from langfuse import Langfuse

from vlmops.datasets import ImageDataset
from vlmops.errors import EvaluatorError
from vlmops.evaluators import Case, CharacterErrorRate, Score
from vlmops.platforms import push
from vlmops.testing import picture
from vlmops.testing.contract import samples
from vlmops_langfuse import as_evaluator, as_mapper, as_run_evaluator

if TYPE_CHECKING:
    from langfuse_server import LangfuseServer
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Sees the picture, and shows what it saw."""

    name: str = "looks"

    def evaluate(self, case: Case) -> Score:
        first = case.images[0]
        return Score("looks.width", float(first.width), "seen", range=None, evidence=picture(99))


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


@pytest.mark.skipif(
    langfuse.__version__ < "5", reason="SDK 4 reads through a route that Langfuse no longer has by default"
)
def test_recorded_observations_are_scored_in_batches(
    langfuse_server: LangfuseServer, client: Langfuse, settings: LangfuseSettings
) -> None:
    message = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": picture(3).data_uri()}}],
    }
    with client.start_as_current_observation(name="read", as_type="generation", input=[message]) as span:
        span.update(output="seven")
    client.flush()
    result = client.run_batched_evaluation(
        mapper=as_mapper(expected=lambda item: "sevem", settings=settings),
        evaluators=[as_evaluator(CharacterErrorRate(), settings), as_evaluator(Looks(), settings)],
    )
    client.flush()
    assert result.total_items_processed == 1
    assert {s["name"]: s["value"] for s in langfuse_server.scores} == {"cer": 0.2, "looks.width": 48.0}


def test_an_evaluator_of_single_cases_is_no_run_evaluator() -> None:
    with pytest.raises(EvaluatorError, match="as_evaluator"):
        as_run_evaluator(Looks())  # type: ignore[arg-type]
