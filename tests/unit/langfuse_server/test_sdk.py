"""The real SDK against the server: what it stores is what a user of the SDK asked for."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from langfuse import Evaluation, Langfuse, propagate_attributes
from langfuse.api import NotFoundError
from langfuse.media import LangfuseMedia

from langfuse_server import RECORDED_VERSION, UNKNOWN_ROUTE, LangfuseServer

Connect = Callable[[LangfuseServer], Langfuse]


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients: list[Langfuse] = []

    def connect(server: LangfuseServer) -> Langfuse:
        client = Langfuse(
            public_key=server.public_key,
            secret_key=server.secret_key,
            base_url=server.url,
            flush_interval=0.05,
        )
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.shutdown()


def picture(number: int) -> LangfuseMedia:
    return LangfuseMedia(content_bytes=b"\x89PNG" + bytes([number]), content_type="image/png")


def fill(client: Langfuse, name: str = "folder/shapes") -> None:
    client.create_dataset(name=name, description="three")
    for index in range(3):
        client.create_dataset_item(
            dataset_name=name,
            id=f"{name}-{index}",
            input={"image": picture(index)},
            expected_output={"label": index},
            metadata={"index": index},
        )


def run(client: Langfuse, name: str = "folder/shapes") -> Any:
    def task(*, item: Any, **_: Any) -> dict[str, Any]:
        if item.id.endswith("0"):
            raise RuntimeError("no memory")
        return {"label": 1, "overlay": picture(9)}

    def exact(*, output: Any, expected_output: Any, **_: Any) -> Evaluation:
        return Evaluation(name="exact", value=float(output["label"] == expected_output["label"]), comment="c")

    def accuracy(*, item_results: Any, **_: Any) -> Evaluation:
        return Evaluation(name="accuracy", value=1 / len(item_results))

    result = client.get_dataset(name).run_experiment(
        name="e",
        run_name="r1",
        task=task,
        evaluators=[exact],
        run_evaluators=[accuracy],
        metadata={"model": "m"},
    )
    client.flush()
    return result


def test_dataset_with_pictures(langfuse_server: LangfuseServer, connect: Connect) -> None:
    client = connect(langfuse_server)
    assert client.auth_check()
    fill(client)
    items = client.get_dataset("folder/shapes").items
    assert [item.id[-1] for item in items] == ["2", "1", "0"]
    assert items[2].input["image"].fetch_bytes() == b"\x89PNG\x00"
    assert langfuse_server.count("PUT bucket") == 3
    before = datetime.now(UTC) - timedelta(days=1)
    assert client.get_dataset("folder/shapes", version=before).items == []


def test_experiment(langfuse_server: LangfuseServer, connect: Connect) -> None:
    client = connect(langfuse_server)
    fill(client)
    result = run(client)
    since = datetime.now(UTC) - timedelta(hours=1)
    [experiment] = client.api.experiments.list(from_start_time=since, fields="core,metadata,scores").data
    assert (experiment.id, experiment.name, experiment.item_count) == (result.experiment_id, "r1", 3)
    assert experiment.metadata == {"model": "m"}
    assert [(score.name, score.value) for score in experiment.scores] == [("accuracy", 0.5)]
    fields = "core,dataset,io,itemMetadata,experimentMetadata,scores"
    items = client.api.experiments.list_items(from_start_time=since, fields=fields).data
    states = {
        item.experiment_item_id[-1]: (item.level.value, [s.value for s in item.scores]) for item in items
    }
    assert states == {"0": ("ERROR", []), "1": ("DEFAULT", [1.0]), "2": ("DEFAULT", [0.0])}
    assert "@@@langfuseMedia:type=image/png" in (items[0].input or "")
    assert langfuse_server.count(UNKNOWN_ROUTE) == 0


def test_scores_of_an_experiment_come_with_the_last_written_first(
    api: httpx.Client, langfuse_server: LangfuseServer, connect: Connect
) -> None:
    client = connect(langfuse_server)
    fill(client)
    run_id = run(client).experiment_id
    for name in ("b", "a", "b"):
        langfuse_server.advance(1)
        moment = f"2026-01-0{1 + (name == 'a')}T00:00:00Z"
        score = {"id": name, "name": name, "value": 1, "datasetRunId": run_id, "timestamp": moment}
        api.post("/api/public/scores", json=score)
    since = datetime.now(UTC) - timedelta(hours=1)
    [experiment] = client.api.experiments.list(from_start_time=since, fields="core,scores").data
    assert [score.name for score in experiment.scores] == ["b", "a", "accuracy"]
    by_time = api.get("/api/public/v3/scores", params={"experimentId": run_id}).json()["data"]
    assert [score["name"] for score in by_time] == ["accuracy", "a", "b"]


def test_sdk_5_loses_its_scores_on_the_recorded_version(connect: Connect) -> None:
    with LangfuseServer(version=RECORDED_VERSION) as server:
        client = connect(server)
        fill(client)
        run(client)
        assert server.scores == []
        assert {each.status for each in server.requests if each.route == "POST /api/public/scores"} == {400}
        client.shutdown()


def test_prompts(langfuse_server: LangfuseServer, connect: Connect) -> None:
    client = connect(langfuse_server)
    client.create_prompt(name="a/b", prompt="See {{what}}", labels=["production"], config={"n": 1})
    prompt = client.get_prompt("a/b", cache_ttl_seconds=0)
    assert (prompt.version, prompt.compile(what="this"), prompt.config) == (1, "See this", {"n": 1})
    client.create_prompt(name="a/b", prompt="v2", labels=["staging"])
    client.update_prompt(name="a/b", version=2, new_labels=["production"])
    assert client.get_prompt("a/b", cache_ttl_seconds=0).version == 2
    with pytest.raises(NotFoundError):
        client.get_prompt("none", max_retries=0)


def test_trace_scores_and_comment(langfuse_server: LangfuseServer, connect: Connect) -> None:
    client = connect(langfuse_server)
    with (
        propagate_attributes(user_id="u", session_id="s", tags=["t"]),
        client.start_as_current_observation(
            name="call", as_type="generation", model="gpt-4o-mini", input=[{"image": picture(1)}]
        ) as generation,
    ):
        generation.update(output="a square", usage_details={"input": 10, "output": 2})
        generation.score(name="ok", value=True, data_type="BOOLEAN", comment="yes")
    client.flush()
    [row] = client.api.observations.get_many(fields="core,basic,io,usage,trace_context", user_id="u").data
    assert (row.type, row.session_id, row.tags, row.output) == ("GENERATION", "s", ["t"], "a square")
    assert row.total_cost == pytest.approx(10 * 1.5e-7 + 2 * 6e-7)
    assert langfuse_server.media[next(iter(langfuse_server.media))].usable
    [score] = client.api.scores.get_many(trace_id=row.trace_id, fields="subject,details").data
    assert (score.value, score.comment, score.subject.kind) == (True, "yes", "observation")
    client.api.comments.create(
        project_id="proj-test", object_type="TRACE", object_id=row.trace_id, content="see"
    )
    assert [comment["content"] for comment in langfuse_server.comments] == ["see"]
    query = {
        "view": "scores-boolean",
        "metrics": [{"measure": "count", "aggregation": "count"}],
        "dimensions": [{"field": "name"}],
        "filters": [],
        "fromTimestamp": "2000-01-01T00:00:00Z",
        "toTimestamp": "2100-01-01T00:00:00Z",
    }
    assert client.api.metrics.metrics(query=json.dumps(query)).data == [{"name": "ok", "count_count": 1}]


def test_spans_appear_after_the_delay(connect: Connect) -> None:
    with LangfuseServer(consistency_delay_ms=60_000) as server:
        client = connect(server)
        with client.start_as_current_observation(name="call"):
            pass
        client.flush()
        assert client.api.observations.get_many().data == []
        server.settle()
        assert [row.name for row in client.api.observations.get_many(fields="core,basic").data] == ["call"]
        client.shutdown()
