from collections.abc import Iterator

import httpx
import pytest

from langfuse_server import RECORDED_VERSION, LangfuseServer

TRACE = "0" * 32


@pytest.fixture
def older() -> Iterator[LangfuseServer]:
    with LangfuseServer(version=RECORDED_VERSION) as server:
        yield server


def client_of(server: LangfuseServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, auth=(server.public_key, server.secret_key))


def test_older_server_refuses_a_list(older: LangfuseServer) -> None:
    with client_of(older) as api:
        answer = api.post("/api/public/scores", json=[{"name": "a", "value": 1, "traceId": TRACE}])
    assert answer.status_code == 400
    assert answer.json()["error"][0]["message"] == "Invalid input: expected object, received array"
    assert older.scores == []


def test_list_is_taken_in_part(api: httpx.Client, langfuse_server: LangfuseServer) -> None:
    good, bad = {"name": "a", "value": 1, "traceId": TRACE}, {"name": "b", "value": 1}
    assert api.post("/api/public/scores", json=[good]).status_code == 202
    answer = api.post("/api/public/scores", json=[{**good, "id": "x"}, bad])
    assert answer.status_code == 207
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    assert "Provide exactly one" in answer.json()["errors"][0]["message"]
    assert len(langfuse_server.scores) == 2


def test_same_id_and_timestamp_is_an_update(api: httpx.Client, langfuse_server: LangfuseServer) -> None:
    score = {"id": "s", "name": "a", "traceId": TRACE, "timestamp": "2026-01-01T00:00:00Z", "comment": "c"}
    for value in (1, 2):
        api.post("/api/public/scores", json=[{**score, "value": value}])
    [stored] = langfuse_server.scores
    assert (stored["value"], stored["timestamp"]) == (2, "2026-01-01T00:00:00.000Z")


def test_older_server_ignores_the_timestamp(older: LangfuseServer) -> None:
    with client_of(older) as api:
        body = {"name": "a", "value": 1, "traceId": TRACE, "timestamp": "not a time"}
        assert api.post("/api/public/scores", json=body).status_code == 200
    assert not older.scores[0]["timestamp"].startswith("not")


def test_score_outside_its_config_is_dropped_after_success(
    api: httpx.Client, langfuse_server: LangfuseServer
) -> None:
    config = api.post("/api/public/score-configs", json={"name": "c", "dataType": "NUMERIC", "maxValue": 1})
    body = {"id": "s", "name": "c", "value": 2, "traceId": TRACE, "configId": config.json()["id"]}
    assert api.post("/api/public/scores", json=body).json() == {"id": "s"}
    assert langfuse_server.scores == []
    assert [each["id"] for each in langfuse_server.dropped_scores] == ["s"]


def test_config_name_has_35_characters_at_most(api: httpx.Client) -> None:
    for length, status in ((35, 200), (36, 400)):
        body = {"name": "n" * length, "dataType": "TEXT"}
        assert api.post("/api/public/score-configs", json=body).status_code == status


def test_scores_appear_after_the_delay() -> None:
    with LangfuseServer(consistency_delay_ms=60_000) as server, client_of(server) as api:
        api.post("/api/public/scores", json=[{"name": "a", "value": 1, "traceId": TRACE}])
        assert len(server.scores) == 1
        assert api.get("/api/public/v3/scores").json()["data"] == []
        server.settle()
        assert len(api.get("/api/public/v3/scores").json()["data"]) == 1


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"dataType": "numeric", "valueMin": "0.5"}, ["b"]),
        ({"dataType": "CATEGORICAL", "value": "good"}, ["c"]),
        ({"name": "a,c"}, ["c", "a"]),
        ({"traceId": TRACE, "observationId": "o"}, ["b"]),
    ],
)
def test_v3_filters(api: httpx.Client, query: dict[str, str], names: list[str]) -> None:
    for index, (name, value, more) in enumerate(
        [("a", 0.1, {}), ("b", 0.9, {"observationId": "o"}), ("c", "good", {})]
    ):
        moment = f"2026-01-01T00:00:0{index}Z"
        body = {"name": name, "value": value, "traceId": TRACE, "timestamp": moment, **more}
        api.post("/api/public/scores", json=body)
    found = api.get("/api/public/v3/scores", params=query).json()["data"]
    assert [each["name"] for each in found] == names


def test_body_over_a_megabyte_is_refused(api: httpx.Client) -> None:
    answer = api.post("/api/public/scores", json={"name": "n" * 1_100_000})
    assert (answer.status_code, answer.text) == (413, "Body exceeded 1mb limit")
