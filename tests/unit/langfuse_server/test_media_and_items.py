import base64
import hashlib
from collections.abc import Callable

import httpx
import pytest

from langfuse_server import LangfuseServer

DATA = b"\x89PNG picture"


def declaration(data: bytes, **target: object) -> dict[str, object]:
    target = target or {"datasetId": "?", "datasetItemId": "i"}
    return {
        "contentType": "image/png",
        "contentLength": len(data),
        "sha256Hash": base64.b64encode(hashlib.sha256(data).digest()).decode(),
        "field": "input",
        **target,
    }


def put(declared: dict[str, object], url: str, data: bytes, **changed: str) -> httpx.Response:
    headers = {"content-type": "image/png", "x-amz-checksum-sha256": str(declared["sha256Hash"]), **changed}
    return httpx.put(url, content=data, headers=headers)


def reference(media_id: str) -> str:
    return f"@@@langfuseMedia:type=image/png|id={media_id}|source=bytes@@@"


@pytest.fixture
def upload(api: httpx.Client) -> Callable[[bytes], str]:
    def upload(data: bytes) -> str:
        dataset_id = api.post("/api/public/v2/datasets", json={"name": "d"}).json()["id"]
        declared = declaration(data, datasetId=dataset_id, datasetItemId="i")
        answer = api.post("/api/public/media", json=declared).json()
        assert put(declared, answer["uploadUrl"], data).status_code == 200
        done = {"uploadedAt": "2026-01-01T00:00:00Z", "uploadHttpStatus": 200}
        assert api.patch(f"/api/public/media/{answer['mediaId']}", json=done).status_code == 200
        return str(answer["mediaId"])

    return upload


def test_item_links_media_that_was_uploaded_before_it(
    api: httpx.Client, langfuse_server: LangfuseServer, upload: Callable[[bytes], str]
) -> None:
    media_id = upload(DATA)
    item = {"datasetName": "d", "id": "i", "input": {"image": reference(media_id)}}
    answer = api.post("/api/public/dataset-items", json=item).json()
    [found] = answer["mediaReferences"]
    assert (found["field"], found["jsonPath"]) == ("input", "$['image']")
    assert httpx.get(found["media"]["url"]).content == DATA
    assert langfuse_server.media_bytes(media_id) == DATA
    assert langfuse_server.media[media_id].links[0]["datasetItemId"] == "i"


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"x" * len(DATA), {}, 400),
        (DATA + b"x", {}, 403),
        (DATA, {"content-type": "image/jpeg"}, 403),
        (DATA, {"x-amz-checksum-sha256": "A" * 44}, 403),
    ],
)
def test_bucket_refuses_what_was_not_signed(
    api: httpx.Client, langfuse_server: LangfuseServer, data: bytes, headers: dict[str, str], status: int
) -> None:
    declared = declaration(DATA, traceId="0" * 32)
    answer = api.post("/api/public/media", json=declared).json()
    assert put(declared, answer["uploadUrl"], data, **headers).status_code == status
    assert langfuse_server.media_bytes(answer["mediaId"]) is None


def test_signed_url_expires(api: httpx.Client, langfuse_server: LangfuseServer) -> None:
    declared = declaration(DATA, traceId="0" * 32)
    url = api.post("/api/public/media", json=declared).json()["uploadUrl"]
    langfuse_server.advance(3601)
    assert put(declared, url, DATA).status_code == 403


def test_an_image_is_uploaded_once(api: httpx.Client, upload: Callable[[bytes], str]) -> None:
    media_id = upload(DATA)
    answer = api.post("/api/public/media", json=declaration(DATA, traceId="1" * 32)).json()
    assert answer == {"uploadUrl": None, "mediaId": media_id}


def test_every_write_is_a_version(
    api: httpx.Client, langfuse_server: LangfuseServer, upload: Callable[[bytes], str]
) -> None:
    upload(DATA)
    for fields in ({"input": 1, "metadata": {"a": 1}}, {"input": None, "expectedOutput": 2}):
        langfuse_server.advance(1)
        api.post("/api/public/dataset-items", json={"datasetName": "d", "id": "i", **fields})
    first, second = langfuse_server.item_versions("i")
    assert (first["input"], first["expectedOutput"]) == (1, None)
    assert (second["input"], second["expectedOutput"], second["metadata"]) == (1, 2, {"a": 1})
    query = {"datasetName": "d", "version": first["createdAt"]}
    [old] = api.get("/api/public/dataset-items", params=query).json()["data"]
    assert old["expectedOutput"] is None


def test_nested_schema_violation_is_named(api: httpx.Client) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "array", "items": {"type": "number"}}}}
    api.post("/api/public/v2/datasets", json={"name": "d", "inputSchema": schema})
    answer = api.post("/api/public/dataset-items", json={"datasetName": "d", "input": {"n": [1, "x"]}})
    assert answer.status_code == 400
    assert answer.json()["message"].endswith("Input validation failed: must be number")


@pytest.mark.parametrize("name", ["", "/a", "a/", "<b>x</b>"])
def test_dataset_name_is_refused(api: httpx.Client, name: str) -> None:
    answer = api.post("/api/public/v2/datasets", json={"name": name})
    assert answer.status_code == 400
    assert "Dataset name not valid" in answer.json()["message"]


def test_lists_are_paged(api: httpx.Client) -> None:
    for index in range(5):
        api.post("/api/public/v2/datasets", json={"name": f"d{index}"})
    pages = [api.get("/api/public/v2/datasets", params={"page": p, "limit": 2}).json() for p in (1, 3, 4)]
    assert [[each["name"] for each in page["data"]] for page in pages] == [["d4", "d3"], ["d0"], []]
    assert pages[0]["meta"] == {"page": 1, "limit": 2, "totalItems": 5, "totalPages": 3}
