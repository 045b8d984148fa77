"""Every recorded request, sent again in order: same status, same keys, same values where they can be.

The recordings are a selection. What happened between them and matters (an item that a later exchange reads, a
media that was uploaded) is done by the step that `_BEFORE` names.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from langfuse_server import RECORDED_VERSION, LangfuseServer
from langfuse_server.clock import iso
from langfuse_server.replay import Recording, Replay, recordings, sha256_of

# Recorded values that depend on what else the recorded project held, on chance, or on a merge still to come.
_KEYS_ONLY = {
    "datasets-24-list-page1": "other datasets lie between",
    "exp5v-s02-otlp": "see exp5v-r01",
    "exp5v-r01-items": "the spans of two of three items were not kept",
    "scores-80-v3-trace": "scores without a recording lie between",
    "obs-40-metrics-count": "the recorded script had run three times",
    "obs-41-metrics-cost-by-model-day": "the recorded script had run three times",
    "otlp-04c-resend-same-start-read": "the recorded store had not merged the two rows yet",
    "otlp-04d-resend-same-start-merged": "the recorded store had not merged the two rows yet",
}
_ORDER = [
    "auth",
    "datasets",
    "media",
    "dataset-items",
    "experiments-sdk5",
    "experiments-sdk4",
    "legacy",
    "scores",
    "prompts",
    "observations",
    "comments",
    "otlp",
    "openinference",
    "annotation-queues",
]


class Session:
    """A server like the recorded one, and the steps that the recordings leave out."""

    def __init__(self, server: LangfuseServer, client: httpx.Client, bucket: httpx.Client) -> None:
        self.server = server
        self.client = client
        self.replay = Replay(client, bucket)
        self.spans: dict[str, object] = {each.id: each.request for each in recordings()}

    def dataset(self, name: str, recorded_id: str = "", **fields: object) -> None:
        own = self.replay.post("/api/public/v2/datasets", {"name": name, **fields})["id"]
        if recorded_id:
            self.replay.known[recorded_id] = own

    def item(self, dataset: str, item_id: str, **fields: object) -> None:
        body = {"datasetName": dataset, "id": item_id, "input": "x", **fields}
        self.replay.post("/api/public/dataset-items", body)

    def delete_item(self, item_id: str) -> None:
        self.client.delete(f"/api/public/dataset-items/{item_id}").raise_for_status()

    def declare(self, media_id: str, sha256: str | None = None) -> None:
        body = {
            "traceId": "0" * 32,
            "contentType": "image/png",
            "contentLength": 74,
            "sha256Hash": sha256 or sha256_of(media_id),
            "field": "input",
        }
        self.replay.learn_upload(self.replay.post("/api/public/media", body))

    def confirm(self, media_id: str, status: int = 200) -> None:
        body = {"uploadedAt": "2026-11-22T08:44:39Z", "uploadHttpStatus": status}
        self.client.patch(f"/api/public/media/{media_id}", json=body).raise_for_status()

    def upload(self, *media_ids: str) -> None:
        for media_id in media_ids:
            self.declare(media_id)
            self.confirm(media_id)

    def score(self, **fields: object) -> None:
        self.replay.post("/api/public/scores", {"name": "e", "value": 1, **fields})

    def config(self, recorded_id: str, **fields: object) -> None:
        self.replay.known[recorded_id] = self.replay.post("/api/public/score-configs", fields)["id"]

    def now(self, recorded: str) -> None:
        """A recorded moment is now; a little time passes before and after."""
        self.server.advance(0.005)
        self.replay.known[recorded] = iso(self.server.project.clock.now())
        self.server.advance(0.005)


def _prepare_schema_conflict(session: Session) -> None:
    session.dataset("rec-schema-084305", description="kept")
    session.item(
        "rec-schema-084305", "rec-sch-1-084305", input={"image": "a"}, expectedOutput={"label": "red"}
    )


def _prepare_items(session: Session) -> None:
    session.dataset("rec-items-084544", "cmwrldqp7003itl7dnxry5zs2")
    session.dataset("rec-items2-084544")
    session.upload("q0s5oOTPlYFKDR3WZgzVh9", "0BBrOBkhvVhTlTUGxbHH9N", "uBQs9_NsCaXyVT9gT_sik2")
    session.declare("YqPZDYULb6NxOKg3Ti3787")


def _fill_up_before_upserts(session: Session) -> None:
    """The recorded dataset held eight items when the version was read."""
    for name in ("rec-i10", "rec-i11"):
        session.item("rec-items-084544", name)
    session.now("2026-11-22T08:45:45.596Z")


def _delete_another(session: Session) -> None:
    session.item("rec-items-084544", "rec-i25-084544")
    session.delete_item("rec-i25-084544")


def _upload_other_colours(session: Session) -> None:
    colours = [("green", "RkqtbBCGgpWYx19S8XWvJG", 1), ("blue", "jImLGlU2wI6BKO8qmDyV4K", 2)]
    session.upload(*(media_id for _, media_id, _ in colours))
    for dataset in ("rec-exp-s5-093627", "rec-exp-s4-093627"):
        for colour, media_id, index in colours:
            image = f"@@@langfuseMedia:type=image/png|id={media_id}|source=bytes@@@"
            fields = {"input": {"image": image, "question": "Which colour?"}}
            fields |= {"expectedOutput": {"label": colour}, "metadata": {"split": "val", "index": index}}
            session.item(dataset, f"{dataset}-{colour}", **fields)
            session.server.advance(0.002)


def _send_other_items(session: Session) -> None:
    """Two more items of the experiment whose spans were not kept."""
    for digit in "ab":
        text = json.dumps(session.spans["exp5v-s02-otlp"])
        for span_id in ("1fca2e49f57ad703", "631751a968dc47c4"):
            text = text.replace(span_id, digit + span_id[1:])
        session.replay.post("/api/public/otel/v1/traces", json.loads(text))


def _send_first_version_of_span(session: Session) -> None:
    export = copy.deepcopy(session.spans["otlp-04b-resend-same-start"])
    span = export["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    values = {"type": "generation", "input": "in", "output": "one", "model.name": "m"}
    span["attributes"] = [
        {"key": f"langfuse.observation.{key}", "value": {"stringValue": value}}
        for key, value in values.items()
    ]
    session.replay.post("/api/public/otel/v1/traces", export)


def _link_prompt(session: Session) -> None:
    body = {"name": "rec-linked-t2801", "prompt": "p", "labels": ["production"]}
    version = session.replay.post("/api/public/v2/prompts", body)
    session.replay.known["f0bea03a-7ff4-4482-80d1-9d8156bd853d"] = version["id"]


def _more_configs(session: Session) -> None:
    yes_no, note, percent = (
        "b6319d5e-c08a-4cc1-872f-4503e595c8b0",
        "91560227-03ea-426f-8032-2bb1ad968f57",
        "b2464085-7919-4723-a656-4dcb8acb513b",
    )
    session.config(yes_no, name="rec-ok-090121", dataType="BOOLEAN")
    session.config(note, name="rec-note-090121", dataType="TEXT")
    session.config(percent, name="rec-iou-090121", dataType="NUMERIC", minValue=0, maxValue=100)


_TRACE = "b32f0550dd11733efea768227b7651c3"
_WRONG_TYPE_FK5 = "FK5PdYpvT5usB0b53iUX6dAuH8LIz5cTgb01A+YsXAQ="

_BEFORE: dict[str, Callable[[Session], None]] = {
    "datasets-23-schema-conflicts-with-items": _prepare_schema_conflict,
    "media-01-post-dataset-item": lambda s: s.dataset("rec-media-084438", "cmwrlcbyw001mtl7drog4z1mo"),
    "media-41-put-wrong-bytes": lambda s: s.declare("", _WRONG_TYPE_FK5),
    "media-55-post-after-201": lambda s: s.confirm("FK5PdYpvT5usB0b53iUX6d", 201),
    "media-63-output-observation": lambda s: s.confirm("EFf0lqCa57TEbPPF2lvx6G"),
    "items-01-create-with-refs": _prepare_items,
    "items-10-upsert-all-null": _fill_up_before_upserts,
    "items-31-archive": lambda s: s.delete_item("rec-near-084544"),
    "items-50-deleted-id-other-dataset": _delete_another,
    "exp5-s04-item-post": lambda s: s.confirm("iBYIXWZ98V0ksO4M_SRxZr"),
    "exp5-s05-items-list": lambda s: (
        s.dataset("rec-exp-s4-093627", "cmwrn75pv00edtl7dmdawskqo"),
        _upload_other_colours(s),
    ),
    "exp5v-s01-items-version": lambda s: s.now("2026-11-22T09:36:44.467955Z"),
    "exp5v-s02-otlp": _send_other_items,
    "scores-07-config-list": _more_configs,
    "scores-54-environment-read": lambda s: s.score(
        id="rec-env2-090121", traceId=_TRACE, environment="langfuse-x"
    ),
    "scores-78-upsert-other-name": lambda s: s.score(id="rec-ups-090121", traceId=_TRACE, name="u", value=4),
    "obs-s01-otlp-trace": _link_prompt,
    "otlp-04b-resend-same-start": _send_first_version_of_span,
    "oi-s02-media-post": lambda s: s.upload("fnSlCDAsz_mstm4YcYSyKn"),
}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with (
        LangfuseServer(version=RECORDED_VERSION, takes_score_lists=True) as server,
        httpx.Client(base_url=server.url, auth=(server.public_key, server.secret_key)) as client,
        httpx.Client() as bucket,
    ):
        yield Session(server, client, bucket)


def _send_with_other_key(session: Session, recording: Recording) -> httpx.Response:
    """The recordings never show the key; three of them were sent with another one than the rest."""
    headers = {}
    if "wrong-secret" in recording.id:
        headers = {
            "authorization": "Basic "
            + base64.b64encode(f"{session.server.public_key}:wrong".encode()).decode()
        }
    elif "bearer" in recording.id:
        headers = {"authorization": f"Bearer {session.server.public_key}"}
    url = session.server.url + recording.path
    return httpx.request(recording.method, url, headers=headers, json=recording.request)


def _answer(session: Session, recording: Recording) -> httpx.Response:
    if recording.flow == "auth" and recording.status in {401, 403}:
        return _send_with_other_key(session, recording)
    return session.replay.send(recording)


@pytest.mark.parametrize("flow", _ORDER)
def test_recorded_flow(session: Session, flow: str) -> None:
    found = []
    for recording in (each for each in recordings() if each.flow == flow):
        session.server.advance(0.002)
        if recording.id in _BEFORE:
            _BEFORE[recording.id](session)
        response = _answer(session, recording)
        differences = list(session.replay.differences(recording, response))
        if recording.id in _KEYS_ONLY or recording.path.endswith("/otel/v1/traces"):
            differences = [each for each in differences if "status" in each or ": keys" in each]
        found += [f"{recording.id} {each}" for each in differences]
    assert not found, "\n".join(found)


def test_all_flows_are_replayed() -> None:
    assert {each.flow for each in recordings()} == set(_ORDER)
    assert len(recordings()) == 292


def test_recorded_media_ids_come_from_their_hash() -> None:
    data = b"picture"
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert sha256_of(digest[:22])[:22] == digest[:22]
