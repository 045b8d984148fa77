import httpx
import pytest

from langfuse_server import LangfuseServer

TRACE = "a" * 32


def span(span_id: str, **attributes: str) -> dict[str, object]:
    return {
        "traceId": TRACE,
        "spanId": span_id,
        "name": "call",
        "startTimeUnixNano": "1795340191390983459",
        "endTimeUnixNano": "1795340191402940448",
        "attributes": [
            {"key": key.replace("__", "."), "value": {"stringValue": v}} for key, v in attributes.items()
        ],
    }


def send(api: httpx.Client, *spans: dict[str, object]) -> None:
    export = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}]}]}
    assert api.post("/api/public/otel/v1/traces", json=export).status_code == 200


@pytest.mark.parametrize("path", ["traces", f"traces/{TRACE}", "sessions", "observations", "v2/scores"])
def test_former_routes_are_gone_in_events_only_mode(api: httpx.Client, path: str) -> None:
    answer = api.get(f"/api/public/{path}")
    assert answer.status_code == 404
    assert "events_only mode" in answer.json()["message"]


def test_former_routes_show_the_same_spans() -> None:
    with (
        LangfuseServer(events_only=False) as server,
        httpx.Client(base_url=server.url, auth=(server.public_key, server.secret_key)) as api,
    ):
        send(api, span("b" * 16, session__id="s1", langfuse__observation__input='{"a": 1}'))
        api.post("/api/public/scores", json={"name": "n", "value": "good", "traceId": TRACE})
        trace = api.get(f"/api/public/traces/{TRACE}").json()
        assert (trace["input"], trace["sessionId"], len(trace["observations"])) == ({"a": 1}, "s1", 1)
        assert [each["stringValue"] for each in trace["scores"]] == ["good"]
        assert api.get("/api/public/sessions/s1").json()["traces"][0]["id"] == TRACE
        assert api.get(f"/api/public/observations/{'b' * 16}").json()["traceId"] == TRACE
        assert api.get("/api/public/v2/scores").json()["meta"]["totalItems"] == 1


def test_observations_are_filtered_and_paged(api: httpx.Client) -> None:
    send(api, *(span(f"{digit}" * 16, user__id=f"u{digit % 2}") for digit in range(1, 6)))
    condition = {"type": "string", "column": "userId", "operator": "ends with", "value": "1"}
    query = {"filter": httpx.Response(200, json=[condition]).text, "limit": "2", "fields": "core"}
    first = api.get("/api/public/v2/observations", params=query).json()
    rest = api.get("/api/public/v2/observations", params={**query, "cursor": first["meta"]["cursor"]}).json()
    assert [row["id"][0] for row in first["data"] + rest["data"]] == ["5", "3", "1"]
    assert rest["meta"] == {}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"filter": '[{"type":"string","column":"nope","value":"x"}]'}, "Column nope does not match"),
        ({"filter": "{"}, "Invalid request data"),
        ({"cursor": "nonsense"}, "Invalid cursor format"),
        ({"limit": "1001"}, "Invalid request data"),
        ({"fromStartTime": "today"}, "Invalid request data"),
    ],
)
def test_bad_observation_queries(api: httpx.Client, query: dict[str, str], message: str) -> None:
    answer = api.get("/api/public/v2/observations", params=query)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)


def test_broken_protobuf_is_refused(api: httpx.Client) -> None:
    headers = {"content-type": "application/x-protobuf"}
    answer = api.post("/api/public/otel/v1/traces", content=b"\xff\xff\xff", headers=headers)
    assert answer.status_code == 400
