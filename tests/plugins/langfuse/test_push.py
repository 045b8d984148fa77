"""Pushing to Langfuse: what is sent, what is not, and what happens when things go wrong."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from langfuse_server import Fault, LangfuseServer
from vlmops.blocking import blocking
from vlmops.datasets import ImageDataset, Sample, digest
from vlmops.datasets.dataset import SampleSource
from vlmops.errors import PlatformError, PlatformUnavailable
from vlmops.images import Image, Preparation
from vlmops.platforms import pull, push
from vlmops.platforms.records import DatasetHeader
from vlmops.testing import MemoryPlatform, picture
from vlmops.testing.contract import ids_on, samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops_langfuse import LangfusePlatform

WRITES = ("POST", "PUT", "PATCH", "DELETE")


def dataset(count: int, name: str = "d") -> ImageDataset:
    return ImageDataset.from_samples(name, samples(count))


def writes(server: LangfuseServer) -> list[str]:
    return [request.route for request in server.requests if request.method in WRITES]


def test_each_picture_takes_three_requests_and_each_item_one(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    push(dataset(9), platform)
    counts = langfuse_server.counts()
    assert counts["POST /api/public/media"] == counts["PUT bucket"] == 9
    assert counts["PATCH /api/public/media/{mediaId}"] == counts["POST /api/public/dataset-items"] == 9
    assert counts["GET /api/public/v2/datasets/{datasetName}"] == 1


def test_an_unchanged_dataset_is_not_written_at_all(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    push(dataset(120), platform)
    langfuse_server.clear_log()
    report = push(dataset(120), platform).targets[0]
    assert report.unchanged == 120
    assert writes(langfuse_server) == []
    assert langfuse_server.count("GET /api/public/dataset-items") == 2


def test_a_picture_is_linked_to_its_item_before_the_item_is_made(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    sample = Sample("s", {"image": picture(1)}, expected={"mask": picture(2)}, metadata={"small": picture(3)})
    push(ImageDataset.from_samples("d", [sample]), platform)
    item = langfuse_server.items("d")[0]
    links = {
        (link["field"], link["datasetItemId"], link["datasetId"])
        for record in langfuse_server.media.values()
        for link in record.links
    }
    assert links == {(f, item["id"], item["datasetId"]) for f in ("input", "expectedOutput", "metadata")}
    assert len(item["mediaReferences"]) == 3
    routes = writes(langfuse_server)
    assert routes.index("POST /api/public/dataset-items") > max(
        index for index, route in enumerate(routes) if route.startswith("PATCH")
    )


def test_a_picture_in_many_samples_is_uploaded_once(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    many = [Sample(f"s{i}", {"a": picture(1), "b": picture(1)}) for i in range(20)]
    assert push(ImageDataset.from_samples("d", many), platform).ok
    assert langfuse_server.count("PUT bucket") == 1
    assert langfuse_server.count("POST /api/public/media") == 20


@pytest.mark.parametrize("encoding", ["JPEG2000", "ICO"])
def test_a_type_langfuse_does_not_take_is_drawn_as_png_and_pulled_as_it_was(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, tmp_path: Path, encoding: str
) -> None:
    original = encoded(picture(5), encoding)
    kept = Preparation(accept=("image/png", "image/jpeg", original.media_type))
    sample = Sample("s", {"image": original, "other": picture(1)}, expected={"same": original})
    pushed = ImageDataset.from_samples("d", [sample])
    report = push(pushed, platform, preparation=kept)
    assert report.ok
    item = langfuse_server.items("d")[0]
    drawn = [part["image_url"]["url"] for part in item["input"][0]["content"] if "image_url" in part]
    assert all(url.startswith("@@@langfuseMedia:type=image/png|") for url in drawn)
    pulled = pull(platform, "d", tmp_path)
    assert pulled.revision == report.revision
    back = next(iter(ImageDataset.from_folder(tmp_path)))
    assert back.inputs["image"].read() == back.expected["same"].read() == original.read()
    langfuse_server.clear_log()
    assert push(pushed, platform, preparation=kept).targets[0].unchanged == 1
    assert writes(langfuse_server) == []
    edited = ImageDataset.from_samples("d", [replace(sample, split="test")])
    assert push(edited, platform, preparation=kept).targets[0].updated == 1
    assert langfuse_server.count("PUT bucket") == 0


def encoded(image: Image, encoding: str) -> Image:
    data = BytesIO()
    image.to_pil().save(data, encoding)
    return Image.from_bytes(data.getvalue(), f"picture.{encoding.lower()}")


def test_two_datasets_may_hold_the_same_sample(platform: LangfusePlatform) -> None:
    assert push(dataset(2, "one"), platform).ok
    assert push(dataset(2, "two"), platform).ok
    assert ids_on(platform, "one") == ids_on(platform, "two") == {"s0", "s1"}


def test_uploads_and_items_go_many_at_once() -> None:
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings

    with LangfuseServer(latency_ms=20) as server:
        settings = LangfuseSettings.resolve(server.url, server.public_key, server.secret_key, concurrency=6)
        push(dataset(30), LangfusePlatform(settings))
        assert 3 <= server.peak("POST /api/public/dataset-items") <= 6
        assert 3 <= server.peak("PUT bucket") <= 6


def test_an_edit_in_langfuse_is_overwritten_by_the_next_push(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    import httpx

    push(dataset(3), platform)
    item = langfuse_server.items("d")[0]
    keys = (langfuse_server.public_key, langfuse_server.secret_key)
    body = {"datasetName": "d", "id": item["id"], "expectedOutput": {"text": "edited"}}
    httpx.post(f"{langfuse_server.url}/api/public/dataset-items", json=body, auth=keys).raise_for_status()
    report = push(dataset(3), platform).targets[0]
    assert (report.updated, report.unchanged) == (1, 2)


def test_items_are_removed_once(platform: LangfusePlatform) -> None:
    push(ImageDataset.from_samples("d", samples(4)), platform)
    push(ImageDataset.from_samples("d", samples(3)), platform, mirror=True)
    assert [blocking(lambda: platform.datasets.remove_items("d"), platform) for _ in range(2)] == [4, 0]


def test_an_expected_value_can_be_taken_away(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    push(dataset(1), platform)
    push(ImageDataset.from_samples("d", [replace(samples(1)[0], expected=None)]), platform)
    assert langfuse_server.items("d")[0]["expectedOutput"] is None


def test_folders_description_metadata_and_schemas_reach_the_dataset(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    schema = {"type": "object", "properties": {"image": {}}, "required": ["image"]}
    source = SampleSource([Sample("s", {"image": picture(1)})])
    pushed = ImageDataset("shop/receipts", source, "Receipts.", {"owner": "ocr team", "input_schema": schema})
    report = push(pushed, platform)
    made = langfuse_server.datasets["shop/receipts"]
    assert made["description"] == "Receipts."
    assert made["inputSchema"] == schema
    assert made["metadata"]["owner"] == "ocr team"
    assert made["metadata"]["vlmops"]["revision"] == report.revision
    assert langfuse_server.items("shop/receipts")[0]["input"]["image"].startswith("@@@")


def test_a_sample_that_breaks_the_schema_is_named(platform: LangfusePlatform) -> None:
    schema = {"type": "object", "properties": {"image": {}}, "required": ["image"]}
    source = SampleSource([Sample("good", {"image": picture(1)}), Sample("bad", {"n": 1}, source="l.csv:7")])
    report = push(ImageDataset("d", source, metadata={"input_schema": schema}), platform).targets[0]
    assert [(failure.id, failure.source) for failure in report.failures] == [("bad", "l.csv:7")]
    assert "required property 'image'" in report.failures[0].message
    assert report.created == 1


def test_what_others_say_of_a_dataset_stays(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    import httpx

    keys = (langfuse_server.public_key, langfuse_server.secret_key)
    body = {"name": "d", "description": "By hand.", "metadata": {"owner": "ann"}}
    httpx.post(f"{langfuse_server.url}/api/public/v2/datasets", json=body, auth=keys).raise_for_status()
    push(dataset(1), platform)
    assert langfuse_server.datasets["d"]["description"] == "By hand."
    assert langfuse_server.datasets["d"]["metadata"]["owner"] == "ann"


def test_schemas_set_in_langfuse_stay(platform: LangfusePlatform, langfuse_server: LangfuseServer) -> None:
    import httpx

    keys = (langfuse_server.public_key, langfuse_server.secret_key)
    body = {"name": "d", "expectedOutputSchema": {"type": "object"}}
    httpx.post(f"{langfuse_server.url}/api/public/v2/datasets", json=body, auth=keys).raise_for_status()
    push(dataset(2), platform)
    assert langfuse_server.datasets["d"]["expectedOutputSchema"] == {"type": "object"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_push_through_faults_ends_complete_and_correct(
    start_langfuse: Callable[..., LangfuseServer],
    connect_to: Callable[..., LangfusePlatform],
    tmp_path: Path,
    seed: int,
) -> None:
    faults = [
        Fault.rate_limit(),
        Fault.error(500),
        Fault.error(503, applied=True),
        Fault.refuse(),
        Fault.disconnect(),
    ]
    server = start_langfuse(faults=[fault.on(rate=0.05) for fault in faults], seed=seed)
    platform = connect_to(server)
    report = push(dataset(60), platform)
    assert report.ok
    assert report.targets[0].created + report.targets[0].updated == 60
    server.faults.clear()
    pulled = pull(platform, "d", tmp_path)
    assert pulled.failures == []
    assert pulled.revision == report.revision
    assert {len(server.item_versions(item["id"])) for item in server.items("d")} <= {1, 2, 3}


def test_requests_that_get_no_answer_in_time_are_sent_again(
    langfuse_server: LangfuseServer, tmp_path: Path
) -> None:
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings

    server = langfuse_server
    settings = LangfuseSettings.resolve(server.url, server.public_key, server.secret_key, timeout=1.0)
    expected = {
        "GET /api/public/v2/datasets/{datasetName}": 2,
        "POST /api/public/media": 41,
        "PUT bucket": 41,
        "PATCH /api/public/media/{mediaId}": 41,
        "POST /api/public/dataset-items": 41,
    }
    for after, route in enumerate(expected):
        server.faults.add(Fault.slow(1600).on(route, after=after, times=1))
    platform = LangfusePlatform(settings)
    report = push(dataset(40), platform)
    assert (report.ok, report.targets[0].created) == (True, 40)
    counts = server.counts()
    assert {route: counts[route] for route in expected} == expected
    while any(request.status is None for request in server.requests):
        time.sleep(0.05)  # until what nobody waits for any more has taken effect as well
    assert sorted(len(server.item_versions(item["id"])) for item in server.items("d")) == [1] * 39 + [2]
    assert pull(platform, "d", tmp_path).revision == report.revision


@pytest.mark.parametrize(
    "fault", [Fault.error(500), Fault.disconnect(), Fault("answer", 400, {"message": "not welcome"})]
)
def test_one_item_that_never_works_is_named_and_the_rest_is_done(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, fault: Fault
) -> None:
    langfuse_server.faults.add(fault.on("POST /api/public/dataset-items", item='"s3~'))
    report = push(dataset(8), platform).targets[0]
    assert [failure.id for failure in report.failures] == ["s3"]
    assert report.created == 7


def test_once_langfuse_is_gone_no_write_goes_on_behind_the_error(
    langfuse_server: LangfuseServer, connect_to: Callable[..., LangfusePlatform]
) -> None:
    platform = connect_to(langfuse_server)
    wanted = [Sample(f"s{number}", {"n": number}) for number in range(9)]
    items = "POST /api/public/dataset-items"
    langfuse_server.faults.add(Fault("answer", 503, {}).on(items, item='"s0~'))
    langfuse_server.faults.add(Fault.slow(3_000).on(items))

    async def left_over() -> set[asyncio.Task[Any]]:
        async with platform, platform.datasets.writer(DatasetHeader("d")) as writer:
            before = asyncio.all_tasks()
            with pytest.raises(PlatformUnavailable):
                await writer.write(wanted)
            return asyncio.all_tasks() - before

    assert asyncio.run(left_over()) == set()


def test_a_picture_the_bucket_refuses_costs_one_sample(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    from vlmops_langfuse.references import media_id

    refused = media_id(picture(2).sha256)
    langfuse_server.faults.add(Fault("answer", 403, None).on("PUT bucket", item=refused))
    report = push(dataset(5), platform).targets[0]
    assert [failure.id for failure in report.failures] == ["s2"]
    assert "refused the upload with 403" in report.failures[0].message
    assert "Signature" not in report.failures[0].message


def test_a_rate_limit_makes_everyone_wait(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    langfuse_server.faults.add(Fault.rate_limit(retry_after=1).on("POST /api/public/dataset-items", times=1))
    assert push(dataset(3), platform).ok
    assert langfuse_server.count("POST /api/public/dataset-items") == 4


def test_wrong_keys_are_told_before_anything_is_read(langfuse_server: LangfuseServer) -> None:
    from vlmops_langfuse import LangfusePlatform
    from vlmops_langfuse.settings import LangfuseSettings

    platform = LangfusePlatform(LangfuseSettings(langfuse_server.url, "pk-lf-wrong", "sk-lf-wrong"))
    with pytest.raises(PlatformUnavailable, match="LANGFUSE_SECRET_KEY") as raised:
        push(dataset(2), platform)
    assert "sk-lf-wrong" not in str(raised.value)


def test_a_killed_push_is_continued(platform: LangfusePlatform, langfuse_server: LangfuseServer) -> None:
    entries = iter(samples(20))

    def broken() -> object:
        for number, sample in enumerate(entries):
            if number == 15:
                raise KeyboardInterrupt
            yield sample

    with pytest.raises(KeyboardInterrupt):
        push(ImageDataset.from_samples("d", broken), platform)  # type: ignore[arg-type]
    assert push(dataset(20), platform).ok
    assert langfuse_server.count("PUT bucket") == 20


def test_versions_are_times_and_read_back(platform: LangfusePlatform) -> None:
    from vlmops.blocking import blocking

    first = push(dataset(2), platform).targets[0].version
    second = push(dataset(3), platform).targets[0].version
    third = push(dataset(1), platform, mirror=True).targets[0].version
    known = blocking(lambda: platform.datasets.versions("d"), platform)
    assert [version.id for version in known] == [third, second, first]
    assert ids_on(platform, "d", second) == {"s0", "s1", "s2"}
    with pytest.raises(PlatformError, match="a version is a time"):
        ids_on(platform, "d", "latest")


def test_pictures_are_read_after_their_urls_have_expired(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, tmp_path: Path
) -> None:
    from vlmops.blocking import blocking

    push(dataset(2), platform)
    back = blocking(lambda: platform.datasets.read("d"), platform)
    langfuse_server.advance(4000)
    assert {sample.images[0].read() for sample in back} == {picture(0).read(), picture(1).read()}


def test_a_dataset_goes_to_several_platforms_at_once(platform: LangfusePlatform) -> None:
    memory = MemoryPlatform()
    report = push(dataset(12), [memory, platform])
    assert report.ok
    assert [(target.platform, target.created) for target in report.targets] == [
        ("memory", 12),
        ("langfuse", 12),
    ]
    from vlmops.blocking import blocking

    back = blocking(lambda: platform.datasets.read("d"), platform)
    assert {digest(sample) for sample in back} == {digest(sample) for sample in samples(12)}
    assert ids_on(memory, "d") == {sample.id for sample in samples(12)}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.refuse().on("*/api/public/*", after=5), "Langfuse at http://127.0.0.1:"),
        (Fault.refuse().on("PUT bucket"), "Langfuse's bucket at 127.0.0.1:"),
    ],
)
def test_a_platform_that_breaks_down_costs_the_other_nothing(
    platform: LangfusePlatform, langfuse_server: LangfuseServer, fault: Fault, said: str
) -> None:
    langfuse_server.faults.add(fault)
    memory = MemoryPlatform()
    here, there = push(dataset(6), [memory, platform]).targets
    assert here.created == 6
    assert there.failures[-1].message.startswith(said)


def test_keys_and_signatures_are_never_shown(
    platform: LangfusePlatform, langfuse_server: LangfuseServer
) -> None:
    langfuse_server.faults.add(Fault.refuse().on("PUT bucket"))
    with pytest.raises(PlatformUnavailable) as raised:
        push(dataset(1), platform)
    shown = (
        str(raised.value) + repr(platform.__dict__["_connection"].settings) + json.dumps(str(raised.value))
    )
    assert langfuse_server.secret_key not in shown
    assert "X-Amz" not in shown
