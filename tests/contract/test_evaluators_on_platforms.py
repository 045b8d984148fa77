"""Every evaluator gives the same scores alone, in vlmops on every platform, and in the platforms' own idioms.

What each evaluator is shown, and must say, stands in ``evaluator_cases``; a new evaluator needs a row there.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from evaluator_cases import LATENCY, ROWS, SAMPLES, USAGE, cases, evaluator, outputs, samples
from phoenix_process import Phoenix

from langfuse_server import LangfuseServer
from vlmops import ImageDataset
from vlmops.datasets import Sample
from vlmops.evaluators import Case, Evaluator, Failure, Score, SetEvaluator, applies, entries, evaluate
from vlmops.experiments import Experiment, ExperimentResult
from vlmops.images import map_images, to_json
from vlmops.models import ModelReply
from vlmops.platforms import Platform, connect, push
from vlmops.testing import MemoryPlatform

Values = dict[str, Any]

EVALUATORS = {name: evaluator(name) for name in ROWS}
OF_CASES = {name: each for name, each in EVALUATORS.items() if isinstance(each, Evaluator)}
OF_SETS = {name: each for name, each in EVALUATORS.items() if isinstance(each, SetEvaluator)}
SCORES = {name: value for row in ROWS.values() for name, value in row.scores.items()}
NUMBERS = {name: value if isinstance(value, str) else float(value) for name, value in SCORES.items()}
SET_SCORES = {name: value for row in ROWS.values() for name, value in row.set_scores.items()}


def listed(result: Any) -> list[Any]:
    return result if isinstance(result, list) else [result]


def given(evaluator: Any, case: Case) -> list[Any]:
    """What an evaluator, sync or async, says of a case."""
    return listed(asyncio.run(evaluate(evaluator, case)))


def alike(found: Any, expected: Any) -> bool:
    """Labels to the letter, numbers as closely as the platforms keep them."""
    if isinstance(expected, str):
        return bool(found == expected)
    return bool(found == pytest.approx(expected, rel=1e-6))


def different(found: Mapping[str, Any], expected: Mapping[str, Any]) -> Values:
    """What is missing, too much or of another value: ``name -> (found, expected)``."""
    return {
        name: (found.get(name), expected.get(name))
        for name in {*found, *expected}
        if name not in found or name not in expected or not alike(found[name], expected[name])
    }


def test_every_evaluator_has_a_row():
    assert {entry.name for entry in entries() if entry.provider == "vlmops"} == set(ROWS)


class TestAlone:
    """Outside of any platform; and what holds of all evaluators alike."""

    @pytest.mark.parametrize("name", ROWS)
    def test_a_case(self, name: str):
        scores = given(EVALUATORS[name], cases()[0])
        assert different({score.name: score.value for score in scores}, ROWS[name].scores) == {}

    @pytest.mark.parametrize("name", OF_SETS)
    def test_a_set(self, name: str):
        scores = listed(OF_SETS[name].evaluate_set(cases()))
        assert different({score.name: score.value for score in scores}, ROWS[name].set_scores) == {}
        assert all(score.failures == 0 for score in scores)

    @pytest.mark.parametrize("name", sorted(set(ROWS) - set(OF_SETS)))
    def test_only_a_set_evaluator_has_values_of_a_set(self, name: str):
        assert ROWS[name].set_scores == {}

    @pytest.mark.parametrize("name", ROWS)
    def test_names_tell_the_evaluator_and_the_part(self, name: str):
        assert EVALUATORS[name].name == name
        every = given(EVALUATORS[name], cases()[0])
        if name in OF_SETS:
            every += listed(OF_SETS[name].evaluate_set(cases()))
        assert every
        assert all(score.name == name or score.name.startswith(f"{name}.") for score in every)

    @pytest.mark.parametrize("name", OF_CASES)
    def test_scores_explain_themselves_and_lie_in_their_range(self, name: str):
        results = [result for case in cases() for result in given(OF_CASES[name], case)]
        assert all(isinstance(result, Score) for result in results)
        for score in results:
            assert score.explanation
            assert "\n" not in score.explanation
            if not isinstance(score.value, str):
                low, high = score.range or (0.0, 0.0)
                assert low <= score.value <= high
            assert not (isinstance(score.value, bool) and score.direction == "minimize"), "a pass is good"

    @pytest.mark.parametrize("name", OF_CASES)
    def test_direction_and_range_do_not_depend_on_the_case(self, name: str):
        of_each = [given(OF_CASES[name], case) for case in cases()]
        kinds = {(score.name, score.direction, score.range) for scores in of_each for score in scores}
        assert len(kinds) == len({score.name for scores in of_each for score in scores})
        assert of_each[0][0].direction == OF_CASES[name].direction

    @pytest.mark.parametrize("name", OF_SETS)
    def test_values_of_a_set_explain_themselves_and_lie_in_their_range(self, name: str):
        for score in listed(OF_SETS[name].evaluate_set(cases())):
            assert score.explanation
            assert "\n" not in score.explanation
            low, high = score.range
            assert low <= score.value <= high

    @pytest.mark.parametrize("name", OF_SETS)
    def test_an_empty_set_is_a_failure_and_no_value(self, name: str):
        failure = OF_SETS[name].evaluate_set([])
        assert isinstance(failure, Failure)
        assert failure.evaluator == name

    @pytest.mark.parametrize("name", ROWS)
    def test_it_applies_to_its_own_cases(self, name: str):
        assert all(applies(EVALUATORS[name], case) for case in cases())


async def answer(sample: Sample) -> ModelReply:
    index = SAMPLES.index(sample.id)
    return ModelReply(outputs(index), "", USAGE[index], LATENCY[index], "a-model")


def dataset_on(platform: Platform) -> str:
    """The name of a dataset with both samples."""
    name = f"evaluators-{uuid.uuid4().hex[:8]}"
    assert push(ImageDataset.from_samples(name, samples()), platform).ok
    return name


class ExperimentContract:
    """One ``vlmops.Experiment`` with every evaluator; a platform gives itself."""

    @pytest.fixture
    def platform(self) -> Platform:
        raise NotImplementedError

    @pytest.fixture
    def result(self, platform: Platform) -> ExperimentResult:
        chosen: Sequence[Any] = list(EVALUATORS.values())
        return Experiment(dataset_on(platform), "every evaluator", answer, chosen).run(platform)

    def test_every_score_arrives_with_its_value(self, result: ExperimentResult):
        first = next(run for run in result.record.runs if run.case.id == SAMPLES[0])
        assert [found for found in first.results if isinstance(found, Failure)] == []
        assert different({found.name: found.value for found in first.results}, SCORES) == {}
        of_sets = {score.name: score.value for score in result.summary.scores}
        assert different({name: of_sets.get(name) for name in SET_SCORES}, SET_SCORES) == {}
        kinds = {found.name: (found.direction, found.range) for found in first.results}
        alone = [score for each in OF_CASES.values() for score in given(each, cases()[0])]
        assert kinds == {score.name: (score.direction, score.range) for score in alone}


class TestInMemory(ExperimentContract):
    @pytest.fixture
    def platform(self) -> Platform:
        return MemoryPlatform()


@pytest.fixture
def own_cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.integration
@pytest.mark.usefixtures("own_cache")
class TestOnPhoenix(ExperimentContract):
    @pytest.fixture
    def platform(self, phoenix_server: Phoenix) -> Platform:
        return connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)


@pytest.mark.integration
@pytest.mark.usefixtures("own_cache")
class TestInPhoenixsIdiom:
    """People who use nothing of vlmops but its evaluators."""

    @pytest.fixture
    def settings(self, phoenix_server: Phoenix) -> Any:
        from vlmops_phoenix.settings import PhoenixSettings

        return PhoenixSettings.resolve(url=phoenix_server.url, media_store=phoenix_server.media_store)

    @pytest.fixture
    def dataset(self, phoenix_server: Phoenix) -> str:
        platform = connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)
        return dataset_on(platform)

    @pytest.fixture
    async def client(self, phoenix_server: Phoenix) -> AsyncIterator[Any]:
        from phoenix.client import AsyncClient

        async with httpx.AsyncClient(base_url=phoenix_server.url) as connection:
            yield AsyncClient(http_client=connection)

    async def test_every_score_arrives_in_one_native_experiment(
        self, client: Any, settings: Any, dataset: str
    ):
        from vlmops_phoenix import as_experiment_evaluator

        experiment = await client.experiments.run_experiment(
            dataset=await client.datasets.get_dataset(dataset=dataset),
            task=native_task,
            evaluators=[as_experiment_evaluator(each, settings) for each in EVALUATORS.values()],
            experiment_name="every evaluator",
            print_summary=False,
        )
        first = next(run["id"] for run in experiment["task_runs"] if run["output"]["of"] == SAMPLES[0])
        found: Values = {}
        for evaluation in experiment["evaluation_runs"]:
            assert evaluation.error is None, (evaluation.name, evaluation.error)
            if evaluation.experiment_run_id == first:
                found[evaluation.name] = said_of(
                    evaluation.result.get("score"), evaluation.result.get("label")
                )
        assert different(found, NUMBERS) == {}

        stored = await client.experiments.get_experiment(experiment_id=experiment["experiment_id"])
        assert len(stored["evaluation_runs"]) == len(experiment["evaluation_runs"])

    async def test_every_evaluator_is_a_native_one(self, client: Any, settings: Any, dataset: str):
        from phoenix.evals import Evaluator as PhoenixEvaluator

        from vlmops_phoenix import as_evaluator

        examples = (await client.datasets.get_dataset(dataset=dataset)).examples
        first = next(example for example in examples if sample_of(example) == SAMPLES[0])
        inputs = {"input": first["input"], "expected": first["output"], "metadata": first["metadata"]}
        found: Values = {}
        for name, each in EVALUATORS.items():
            native = as_evaluator(each, settings)
            assert isinstance(native, PhoenixEvaluator)
            scores = await native.async_evaluate({"output": native_task(first), **inputs})
            assert {score.direction for score in scores} <= {native.direction, "maximize"}, name
            found |= {score.name: said_of(score.score, score.label) for score in scores}
        assert different(found, NUMBERS) == {}


def said_of(number: float | None, label: str | None) -> float | str | None:
    """A label has no number."""
    return label if number is None else number


def native_task(example: Any) -> Values:
    """An answer as JSON, with what it took where vlmops writes it."""
    index = SAMPLES.index(sample_of(example))
    usage = {"input_tokens": USAGE[index].input_tokens, "output_tokens": USAGE[index].output_tokens}
    usage |= {"image_tokens": USAGE[index].image_tokens, "cost": USAGE[index].cost}
    machine = {"model": "a-model", "latency": LATENCY[index], "usage": usage}
    return {"of": SAMPLES[index], "prediction": map_images(outputs(index), to_json), "vision": machine}


def sample_of(example: Any) -> str:
    return str(example["metadata"]["vision"]["id"])


@pytest.fixture
def langfuse_server() -> Iterator[LangfuseServer]:
    with LangfuseServer() as server:
        yield server


class TestOnLangfuse(ExperimentContract):
    @pytest.fixture
    def platform(self, langfuse_server: LangfuseServer) -> Platform:
        return langfuse_platform(langfuse_server)


class TestInLangfusesIdiom:
    """Inside of ``run_experiment`` of Langfuse's SDK, which tells evaluators nothing of tokens and time."""

    def test_every_score_arrives_in_one_native_experiment(self, langfuse_server: LangfuseServer):
        from langfuse import Langfuse

        from vlmops_langfuse import as_evaluator, as_run_evaluator
        from vlmops_langfuse.settings import LangfuseSettings

        name = dataset_on(langfuse_platform(langfuse_server))
        keys = {"public_key": langfuse_server.public_key, "secret_key": langfuse_server.secret_key}
        settings = LangfuseSettings.resolve(langfuse_server.url, **keys)
        client = Langfuse(**keys, base_url=langfuse_server.url)
        result = client.get_dataset(name).run_experiment(
            name="every evaluator",
            task=langfuse_task,
            evaluators=[as_evaluator(each, settings) for each in OF_CASES.values()],
            run_evaluators=[as_run_evaluator(each, settings) for each in OF_SETS.values()],
        )
        client.shutdown()
        first = next(each for each in result.item_results if index_of(each.item) == 0)
        found = {evaluation.name: evaluation.value for evaluation in first.evaluations}
        assert different(found, without_operations(NUMBERS)) == {}
        over_all = {evaluation.name: evaluation.value for evaluation in result.run_evaluations}
        assert different(over_all, without_operations(SET_SCORES)) == {}


def langfuse_platform(server: LangfuseServer) -> Platform:
    return connect("langfuse", url=server.url, public_key=server.public_key, secret_key=server.secret_key)


def langfuse_task(*, item: Any, **_: Any) -> Values:
    answered: Values = map_images(outputs(index_of(item)), lambda picture: picture.data_uri())
    return answered


def index_of(item: Any) -> int:
    return SAMPLES.index(item.metadata["vision"]["id"])


def without_operations(values: Mapping[str, Any]) -> Values:
    return {
        name: value
        for name, value in values.items()
        if name.partition(".")[0] not in ("cost", "image_tokens", "latency", "tokens")
    }
