"""Annotations on everything Phoenix lets one annotate: confirmed, replaced by a second write, configured."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from phoenix_process import Phoenix

from vlmops.blocking import blocking
from vlmops.evaluators import Score
from vlmops.platforms import Platform, ScoreReport, ScoreTarget, TargetedScore, connect
from vlmops.testing import picture

pytestmark = pytest.mark.integration

SESSION = "session-of-a-customer"


@pytest.fixture(scope="module")
def project(phoenix_server: Phoenix) -> str:
    """A project with one span in one trace in one session."""
    name = f"scores-{uuid.uuid4().hex[:8]}"
    span = {
        "name": "answer",
        "context": {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16]},
        "span_kind": "LLM",
        "start_time": "2026-01-01T00:00:00Z",
        "end_time": "2026-01-01T00:00:01Z",
        "status_code": "OK",
        "attributes": {"session.id": SESSION, "input.value": "?", "output.value": "!"},
    }
    phoenix_server.post(f"/v1/projects/{name}/spans", json={"data": [span]}).raise_for_status()
    for _ in range(200):
        if phoenix_server.get(f"/v1/projects/{name}/spans").is_success:
            break
        time.sleep(0.05)
    return name


@pytest.fixture
def platform(phoenix_server: Phoenix, project: str) -> Platform:
    return connect("phoenix", url=phoenix_server.url, project=project, media_store=phoenix_server.media_store)


def targets(server: Phoenix, project: str) -> dict[str, ScoreTarget]:
    span = server.get(f"/v1/projects/{project}/spans").json()["data"][0]
    trace_id, span_id = span["context"]["trace_id"], span["context"]["span_id"]
    return {
        "span": ScoreTarget("span", span_id, trace_id),
        "trace": ScoreTarget("trace", trace_id),
        "session": ScoreTarget("session", SESSION),
    }


def write(platform: Platform, *scores: TargetedScore) -> ScoreReport:
    return blocking(lambda: platform.scores.write(scores), platform)


def held(server: Phoenix, project: str, kind: str, target: ScoreTarget) -> dict[str, Any]:
    found = server.get(
        f"/v1/projects/{project}/{kind}_annotations", params={f"{kind}_ids": target.id}
    ).json()["data"]
    return {annotation["name"]: annotation for annotation in found}


@pytest.mark.parametrize("kind", ["span", "trace", "session"])
def test_every_kind_of_target_keeps_the_newest_score_of_a_name(
    platform: Platform, phoenix_server: Phoenix, project: str, kind: str
) -> None:
    target = targets(phoenix_server, project)[kind]
    for value in (0.25, 0.75):
        scores = [
            Score("sharpness", value, "seen", metadata={"n": 3}),
            Score("usable", value > 0.5),
            Score("verdict", "blurred" if value < 0.5 else "sharp", range=None),
            Score("psnr", float("inf"), range=(0.0, float("inf"))),
        ]
        report = write(platform, *(TargetedScore(target, score) for score in scores))
        assert (report.written, report.failures) == (4, [])
    annotations = held(phoenix_server, project, kind, target)
    results = {name: annotation["result"] for name, annotation in annotations.items()}
    assert results["sharpness"]["score"] == 0.75
    assert results["sharpness"]["explanation"] == "seen"
    assert (results["usable"]["score"], results["usable"]["label"]) == (1.0, "pass")
    assert results["verdict"]["label"] == "sharp"
    assert results["psnr"]["label"] == "inf"
    assert annotations["sharpness"]["metadata"] == {"n": 3}


def test_range_and_direction_become_annotation_configs_of_the_project(
    platform: Platform, phoenix_server: Phoenix, project: str
) -> None:
    target = targets(phoenix_server, project)["span"]
    score = Score("blur", 3.0, direction="minimize", range=(0.0, 10.0))
    write(platform, TargetedScore(target, score), TargetedScore(target, Score("ok", True)))
    configs = phoenix_server.get(f"/v1/projects/{project}/annotation_configs").json()["data"]
    found = {config["name"]: config for config in configs}
    assert found["blur"]["type"] == "CONTINUOUS"
    assert found["blur"]["optimization_direction"] == "MINIMIZE"
    assert (found["blur"]["lower_bound"], found["blur"]["upper_bound"]) == (0.0, 10.0)
    assert {value["label"] for value in found["ok"]["values"]} == {"pass", "fail"}


def test_evidence_is_stored_and_linked(platform: Platform, phoenix_server: Phoenix, project: str) -> None:
    target = targets(phoenix_server, project)["span"]
    evidence = picture(5)
    write(platform, TargetedScore(target, Score("overlay", 0.5, evidence=evidence)))
    url = held(phoenix_server, project, "span", target)["overlay"]["metadata"]["evidence"]
    assert phoenix_server.get(url).content == evidence.read()


def test_one_unknown_target_costs_one_score(
    platform: Platform, phoenix_server: Phoenix, project: str
) -> None:
    good = targets(phoenix_server, project)["span"]
    scores = [TargetedScore(good, Score(f"s{i}", 1.0)) for i in range(5)]
    unknown = TargetedScore(ScoreTarget("span", "f" * 16), Score("s", 1.0))
    report = write(platform, *scores[:3], unknown, *scores[3:])
    assert report.written == 5
    assert [failure.id for failure in report.failures] == ["f" * 16]
    assert "do not exist" in report.failures[0].message
