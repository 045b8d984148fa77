"""What judges saw and said, in the traces of the answers they judged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from judging_models import picture, pieces, saying, sees

from langfuse_server import Fault, LangfuseServer
from langfuse_server.observations import Observation
from vlmops.datasets import ImageDataset, Sample
from vlmops.evaluators import Failure, FailureKind, Usage
from vlmops.experiments import Experiment, ExperimentResult
from vlmops.judges import Judge, Rubric, View, YesNo, publish_prompt
from vlmops.models import ModelReply, ModelRequest
from vlmops.platforms import push
from vlmops_langfuse.references import media_id, parse_reference

if TYPE_CHECKING:
    from vlmops_langfuse import LangfusePlatform

RUBRIC = Rubric("Judge the colour an answer names.", (YesNo("right", "Is it the picture's colour?"),))
COLOURS = {"a": "red", "b": "blue"}


class PaidModel:
    """Decodes the picture it is sent, and says what that cost; refuses every answer that says so."""

    name = "eye"

    def __init__(self) -> None:
        self.shown: list[ModelRequest] = []

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.shown.append(request)
        found = pieces(request)
        usage = Usage(300, 20, 250, 0.004)
        if "refuse" in str(found["ANSWER"]):
            return Failure(FailureKind.REFUSAL, "I would rather not", usage=usage)
        return replace(saying("right", sees(found, request)), usage=usage, model="eye-2")


def judged(platform: LangfusePlatform, model: PaidModel, answers: dict[str, str]) -> ExperimentResult:
    """One answer a sample, judged."""

    async def task(sample: Sample) -> ModelReply:
        return ModelReply(answers[sample.id], answers[sample.id], model="m")

    given = [Sample(name, {"image": picture(COLOURS[name])}) for name in answers]
    assert push(ImageDataset.from_samples("colours", given), platform).ok
    judge = Judge(name="colour", model=model, rubric=RUBRIC, view=View(max_side=80))
    return Experiment("colours", "said", task, [judge]).run(platform)


def calls_on(server: LangfuseServer) -> list[Observation]:
    return [o for o in server.observations if o.type == "GENERATION" and o.name.startswith("judge: ")]


def parts_of(call: Observation) -> list[dict[str, Any]]:
    return json.loads(call.input or "")[-1]["content"]


def test_the_call_stands_below_the_evaluation_with_the_picture_the_judge_saw(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    model = PaidModel()
    result = judged(platform, model, {"a": "red surely"})
    assert [score.value for run in result.record.runs for score in run.results] == [True]
    (call,) = calls_on(langfuse_server)
    (evaluation,) = [o for o in langfuse_server.observations if o.type == "EVALUATOR"]
    assert (call.parent_id, call.trace_id) == (evaluation.id, evaluation.trace_id)
    assert evaluation.start <= call.start <= call.end <= evaluation.end
    assert (call.model, call.environment) == ("eye-2", "sdk-experiment")
    assert call.usage == {"input": 50, "input_image": 250, "output": 20, "total": 320}
    assert call.cost == {"total": 0.004}
    assert json.loads(call.output or "")["right"]["verdict"] == "yes"
    (reference,) = [part["image_url"]["url"] for part in parts_of(call) if part["type"] == "image_url"]
    (seen,) = model.shown[0].pictures
    assert seen.width == 80, "not the dataset's picture, but what the judge was shown"
    named = parse_reference(reference)
    assert named is not None
    assert named.id == media_id(seen.sha256)
    assert langfuse_server.media_bytes(named.id) == seen.read()


def test_a_judge_that_fails_shows_why_and_what_it_took(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    result = judged(platform, PaidModel(), {"a": "refuse this", "b": "blue"})
    kinds = [r.kind for run in result.record.runs for r in run.results if isinstance(r, Failure)]
    assert kinds == [FailureKind.REFUSAL]
    (failed,) = [call for call in calls_on(langfuse_server) if call.level == "ERROR"]
    assert failed.status_message == "refusal: I would rather not"
    assert failed.cost == {"total": 0.004}
    assert any(part["type"] == "image_url" for part in parts_of(failed))


def test_a_picture_that_cannot_be_stored_costs_no_verdict(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    assert push(ImageDataset.from_samples("colours", [Sample("a", {"image": picture("red")})]), platform).ok
    langfuse_server.faults.add(
        Fault("answer", 400, {"message": "not now"}).on("POST /api/public/media", item='"traceId"')
    )
    result = judged(platform, PaidModel(), {"a": "red"})
    assert [score.value for run in result.record.runs for score in run.results] == [True]
    (call,) = calls_on(langfuse_server)
    assert any("could not be stored" in part.get("text", "") for part in parts_of(call))


def test_the_call_is_tied_to_the_version_of_the_judges_prompt(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    assert push(ImageDataset.from_samples("colours", [Sample("a", {"image": picture("red")})]), platform).ok
    judge = publish_prompt(platform, Judge(name="colour", model=PaidModel(), rubric=RUBRIC))

    async def task(sample: Sample) -> ModelReply:
        return ModelReply("red", "red", model="m")

    Experiment("colours", "linked", task, [judge]).run(platform)
    (call,) = calls_on(langfuse_server)
    assert (call.prompt_name, call.prompt_version) == ("colour", 1)
    Experiment(
        "colours", "foreign", task, [replace(judge, prompt={"name": "colour", "version": "UHJv"})]
    ).run(platform)
    assert [each.prompt_version for each in calls_on(langfuse_server)] == [1, None]
