"""What Langfuse has recorded, with pictures in the place of whatever stands for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from langfuse import Langfuse

from vlmops.evaluators import Case, Failure, Score
from vlmops.platforms import ExecutionQuery, score_executions
from vlmops.testing import picture
from vlmops.testing.contract import executions_on

if TYPE_CHECKING:
    from langfuse_server import LangfuseServer
    from vlmops_langfuse import LangfusePlatform


@pytest.fixture
def client(langfuse_server: LangfuseServer) -> Langfuse:
    return Langfuse(
        public_key=langfuse_server.public_key,
        secret_key=langfuse_server.secret_key,
        base_url=langfuse_server.url,
    )


def record(client: Langfuse, name: str, **fields: Any) -> None:
    with client.start_as_current_observation(name=name, as_type="generation") as span:
        span.update(**fields)
    client.flush()


def test_inputs_hold_pictures_and_outputs_stay_as_answered(
    client: Langfuse, platform: LangfusePlatform
) -> None:
    content = [
        {"type": "text", "text": "Total?"},
        {"type": "image_url", "image_url": {"url": picture(1).data_uri()}},
    ]
    record(
        client,
        "read",
        input=[{"role": "user", "content": content}],
        output="12.50",
        model="m",
        usage_details={"input": 10, "output": 2},
        metadata={"shop": "A"},
    )
    execution = executions_on(platform, ExecutionQuery(name="read"))[0]
    assert execution.case.images[0].read() == picture(1).read()
    assert execution.case.output == "12.50"
    assert execution.case.usage is not None
    assert (execution.case.usage.input_tokens, execution.case.usage.output_tokens) == (10, 2)
    assert execution.case.metadata["model"] == "m"
    assert execution.target.trace_id


def test_answers_in_messages_and_json_are_read_and_errors_are_failures(
    client: Langfuse, platform: LangfusePlatform
) -> None:
    record(client, "message", output={"role": "assistant", "content": "seven"})
    record(client, "json", output={"total": 12.5})
    record(client, "broken", level="ERROR", status_message="the model is gone")
    found = {
        name: executions_on(platform, ExecutionQuery(name=name))[0].case.output
        for name in ("message", "json", "broken")
    }
    assert found["message"] == "seven"
    assert found["json"] == {"total": 12.5}
    assert isinstance(found["broken"], Failure)
    assert found["broken"].message == "the model is gone"


def test_queries_choose(client: Langfuse, platform: LangfusePlatform) -> None:
    for name in ("a", "b", "a"):
        record(client, name, output=name)
    with client.start_as_current_observation(name="a", as_type="tool"):
        pass
    client.flush()
    every = executions_on(platform, ExecutionQuery())
    assert len(every) == 4
    assert [e.started_at for e in every] == sorted((e.started_at for e in every), reverse=True)
    assert len(executions_on(platform, ExecutionQuery(name="a", kind="LLM"))) == 2
    assert len(executions_on(platform, ExecutionQuery(limit=3))) == 3
    chosen = every[0].target.trace_id
    assert {e.target.trace_id for e in executions_on(platform, ExecutionQuery(trace_ids=[chosen]))} == {
        chosen
    }
    later = datetime.now(UTC) + timedelta(hours=1)
    assert executions_on(platform, ExecutionQuery(start=later)) == []
    assert len(executions_on(platform, ExecutionQuery(end=later))) == 4
    assert len(executions_on(platform, ExecutionQuery(project="proj-test"))) == 4
    assert executions_on(platform, ExecutionQuery(project="another-environment")) == []


def test_many_are_read_page_by_page(
    client: Langfuse, platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    for number in range(230):
        client.start_observation(name="many", as_type="generation", output=str(number)).end()
    client.flush()
    assert len(executions_on(platform, ExecutionQuery(name="many"))) == 230
    assert langfuse_server.count("GET /api/public/v2/observations") == 3


def test_a_query_chooses_an_environment(langfuse_server: LangfuseServer, platform: LangfusePlatform) -> None:
    row = {"traceId": "0af7651916cd43dd8448eb211c80319c", "startTimeUnixNano": "1772366400000000000"}
    row |= {"endTimeUnixNano": "1772366401000000000"}
    spans = [
        {
            **row,
            "spanId": f"b7ad6b716920333{number}",
            "name": name,
            "attributes": [{"key": "langfuse.environment", "value": {"stringValue": name}}],
        }
        for number, name in enumerate(("production", "staging"))
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]}
    keys = (langfuse_server.public_key, langfuse_server.secret_key)
    url = f"{langfuse_server.url}/api/public/otel/v1/traces"
    httpx.post(url, json=body, auth=keys).raise_for_status()
    found = executions_on(platform, ExecutionQuery(environment="staging"))
    assert [(execution.name, execution.environment) for execution in found] == [("staging", "staging")]


def test_bulk_scoring_that_was_killed_is_continued_without_doubling(
    client: Langfuse, platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    for number in range(230):
        client.start_observation(name="many", as_type="generation", output=str(number)).end()
    client.flush()

    def killed(done: int) -> None:
        if done == 100:
            raise KeyboardInterrupt

    query = ExecutionQuery(name="many")
    with pytest.raises(KeyboardInterrupt):
        score_executions(platform, query, [Length()], progress=killed)
    assert len(langfuse_server.scores) == 100
    oldest = min(score["timestamp"] for score in langfuse_server.scores)
    rest = replace(query, end=datetime.fromisoformat(oldest))
    assert score_executions(platform, rest, [Length()]).executions < 230
    assert len(langfuse_server.scores) == 230
    report = score_executions(platform, query, [Length()])
    assert (report.executions, report.written, report.failures) == (230, 230, [])
    assert len(langfuse_server.scores) == len({score["observationId"] for score in langfuse_server.scores})
    assert len(langfuse_server.scores) == 230


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long the answer is."""

    name: str = "length"

    def evaluate(self, case: Case) -> Score:
        return Score("length", float(len(str(case.output))), range=None)
