"""Recorded exchanges with a real Langfuse 4.16.0, and how to send them again to another server.

A recording names ids, signed URLs and cursors that the other server makes anew. `Replay` learns which new one
stands for which recorded one by laying each answer beside the recorded one.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = Path(__file__).with_name("recordings.jsonl")
_CUT = re.compile(r"(?P<start>.*)\.\.\.<(?P<count>\d+) more>", re.DOTALL)
_STORE = "https://objects.example"
_LEARNED = {"id", "datasetId", "datasetRunId", "cursor"}
_URLS = {"uploadUrl", "url"}
_VOLATILE = {
    *(
        "createdAt",
        "completedAt",
        "updatedAt",
        "lastUpdatedAt",
        "timestamp",
        "urlExpiry",
        "cursor",
        "traceparent",
        "baggage",
    ),
    *("fileKey", "publicKey", "meta", "pagination"),
}


@dataclass(frozen=True)
class Recording:
    """One exchange: the request as it was sent, the status and the body of the answer."""

    id: str
    flow: str
    method: str
    path: str
    status: int
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    request: Any = None
    response: Any = None


def recordings() -> list[Recording]:
    """All recordings, in the order in which they were sent within a flow."""
    with _FILE.open(encoding="utf-8") as lines:
        return [Recording(**json.loads(line)) for line in lines]


def restored(value: Any) -> Any:
    """A value with long texts of one repeated character put back to their length.

    >>> restored("xx...<3 more>")
    'xxxxx'
    """
    if isinstance(value, dict):
        return {key: restored(each) for key, each in value.items()}
    if isinstance(value, list):
        return [restored(each) for each in value]
    match = _CUT.fullmatch(value) if isinstance(value, str) else None
    if match is None or len(set(match["start"])) != 1:
        return value
    return match["start"] + match["start"][0] * int(match["count"])


class Replay:
    """Sends recordings to a server and compares what comes back.

    `known` maps recorded texts (ids, times) to the server's own; a test adds what the recordings leave out.
    """

    def __init__(self, client: httpx.Client, bucket_client: httpx.Client) -> None:
        self._client = client
        self._bucket = bucket_client
        self.known: dict[str, str] = {}
        self._signed: dict[tuple[str, str], str] = {}

    def post(self, path: str, body: Any) -> Any:
        """Send something the recordings left out; the answer's JSON."""
        response = self._client.post(path, json=json.loads(self._translated(json.dumps(body))))
        response.raise_for_status()
        return response.json()

    def learn_upload(self, answer: dict[str, Any]) -> None:
        """Know the signed URL of a declaration that the recordings left out."""
        if answer["uploadUrl"]:
            path = httpx.URL(answer["uploadUrl"]).path
            self._signed["PUT", path] = answer["uploadUrl"]

    def send(self, recording: Recording) -> httpx.Response:
        """Send a recorded request, translated."""
        if recording.path.startswith(_STORE):
            return self._send_to_bucket(recording)
        content = self._content(recording)
        headers = {"content-type": "application/json"} if content is not None else {}
        version = recording.headers.get("x-langfuse-ingestion-version")
        if version is not None:
            headers["x-langfuse-ingestion-version"] = version
        return self._client.request(
            recording.method,
            self._translated(recording.path),
            params={key: self._translated(value) for key, value in recording.query.items()},
            content=content,
            headers=headers,
        )

    def _content(self, recording: Recording) -> bytes | None:
        body = recording.request
        if body is None:
            return None
        if isinstance(body, dict) and body.keys() == {"raw"}:
            return self._translated(body["raw"]).encode()
        if isinstance(body, dict) and "binary" in body:
            return _item_of_size(recording, body["binary"])
        return self._translated(json.dumps(restored(body))).encode()

    def _send_to_bucket(self, recording: Recording) -> httpx.Response:
        path = recording.path.removeprefix(_STORE)
        url = self._signed[recording.method, path]
        names = ("content-type", "x-amz-checksum-sha256")
        headers = {name: recording.headers[name] for name in names if name in recording.headers}
        content = None if recording.request is None else base64.b64decode(recording.request["base64"])
        return self._bucket.request(recording.method, url, content=content, headers=headers)

    def _translated(self, text: str) -> str:
        for recorded, own in self.known.items():
            text = text.replace(recorded, own)
        return text

    def differences(self, recording: Recording, response: httpx.Response) -> Iterator[str]:
        """Where an answer differs from the recorded one, in values that do not change from run to run."""
        if response.status_code != recording.status:
            yield f"status {response.status_code}, recorded {recording.status}: {response.text[:300]}"
            return
        if recording.path.startswith(_STORE) or not isinstance(recording.response, (dict, list)):
            return
        recorded, answer = _without_order(recording.response), _without_order(response.json())
        self._learn(recorded, answer)
        expected = json.loads(self._translated(json.dumps(recorded)))
        yield from _differences(restored(expected), answer, "$")

    def _learn(self, recorded: Any, own: Any, key: str = "") -> None:
        if isinstance(recorded, dict) and isinstance(own, dict):
            for name in recorded.keys() & own.keys():
                self._learn(recorded[name], own[name], name)
        elif isinstance(recorded, list) and isinstance(own, list):
            for each, other in zip(recorded, own, strict=False):
                self._learn(each, other, key)
        elif isinstance(recorded, str) and isinstance(own, str):
            if key in _URLS:
                path = httpx.URL(recorded).path
                self._signed["PUT" if key == "uploadUrl" else "GET", path] = own
            elif key in _LEARNED and recorded != own and len(recorded) >= 16:
                self.known.setdefault(recorded, own)


def _item_of_size(recording: Recording, size: int) -> bytes:
    """A body of a recorded size whose content was not kept."""
    item = {"datasetName": "rec-items-084544", "id": "rec-near-084544", "input": ""}
    empty = json.dumps(item).encode()
    item["input"] = "x" * (size - len(empty))
    return json.dumps(item).encode()


def _without_order(value: Any, key: str = "") -> Any:
    """The same with the scores of experiments and their items by name.

    The recorded server lists first what it worked off last, and it works off what came together in any order.
    """
    if isinstance(value, dict):
        return {name: _without_order(each, name) for name, each in value.items()}
    if isinstance(value, list):
        each_alike = [_without_order(each) for each in value]
        return sorted(each_alike, key=lambda score: score["name"]) if key == "scores" else each_alike
    return value


def _differences(recorded: Any, own: Any, path: str) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(own, dict):
        if recorded.keys() != own.keys():
            yield f"{path}: keys {sorted(own)}, recorded {sorted(recorded)}"
        for key in recorded.keys() & own.keys():
            if key not in _VOLATILE | _URLS:
                yield from _differences(recorded[key], own[key], f"{path}.{key}")
            elif (recorded[key] is None) != (own[key] is None):
                yield f"{path}.{key}: {own[key]!r}, recorded {recorded[key]!r}"
    elif isinstance(recorded, list) and isinstance(own, list):
        if len(recorded) != len(own):
            yield f"{path}: {len(own)} elements, recorded {len(recorded)}"
        for index, (each, other) in enumerate(zip(recorded, own, strict=False)):
            yield from _differences(each, other, f"{path}[{index}]")
    elif recorded != own or isinstance(recorded, bool) != isinstance(own, bool):
        yield f"{path}: {own!r}, recorded {recorded!r}"


def sha256_of(media_id: str) -> str:
    """A hash whose media id this is; the other digits do not matter for a media without bytes."""
    return media_id.replace("-", "+").replace("_", "/") + "A" * 21 + "="
