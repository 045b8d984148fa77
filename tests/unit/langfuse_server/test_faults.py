import asyncio

import httpx
import pytest

from langfuse_server import UNKNOWN_ROUTE, Fault, LangfuseServer

ITEMS = "POST /api/public/dataset-items"


def client_of(server: LangfuseServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, auth=(server.public_key, server.secret_key))


def create(api: httpx.Client, name: str) -> httpx.Response:
    return api.post("/api/public/v2/datasets", json={"name": name})


def test_rate_limit_strikes_as_often_as_asked() -> None:
    fault = Fault.rate_limit(retry_after=7).on("POST *", times=2)
    with LangfuseServer(faults=[fault]) as server, client_of(server) as api:
        answers = [create(api, "d") for _ in range(3)]
    assert [each.status_code for each in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].headers["x-ratelimit-remaining"] == "0"
    assert answers[0].json()["details"]["retryAfterSeconds"] == 7


def test_rate_is_the_same_for_the_same_seed() -> None:
    def statuses(seed: int) -> list[int]:
        with (
            LangfuseServer(faults=[Fault.error(503).on(rate=0.5)], seed=seed) as server,
            client_of(server) as api,
        ):
            return [api.get("/api/public/health").status_code for _ in range(20)]

    assert statuses(1) == statuses(1) != statuses(2)


def test_one_item_fails_for_good() -> None:
    with LangfuseServer(faults=[Fault.error().on(ITEMS, item='"bad"')]) as server, client_of(server) as api:
        create(api, "d")
        for item_id, status in (("good", 200), ("bad", 500), ("bad", 500)):
            body = {"datasetName": "d", "id": item_id}
            assert api.post("/api/public/dataset-items", json=body).status_code == status
        assert [item["id"] for item in server.items("d")] == ["good"]


@pytest.mark.parametrize(
    ("fault", "stored"),
    [
        (Fault.refuse(), False),
        (Fault.disconnect(), True),
    ],
)
def test_lost_connection(fault: Fault, stored: bool) -> None:
    with LangfuseServer(faults=[fault.on("POST *", times=1)]) as server, client_of(server) as api:
        with pytest.raises(httpx.TransportError):
            create(api, "d")
        assert ("d" in server.datasets) is stored
        assert create(api, "d").status_code == 200


def test_late_error_hides_a_success() -> None:
    with LangfuseServer(faults=[Fault.error(504, applied=True)]) as server, client_of(server) as api:
        assert create(api, "d").status_code == 504
        assert "d" in server.datasets


def test_after_lets_some_pass() -> None:
    with LangfuseServer(faults=[Fault.error().on(after=1)]) as server, client_of(server) as api:
        assert [create(api, "d").status_code for _ in range(3)] == [200, 500, 500]
        server.faults.clear()
        assert create(api, "d").status_code == 200


def test_bucket_has_faults_too() -> None:
    with LangfuseServer(faults=[Fault.error(503).on("PUT bucket")]) as server:
        assert httpx.put(server.project.bucket.url + "/x").status_code == 503
        assert httpx.get(server.project.bucket.url + "/x").status_code == 403


async def test_requests_are_counted_and_so_is_concurrency() -> None:
    with LangfuseServer(latency_ms=200) as server:
        async with httpx.AsyncClient(base_url=server.url) as api:
            await asyncio.gather(*(api.get("/api/public/health") for _ in range(4)))
            await api.get("/api/public/nothing")
    assert server.counts() == {"GET /api/public/health": 4, UNKNOWN_ROUTE: 1}
    assert 1 < server.peak("GET /api/public/health") <= 4
    assert [entry.status for entry in server.requests] == [200] * 4 + [404]


def test_log_keeps_no_key(langfuse_server: LangfuseServer, api: httpx.Client) -> None:
    create(api, "d")
    [entry] = langfuse_server.requests
    assert entry.body == {"name": "d"}
    assert "authorization" not in entry.headers


def test_a_crash_of_the_server_itself_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    server = LangfuseServer()
    monkeypatch.setattr(server.project.datasets, "named", lambda _: 1 / 0)
    with pytest.raises(RuntimeError, match="fault of its own"), server, client_of(server) as api:
        assert api.get("/api/public/v2/datasets/d").status_code == 500
