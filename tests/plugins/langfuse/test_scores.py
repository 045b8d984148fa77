"""Scores on Langfuse: only what can be read back counts as written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from langfuse_server import RECORDED_VERSION, Fault, LangfuseServer
from vlmops.blocking import blocking
from vlmops.errors import PlatformError, UsageError
from vlmops.evaluators import Score
from vlmops.platforms.records import ScoreTarget, TargetedScore
from vlmops.testing import picture
from vlmops_langfuse import LangfusePlatform
from vlmops_langfuse.references import reference_to
from vlmops_langfuse.settings import LangfuseSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.platforms import ScoreReport

TRACE, SPAN, RUN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "59b53c58bcb31485"
VERSIONS = pytest.mark.parametrize("version", ["4.59.0", RECORDED_VERSION])
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server(start_langfuse: Callable[..., LangfuseServer], version: str) -> LangfuseServer:
    server = start_langfuse(version=version)
    record_span(server)
    return server


@pytest.fixture
def platform(server: LangfuseServer, connect_to: Callable[..., LangfusePlatform]) -> LangfusePlatform:
    return connect_to(server)


def record_span(server: LangfuseServer) -> None:
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "read",
        "startTimeUnixNano": "1772366400000000000",
        "endTimeUnixNano": "1772366401000000000",
        "attributes": [{"key": "session.id", "value": {"stringValue": "user-7"}}],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "test"}, "spans": [span]}]}]}
    url = f"{server.url}/api/public/otel/v1/traces"
    httpx.post(url, json=body, auth=(server.public_key, server.secret_key)).raise_for_status()


def on_span(score: Score, at: datetime | None = AT) -> TargetedScore:
    return TargetedScore(ScoreTarget("span", SPAN, TRACE), score, timestamp=at)


def write(platform: LangfusePlatform, *scores: TargetedScore) -> ScoreReport:
    return blocking(lambda: platform.scores.write(scores), platform)


@VERSIONS
def test_every_kind_of_value_on_every_kind_of_target(
    platform: LangfusePlatform, server: LangfuseServer
) -> None:
    values: Sequence[Score] = [
        Score("number", 0.25, "a quarter"),
        Score("passed", True),
        Score("defect", "scratch", range=None),
        Score("remark", "first line\nsecond line", range=None),
        Score("undefined", float("nan")),
    ]
    targets = [
        ScoreTarget("span", SPAN, TRACE),
        ScoreTarget("trace", TRACE),
        ScoreTarget("session", "user-7"),
        ScoreTarget("run", "59b53c58bcb31485"),
    ]
    report = write(platform, *(TargetedScore(target, s) for target in targets for s in values))
    assert (report.written, report.failures) == (20, [])
    held = {(s["name"], s["dataType"], s["value"]) for s in server.scores}
    assert held == {
        ("number", "NUMERIC", 0.25),
        ("passed", "BOOLEAN", True),
        ("defect", "CATEGORICAL", "scratch"),
        ("remark", "TEXT", "first line\nsecond line"),
        ("undefined", "CATEGORICAL", "nan"),
    }
    keys = ("traceId", "observationId", "sessionId", "datasetRunId")
    subjects = {tuple(score[key] for key in keys) for score in server.scores}
    assert subjects == {
        (TRACE, SPAN, None, None),
        (TRACE, None, None, None),
        (None, None, "user-7", None),
        (None, None, None, "59b53c58bcb31485"),
    }


@VERSIONS
@pytest.mark.parametrize("at", [AT, None])
def test_writing_again_updates(
    platform: LangfusePlatform, server: LangfuseServer, at: datetime | None
) -> None:
    write(platform, on_span(Score("cer", 0.5), at))
    report = write(platform, on_span(Score("cer", 0.25, "better"), at))
    assert report.written == 1
    assert [(s["value"], s["comment"]) for s in server.scores] == [(0.25, "better")]


@VERSIONS
def test_the_way_that_works_is_found_once(
    platform: LangfusePlatform, server: LangfuseServer, version: str
) -> None:
    write(platform, *(on_span(Score(f"m{i}", float(i), range=None)) for i in range(120)))
    lists = [r for r in server.requests if r.route == "POST /api/public/scores" and isinstance(r.body, list)]
    singles = [
        r for r in server.requests if r.route == "POST /api/public/scores" and isinstance(r.body, dict)
    ]
    assert (len(lists), len(singles)) == ((1, 120) if version == RECORDED_VERSION else (3, 0))
    assert len(server.scores) == 120


@VERSIONS
def test_a_score_the_server_drops_in_silence_is_no_written_score(
    platform: LangfusePlatform, server: LangfuseServer
) -> None:
    first = Score("cer", 0.5)
    blocking(lambda: platform.scores.create_configs([first]), platform)
    report = write(platform, on_span(first), on_span(Score("other", 1.0)))
    assert report.written == 2
    late = TargetedScore(ScoreTarget("trace", TRACE), Score("cer", 1.5), timestamp=AT)
    report = write(platform, late, on_span(Score("fine", 1.0)))
    assert report.written == 1
    assert [failure.id for failure in report.failures] == [TRACE]
    assert "does it fit its score config?" in report.failures[0].message
    assert [dropped["value"] for dropped in server.dropped_scores] == [1.5]


@VERSIONS
def test_bad_scores_do_not_cost_their_neighbours(platform: LangfusePlatform, server: LangfuseServer) -> None:
    long_text = Score("remark", "x" * 501, range=None)
    unnamed = Score("", 1.0)
    no_trace = TargetedScore(ScoreTarget("span", SPAN), Score("cer", 1.0))
    gone = TargetedScore(ScoreTarget("trace", "f" * 32), Score("cer", 1.0))
    report = write(
        platform, on_span(long_text), on_span(unnamed), no_trace, gone, on_span(Score("good", 1.0))
    )
    assert report.written == 1
    assert [score["name"] for score in server.scores] == ["good"]
    said = " ".join(failure.message for failure in report.failures)
    for reason in ("501 characters", "trace's id", "no such trace"):
        assert reason in said
    assert len(report.failures) == 4


def test_scores_wait_for_a_slow_ingestion(
    start_langfuse: Callable[..., LangfuseServer], connect_to: Callable[..., LangfusePlatform]
) -> None:
    slow = start_langfuse(consistency_delay_ms=300)
    record_span(slow)
    report = write(connect_to(slow), on_span(Score("cer", 0.5)))
    assert (report.written, report.failures) == (1, [])


@VERSIONS
def test_scores_survive_faults(platform: LangfusePlatform, server: LangfuseServer) -> None:
    for fault in (Fault.rate_limit(), Fault.error(500, applied=True), Fault.refuse(), Fault.disconnect()):
        server.faults.add(fault.on(rate=0.08))
    report = write(platform, *(on_span(Score(f"m{i}", float(i), range=None)) for i in range(80)))
    assert (report.written, report.failures) == (80, [])
    assert sorted(score["value"] for score in server.scores) == [float(i) for i in range(80)]


@VERSIONS
def test_evidence_is_stored_first_and_named_in_the_metadata(
    platform: LangfusePlatform, server: LangfuseServer
) -> None:
    overlay = picture(5)
    write(platform, on_span(Score("iou", 0.5, evidence=overlay)))
    assert server.scores[0]["metadata"]["evidence"] == reference_to(overlay)
    record = next(iter(server.media.values()))
    assert record.usable
    assert record.links[0]["observationId"] == SPAN
    routes = [request.route for request in server.requests]
    assert routes.index("POST /api/public/scores") > routes.index("PATCH /api/public/media/{mediaId}")


@pytest.mark.parametrize("version", ["4.59.0"])
def test_pictures_can_be_shown_as_a_comment(platform: LangfusePlatform, server: LangfuseServer) -> None:
    target = ScoreTarget("trace", TRACE)
    for _ in range(2):
        blocking(lambda: platform.scores.show_pictures(target, [picture(1), picture(2)]), platform)
    said = [comment["content"] for comment in server.comments]
    assert said == [f"{reference_to(picture(1))}\n\n{reference_to(picture(2))}"]
    run, gone = ScoreTarget("run", RUN), ScoreTarget("trace", "f" * 32)
    with pytest.raises(UsageError, match="no comments on experiments"):
        blocking(lambda: platform.scores.show_pictures(run, [picture(1)]), platform)
    with pytest.raises(PlatformError, match="no such trace"):
        blocking(lambda: platform.scores.show_pictures(gone, [picture(1)]), platform)


@VERSIONS
def test_evidence_and_configs_go_along_with_scores_where_asked(server: LangfuseServer) -> None:
    settings = LangfuseSettings.resolve(
        server.url,
        server.public_key,
        server.secret_key,
        visible_within=2.0,
        score_configs=True,
        evidence_comments=True,
    )
    platform = LangfusePlatform(settings)
    seen = Score("iou", 0.5, evidence=picture(5))
    targets = [ScoreTarget("span", SPAN, TRACE), ScoreTarget("session", "user-7"), ScoreTarget("run", RUN)]
    for _ in range(2):
        report = write(platform, *(TargetedScore(target, seen, timestamp=AT) for target in targets))
        assert (report.written, report.failures) == (3, [])
    assert {score["metadata"]["evidence"] for score in server.scores} == {reference_to(picture(5))}
    assert {score["configId"] for score in server.scores} == {server_config(server)}
    commented = [(comment["objectType"], comment["content"]) for comment in server.comments]
    assert commented == [(kind, reference_to(picture(5))) for kind in ("OBSERVATION", "SESSION")]


def server_config(server: LangfuseServer) -> str:
    made = [r for r in server.requests if r.route == "POST /api/public/score-configs"]
    assert [(each.body["name"], each.body["minValue"], each.body["maxValue"]) for each in made] == [
        ("iou", 0.0, 1.0)
    ]
    keys = (server.public_key, server.secret_key)
    return httpx.get(f"{server.url}/api/public/score-configs", auth=keys).json()["data"][0]["id"]


@pytest.mark.parametrize("version", ["4.59.0"])
def test_score_configs_are_made_once_and_their_names_are_short(
    platform: LangfusePlatform, server: LangfuseServer
) -> None:
    scores = [Score("cer", 0.5), Score("passed", True), Score("label", "a", range=None)]
    for _ in range(2):
        blocking(lambda: platform.scores.create_configs(scores), platform)
    assert server.count("POST /api/public/score-configs") == 2
    with pytest.raises(UsageError, match="36 characters"):
        blocking(lambda: platform.scores.create_configs([Score("x" * 36, 1.0)]), platform)


@pytest.mark.parametrize("version", ["4.59.0"])
def test_a_score_by_a_person_is_an_annotation(platform: LangfusePlatform, server: LangfuseServer) -> None:
    score = Score("passed", True)
    blocking(lambda: platform.scores.create_configs([score]), platform)
    target = ScoreTarget("span", SPAN, TRACE)
    assert write(platform, TargetedScore(target, score, annotator="HUMAN")).written == 1
    assert server.scores[0]["source"] == "ANNOTATION"
