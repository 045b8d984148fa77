"""However a process ends, or multiplies, its spans arrive once, with their pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from otlp_receiver import OtlpReceiver
from tracing_doubles import IMAGE_URL

sys.path.insert(0, str(Path(__file__).parents[2]))

from langfuse_server import LangfuseServer

pytestmark = pytest.mark.integration

INSTRUMENT = "vlmops.instrument('phoenix', openai=False)\n"
ENDS = {
    "by itself": ("", (0,)),
    "sys.exit": ("sys.exit(3)", (3,)),
    "an exception": ("raise RuntimeError('the application failed')", (1,)),
    "an interrupt": ("raise KeyboardInterrupt", (1, -2)),
    "after a flush, without any handler": ("tracing.flush(); os._exit(0)", (0,)),
    "after shutdown": ("tracing.shutdown()", (0,)),
    "asyncio": ("asyncio.run(asyncio.sleep(0))", (0,)),
}


def assert_arrived(receiver: OtlpReceiver, names: list[str]) -> None:
    assert receiver.names == sorted(names)
    for span in receiver.spans:
        assert span["attributes"][IMAGE_URL].startswith("/vlmops/media/")


@pytest.mark.parametrize("end", ENDS)
def test_spans_arrive_however_the_process_ends(application, receiver: OtlpReceiver, end: str) -> None:
    code, status = ENDS[end]
    work = "for number in range(20): span(str(number), number)\n"
    application.run(f"tracing = {INSTRUMENT}{work}{code}", expected=status)
    assert_arrived(receiver, [str(number) for number in range(20)])
    assert application.stored == 20


def test_threads_that_outlive_the_main_one_are_heard(application, receiver: OtlpReceiver) -> None:
    application.run(
        INSTRUMENT
        + "def work():\n    span('early', 1)\n    time.sleep(1)\n    span('late', 2)\n"
        + "threading.Thread(target=work).start()\n"
    )
    assert_arrived(receiver, ["early", "late"])


def test_a_forked_child_exports_its_own_spans_and_not_its_parents(
    application, receiver: OtlpReceiver
) -> None:
    application.run(
        INSTRUMENT
        + "span('before', 1)\n"
        + "child = os.fork()\n"
        + "if child == 0:\n    span('child', 2)\n    sys.exit(0)\n"
        + "span('parent', 3)\n"
        + "assert os.waitpid(child, 0)[1] == 0\n"
    )
    assert_arrived(receiver, ["before", "child", "parent"])


def test_workers_forked_from_a_preloaded_application(application, receiver: OtlpReceiver) -> None:
    """As gunicorn does with --preload: the application is loaded, then forked, under traffic of its own."""
    application.run(
        INSTRUMENT
        + "for number in range(5): span(f'master {number}', number)\n"
        + "workers = []\n"
        + "for worker in range(3):\n"
        + "    child = os.fork()\n"
        + "    if child == 0:\n"
        + "        for number in range(10): span(f'worker {worker} {number}', 100 * worker + number)\n"
        + "        sys.exit(0)\n"
        + "    workers.append(child)\n"
        + "assert all(os.waitpid(child, 0)[1] == 0 for child in workers)\n"
    )
    names = [f"master {number}" for number in range(5)]
    names += [f"worker {worker} {number}" for worker in range(3) for number in range(10)]
    assert_arrived(receiver, names)


def test_a_child_forked_while_the_queue_is_in_use_does_not_hang(application, receiver: OtlpReceiver) -> None:
    application.run(
        INSTRUMENT
        # An import in one thread while another one forks would never end in the child.
        + "picture(1), picture(2)\n"
        + "stop = threading.Event()\n"
        + "def work():\n    while not stop.is_set(): span('busy', 1)\n"
        + "threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]\n"
        + "for thread in threads: thread.start()\n"
        + "children = []\n"
        + "for _ in range(10):\n"
        + "    child = os.fork()\n"
        + "    if child == 0:\n        span('child', 2)\n        sys.exit(0)\n"
        + "    children.append(child)\n"
        + "assert all(os.waitpid(child, 0)[1] == 0 for child in children)\n"
        + "stop.set()\n"
    )
    assert receiver.names.count("child") == 10


def test_workers_with_langfuse(make_application: Callable) -> None:
    with LangfuseServer() as server:
        application = make_application(
            LANGFUSE_BASE_URL=server.url,
            LANGFUSE_PUBLIC_KEY=server.public_key,
            LANGFUSE_SECRET_KEY=server.secret_key,
        )
        application.run(
            "vlmops.instrument('langfuse', openai=False)\n"
            "import langfuse\n"
            "def observe(name, number):\n"
            "    client, given = langfuse.get_client(), {'image': png(number)}\n"
            "    with client.start_as_current_observation(name=name, input=given): pass\n"
            "observe('master', 1)\n"
            "child = os.fork()\n"
            "if child == 0:\n    observe('worker', 2)\n    sys.exit(0)\n"
            "assert os.waitpid(child, 0)[1] == 0\n"
        )
        assert sorted(each.name for each in server.observations) == ["master", "worker"]
        assert all("@@@langfuseMedia" in each.input for each in server.observations)
        assert [media.upload_status for media in server.media.values()] == [200, 200]


def test_the_uploader_of_openinference_needs_no_code(
    make_application: Callable, receiver: OtlpReceiver
) -> None:
    """Only ``OPENINFERENCE_BLOB_UPLOADER=vlmops``: the application knows nothing of vlmops."""
    application = make_application(OPENINFERENCE_BLOB_UPLOADER="vlmops", PHOENIX_ENDPOINT=receiver.url)
    start = (
        "import os, sys\nsys.path.insert(0, os.environ['SUPPORT'])\n"
        "from tracing_doubles import IMAGE_URL, png, uri\n"
        "from openinference.instrumentation import TracerProvider\n"
        "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor\n"
        f"there = {receiver.url!r} + '/v1/traces'\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(there)))\n"
        "tracer = provider.get_tracer('app')\n"
        "with tracer.start_as_current_span('ask') as span:\n"
        "    span.set_attribute(IMAGE_URL, uri(png(1, side=200)))\n"
    )
    application.run("", start=start)
    (span,) = receiver.spans
    assert span["attributes"][IMAGE_URL].startswith(f"{receiver.url}/vlmops/media/")
    assert application.stored == 1
