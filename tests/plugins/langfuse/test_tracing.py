"""Traces to Langfuse: its SDK's observations and its media store."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator

import langfuse
import numpy as np
import pytest
from langfuse import Langfuse, LangfuseMedia
from langfuse._client.resource_manager import LangfuseResourceManager
from opentelemetry.sdk.trace import TracerProvider
from PIL import Image as Pillow
from tracing_doubles import IMAGE_URL, png, uri

import vlmops
from langfuse_server import Fault, LangfuseServer
from vlmops import Image
from vlmops.errors import MediaError, PlatformUnavailable
from vlmops.tracing import PicturePolicy, Tracing
from vlmops.tracing.held import PAYLOADS
from vlmops_langfuse.media_upload import MediaTarget
from vlmops_langfuse.references import media_id, reference_to
from vlmops_langfuse.settings import LangfuseSettings
from vlmops_langfuse.trace_media import TraceMedia

TARGET = MediaTarget("input", trace_id="0" * 31 + "1", observation_id="0" * 15 + "1")


@pytest.fixture(autouse=True)
def no_clients() -> Iterator[None]:
    LangfuseResourceManager.reset()
    yield
    LangfuseResourceManager.reset()


def options(server: LangfuseServer) -> dict[str, str]:
    return {"public_key": server.public_key, "secret_key": server.secret_key}


def traced(server: LangfuseServer, **more: object) -> Tracing:
    provider = TracerProvider(shutdown_on_exit=False)
    return vlmops.instrument(
        "langfuse",
        url=server.url,
        openai=False,
        tracer_provider=provider,
        **options(server),
        **more,  # type: ignore[arg-type]
    )


def settings(server: LangfuseServer) -> LangfuseSettings:
    return LangfuseSettings(server.url, server.public_key, server.secret_key)


def test_pictures_of_every_kind_given_to_an_observation(langfuse_server: LangfuseServer) -> None:
    given = {
        "pillow": Pillow.open(io.BytesIO(png(1))),
        "array": np.zeros((64, 64, 3), np.uint8),
        "bytes": png(2),
        "uri": uri(png(3)),
        "image": Image.from_bytes(png(4)),
        "media": LangfuseMedia(content_bytes=png(5), content_type="image/png"),
        "text": "see " + uri(png(6)),
    }
    with traced(langfuse_server) as tracing:
        client = langfuse.get_client()
        with client.start_as_current_observation(name="o", as_type="generation", input=given) as observation:
            observation.update(output=[given["bytes"]], metadata={"shown": given["uri"]})
        assert tracing.flush()
    (stored,) = langfuse_server.observations
    references = json.loads(stored.input)
    assert all("@@@langfuseMedia:type=image/png|id=" in references[kind] for kind in given)
    assert references["bytes"] == reference_to(Image.from_bytes(png(2)))
    assert "@@@langfuseMedia" in stored.output
    assert "@@@langfuseMedia" in stored.metadata["shown"]
    assert "iVBOR" not in repr(stored)
    assert "vlmops-held" not in repr(stored)
    assert len(langfuse_server.media) == 7
    assert all(media.upload_status == 200 for media in langfuse_server.media.values())


def test_media_other_than_pictures_are_the_sdks(langfuse_server: LangfuseServer) -> None:
    sound = LangfuseMedia(content_bytes=b"ID3" + bytes(500), content_type="audio/mpeg")
    with traced(langfuse_server) as tracing:
        client = langfuse.get_client()
        with client.start_as_current_observation(name="o", input={"sound": sound, "picture": png()}):
            pass
        tracing.flush()
        client.flush()
    kinds = sorted(media.content_type for media in langfuse_server.media.values())
    assert kinds == ["audio/mpeg", "image/png"]


def test_nothing_is_left_in_memory(langfuse_server: LangfuseServer) -> None:
    before = PAYLOADS.count
    with traced(langfuse_server) as tracing:
        with langfuse.get_client().start_as_current_observation(name="o", input={"picture": png(8)}):
            pass
        assert tracing.flush()
        assert PAYLOADS.count == before


def test_what_the_sdk_adds_is_there(langfuse_server: LangfuseServer) -> None:
    with traced(langfuse_server, environment="staging", release="1.2"):
        client = langfuse.get_client()
        common = langfuse.propagate_attributes(user_id="u", session_id="s", tags=["t"])
        with common, client.start_as_current_observation(name="outer", input={"picture": png()}):
            client.start_observation(name="inner").end()
    outer = next(each for each in langfuse_server.observations if each.name == "outer")
    assert (outer.user_id, outer.session_id, outer.tags) == ("u", "s", ["t"])
    assert (outer.environment, outer.release) == ("staging", "1.2")


def test_a_client_that_was_there_before_hands_its_spans_over_and_gets_them_back(
    langfuse_server: LangfuseServer,
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    client = Langfuse(base_url=langfuse_server.url, tracer_provider=provider, **options(langfuse_server))
    during = {"name": "during", "input": {"picture": uri(png())}}
    with traced(langfuse_server, policy=PicturePolicy(level="hash")):
        client.start_observation(**during).end()  # type: ignore[arg-type]
    assert langfuse_server.media == {}
    with client.start_as_current_observation(name="after", input={"picture": uri(png())}):
        pass
    client.flush()
    stored = {each.name: each for each in langfuse_server.observations}
    assert "picture not kept by policy" in stored["during"].input
    assert "@@@langfuseMedia" in stored["after"].input
    assert len(langfuse_server.media) == 1


def test_spans_of_other_instrumentors_go_through_too(langfuse_server: LangfuseServer) -> None:
    with traced(langfuse_server) as tracing:
        tracer = tracing.tracer_provider.get_tracer("openinference.instrumentation.any")
        tracer.start_span("o", attributes={IMAGE_URL: uri(png())}).end()
        tracing.tracer_provider.get_tracer("some.database").start_span("not of interest to Langfuse").end()
    assert [each.name for each in langfuse_server.observations] == ["o"]
    assert len(langfuse_server.media) == 1


@pytest.mark.parametrize("level", ["full", "hash"])
def test_the_sdk_uploads_no_picture_by_itself(langfuse_server: LangfuseServer, level: str) -> None:
    """Neither one that an observation is given, nor one in the JSON of another instrumentor's span."""
    data = base64.b64encode(png(7)).decode()
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "media", "mime_type": "image/png", "data": data},
        {"inline_data": {"mime_type": "image/png", "data": data}},
        {"inlineData": {"mimeType": "image/png", "data": data}},
        {"type": "image_url", "image_url": {"url": uri(png(7))}},
    ]
    with traced(langfuse_server, policy=level) as tracing:
        langfuse.get_client().start_observation(name="given", input={"messages": parts}).end()
        tracer = tracing.tracer_provider.get_tracer("openinference.instrumentation.any")
        tracer.start_span("text", attributes={"input.value": json.dumps({"messages": parts})}).end()
    assert len(langfuse_server.observations) == 2
    assert data not in repr(langfuse_server.observations)
    assert "vlmops-held" not in repr(langfuse_server.observations)
    references = {reference_to(Image.from_bytes(png(7)))} if level == "full" else set()
    assert {m.media_id for m in langfuse_server.media.values()} == {
        media_id(Image.from_bytes(png(7)).sha256) for _ in references
    }
    assert langfuse_server.count("PUT bucket") == len(references)


def test_a_bug_in_the_deferral_leaves_the_observation(
    langfuse_server: LangfuseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr("vlmops_langfuse.sdk_client.held_in_values", bug)
    with traced(langfuse_server, policy="hash"):
        client = langfuse.get_client()
        with client.start_as_current_observation(name="o", input={"a": 1, "picture": uri(png())}):
            pass
    assert json.loads(langfuse_server.observations[0].input)["a"] == 1
    assert langfuse_server.media == {}


def test_the_same_picture_is_uploaded_once_and_belongs_to_each_observation(
    langfuse_server: LangfuseServer,
) -> None:
    with traced(langfuse_server):
        client = langfuse.get_client()
        for number in range(5):
            client.start_observation(name=str(number), input={"picture": png()}).end()
    assert langfuse_server.count("PUT bucket") == 1
    (media,) = langfuse_server.media.values()
    assert len({link["observationId"] for link in media.links}) == 5


def test_many_threads_upload_one_picture_once(langfuse_server: LangfuseServer) -> None:
    media = TraceMedia(settings(langfuse_server))
    image = Image.from_bytes(png())
    threads = [threading.Thread(target=media.store, args=(image, TARGET)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert langfuse_server.count("PUT bucket") == 1
    assert langfuse_server.count("POST /api/public/media") == 8
    media.close()


def test_a_type_that_langfuse_does_not_take_is_converted(langfuse_server: LangfuseServer) -> None:
    buffer = io.BytesIO()
    Pillow.open(io.BytesIO(png())).save(buffer, "PPM")
    media = TraceMedia(settings(langfuse_server))
    assert "type=image/png" in media.store(Image.from_bytes(buffer.getvalue()), TARGET)
    media.close()


def test_what_breaks_for_a_moment_is_tried_again(langfuse_server: LangfuseServer) -> None:
    langfuse_server.faults.add(Fault.error(503).on("POST /api/public/media", times=2))
    media = TraceMedia(settings(langfuse_server))
    media.store(Image.from_bytes(png()), TARGET)
    assert langfuse_server.count("PUT bucket") == 1
    media.close()


def test_wrong_keys_and_a_server_that_is_gone_are_named(langfuse_server: LangfuseServer) -> None:
    image = Image.from_bytes(png())
    for url, key in ((langfuse_server.url, "wrong"), ("http://127.0.0.1:9", langfuse_server.secret_key)):
        media = TraceMedia(LangfuseSettings(url, langfuse_server.public_key, key))
        with pytest.raises(PlatformUnavailable, match="does not"):
            media.store(image, TARGET)
        media.close()


def test_a_bucket_that_refuses_is_named(langfuse_server: LangfuseServer) -> None:
    langfuse_server.faults.add(Fault.error(403).on("PUT bucket"))
    media = TraceMedia(settings(langfuse_server))
    with pytest.raises(MediaError, match="refused it with 403"):
        media.store(Image.from_bytes(png()), TARGET)
    media.close()
