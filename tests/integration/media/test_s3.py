"""A store in a bucket, behind a real S3 API."""

from __future__ import annotations

import uuid
from datetime import timedelta

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from vlmops.errors import MediaError
from vlmops.media import MediaAddress, MediaDelivery, MediaNotFound, open_store
from vlmops.media.delivery import MediaRequest

pytestmark = [
    pytest.mark.integration,
    # aiobotocore and boto3 leave their connection pools to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(1000)


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3", endpoint_url=endpoint)
    name = f"pictures-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    yield name, client
    client.close()


@pytest.fixture
def store(bucket, endpoint):
    return open_store(f"s3://{bucket[0]}/team", endpoint_url=endpoint)


def test_round_trip(store):
    address = store.put(PICTURE, "image/png")

    assert store.put(PICTURE, "image/png") == address
    assert store.has(address)
    assert store.size(address) == len(PICTURE)
    assert store.read(address) == PICTURE
    with store.open(address) as file:
        assert file.read() == PICTURE


def test_object_tells_browsers_and_caches_what_it_is(store, bucket):
    name, client = bucket
    address = store.put(PICTURE, "image/png")

    facts = client.head_object(Bucket=name, Key=f"team/{address.name}")

    assert facts["ContentType"] == "image/png"
    assert facts["CacheControl"] == "public, max-age=31536000, immutable"


def test_absent_picture(store):
    absent = MediaAddress("0" * 64, "image/png")

    assert not store.has(absent)
    for ask in (store.read, store.open, store.size):
        with pytest.raises(MediaNotFound):
            ask(absent)


def test_picture_of_another_process_is_seen_at_once(store, bucket):
    name, client = bucket
    address = MediaAddress.of(PICTURE, "image/png")
    assert not store.has(address)

    client.put_object(Bucket=name, Key=f"team/{address.name}", Body=PICTURE)

    assert store.has(address)


def test_missing_bucket(endpoint, bucket):
    store = open_store("s3://nosuchbucket-anywhere", endpoint_url=endpoint)

    with pytest.raises(MediaError, match="nosuchbucket-anywhere"):
        store.put(PICTURE, "image/png")


def test_browser_is_sent_to_a_signed_url_that_works(store):
    address = store.put(PICTURE, "image/png")

    answer = MediaDelivery(store).answer(MediaRequest("GET", address.name))

    assert answer.status == 307
    assert "Signature" in answer.headers["location"]
    picture = httpx.get(answer.headers["location"])
    assert (picture.status_code, picture.content) == (200, PICTURE)
    assert picture.headers["content-type"] == "image/png"


def test_every_signed_url_is_for_one_picture(store):
    urls = {
        store.redirect_url(MediaAddress(digit * 64, "image/png"), timedelta(minutes=1)) for digit in "0123"
    }

    assert len(urls) == 4


def test_without_redirects_the_picture_streams_through(bucket, endpoint, monkeypatch):
    monkeypatch.setenv("VLMOPS_MEDIA_REDIRECT", "0")
    store = open_store(f"s3://{bucket[0]}", endpoint_url=endpoint)
    address = store.put(PICTURE, "image/png")

    answer = MediaDelivery(store).answer(MediaRequest("GET", address.name))

    assert (answer.status, answer.body) == (200, PICTURE)


def test_unreachable_endpoint_is_an_answer(bucket):
    store = open_store(
        "s3://bucket",
        endpoint_url="http://127.0.0.1:9",
        config_kwargs={"retries": {"total_max_attempts": 1}},
        redirect=False,
    )

    answer = MediaDelivery(store).answer(MediaRequest("GET", "0" * 64 + ".png"))

    assert answer.status == 503
