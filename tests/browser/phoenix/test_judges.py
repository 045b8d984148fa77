"""The trace of a judge's evaluation draws what the judge saw, in the span of its own call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from judging_models import picture, pieces, saying, sees
from phoenix_process import Phoenix
from playwright.sync_api import Page

from vlmops import Experiment, ImageDataset, Sample, connect, function_task, push
from vlmops.evaluators import Case, Failure, Score, Usage
from vlmops.experiments import ExperimentResult
from vlmops.images import Image
from vlmops.judges import Judge, JudgedExample, Rubric, View, YesNo
from vlmops.models import ModelReply, ModelRequest

pytestmark = pytest.mark.browser

NAME = "judged"
RUBRIC = Rubric("Judge the colour an answer names.", (YesNo("right", "Is it the picture's colour?"),))
WORKED_EXAMPLE = JudgedExample(
    Case("green", inputs={"image": picture("green")}),
    {"right": {"reason": "The middle is green.", "verdict": "yes", "confidence": "high"}},
)
DRAWN = """
() => [...document.querySelectorAll('img')]
    .filter(image => image.naturalWidth > 0)
    .map(image => image.getAttribute('src') || '')
    .filter(source => source.includes('/vlmops/media/'))
"""


class Eye:
    """Decodes the picture it is sent."""

    name = "eye"

    def __init__(self) -> None:
        self.shown: list[Image] = []

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.shown += request.pictures
        reply = saying("right", sees(pieces(request), request), "The middle of the picture decides.")
        return replace(reply, usage=Usage(300, 20), model="eye-2")


@dataclass(frozen=True)
class Judged:
    """An experiment whose answers were judged, what the judge was shown, and its spans in Phoenix."""

    result: ExperimentResult
    shown: list[Image]
    project: str
    spans: list[dict[str, Any]]

    def named(self, beginning: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"].startswith(beginning)]


@pytest.fixture(scope="module")
def judged(phoenix_server: Phoenix, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    eye = Eye()
    judge = Judge(name="colour", model=eye, rubric=RUBRIC, view=View(max_side=80), examples=(WORKED_EXAMPLE,))
    platform = connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLMOPS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        samples = [Sample("s", {"image": picture("red"), "question": "Which colour?"})]
        assert push(ImageDataset.from_samples(NAME, samples), platform).ok
        result = Experiment(NAME, "said", function_task(lambda sample: "red surely"), [judge]).run(platform)
    experiment = phoenix_server.get(f"/v1/experiments/{result.record.id}").json()["data"]
    name = experiment["project_name"]
    project = phoenix_server.get(f"/v1/projects/{name}").json()["data"]["id"]
    spans = phoenix_server.get(f"/v1/projects/{name}/spans", params={"limit": 100}).json()["data"]
    return Judged(result, eye.shown, project, spans)


def test_the_verdict_is_a_score_that_a_model_gave(judged: Judged, phoenix_server: Phoenix) -> None:
    (score,) = judged.result.record.runs[0].results
    assert isinstance(score, Score)
    assert (score.name, score.value) == ("colour", True)
    exported = phoenix_server.get(f"/v1/experiments/{judged.result.record.id}/json").json()
    (annotation,) = exported[0]["annotations"]
    assert annotation["annotator_kind"] == "LLM"
    assert annotation["trace_id"] == judged.named("Evaluation: ")[0]["context"]["trace_id"]


def test_the_call_stands_below_the_evaluation(judged: Judged) -> None:
    (evaluation,), (call,) = judged.named("Evaluation: colour"), judged.named("Judge: eye")
    assert call["parent_id"] == evaluation["context"]["span_id"]
    assert (call["span_kind"], evaluation["span_kind"]) == ("LLM", "EVALUATOR")
    assert call["attributes"]["llm.token_count.prompt"] == 300


def test_the_judges_own_span_draws_every_picture_it_saw(
    page: Page, judged: Judged, phoenix_server: Phoenix
) -> None:
    (call,) = judged.named("Judge: eye")
    trace = call["context"]["trace_id"]
    page.goto(
        f"{phoenix_server.url}/projects/{judged.project}/traces/{trace}?selectedSpanNodeId={call['id']}"
    )
    wanted = [image.sha256 for image in judged.shown]
    assert len(wanted) == 2, "the worked example's picture and the case's"
    page.wait_for_function(f"count => ({DRAWN})().length >= count", arg=len(wanted))
    drawn = page.evaluate(DRAWN)
    assert all(any(sha256 in source for source in drawn) for sha256 in wanted)
    assert {image.width for image in judged.shown} == {80}, "not the dataset's, but as the judge saw them"
