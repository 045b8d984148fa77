"""A report of three variants that ran on a platform: two local readers and a model behind an interface."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import ChatServer, completion, error
from phoenix_process import Phoenix

import vlmops
from langfuse_server import LangfuseServer
from langfuse_server.fixtures import langfuse_server
from vlmops import Experiment, ImageDataset, ModelTask
from vlmops.blocking import blocking
from vlmops.demo.dataset import demo_folder
from vlmops.evaluators import create
from vlmops.experiments import compare, record_comparison
from vlmops.models import create as create_model
from vlmops.platforms import Platform, push_async
from vlmops.platforms.records import ExperimentRecord
from vlmops.reports import Report, past_runs, report

__all__ = ["langfuse_server"]

pytestmark = pytest.mark.integration
SAMPLES = 3
DATASET = "documents"


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """Answers at length, with usage; refuses every third request."""
    server = ChatServer()
    answers = itertools.cycle(
        [
            completion(
                '{"text": "RECEIPT TOTAL 12.50"}', prompt_tokens=900, completion_tokens=20, total_tokens=920
            ),
            error(400, "the picture is not to our taste", code="content_filter"),
            completion('{"text": "nothing"}', prompt_tokens=900, completion_tokens=9, total_tokens=909),
        ]
    )
    server.answer = lambda path, body: next(answers)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


def ran(platform: Platform, chat: ChatServer) -> list[ExperimentRecord]:
    """The three variants, one after another."""
    return blocking(lambda: ran_async(platform, chat), platform)


async def ran_async(platform: Platform, chat: ChatServer) -> list[ExperimentRecord]:
    every = ImageDataset.from_folder(demo_folder())
    few = list(itertools.islice(every, SAMPLES))
    pushed = await push_async(ImageDataset.from_samples(DATASET, few), platform)
    assert pushed.ok
    remote = create_model("openai:test-model", base_url=chat.url, api_key="sk-test")
    prompt = 'Read all text. Answer with JSON: {"text": "..."}'
    tasks = {
        "rapidocr-onnxruntime": ModelTask(create_model("rapidocr-onnxruntime")),
        "rapidocr": ModelTask(create_model("rapidocr")),
        "test-model": ModelTask(remote, prompt, post_process=lambda reply: json.loads(reply.text)),
    }
    try:
        return [
            (
                await Experiment(
                    DATASET,
                    name,
                    task,
                    [create("cer", key="text"), create("anls", key="text")],
                    metadata={"model": name, "prompt": prompt if name == "test-model" else "none"},
                    concurrency=1,
                ).run_async(platform)
            ).record
            for name, task in tasks.items()
        ]
    finally:
        await remote.aclose()


def check(made: Report, file: Path) -> None:
    page = made.save(file).read_text()
    assert "rapidocr-onnxruntime" in page
    assert len(made.samples.rows) == SAMPLES
    assert all("u" in picture for picture in made.samples.pictures)
    assert len(made.samples.pictures) == SAMPLES
    assert all("{trace}" in link for link in made.trace_links)
    failed = [cell for row in made.samples.rows if "f" in (cell := row["c"][2])]
    assert len(failed) == 1
    assert made.samples.rows[0]["c"][2]["n"] == [900, 20]
    assert {run.name for run in made.history} == {"rapidocr-onnxruntime", "rapidocr", "test-model"}


def test_on_phoenix(
    phoenix_server: Phoenix,
    chat_server: ChatServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from vlmops.cli import main

    platform = vlmops.connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)
    records = ran(platform, chat_server)
    check(
        report(records, slices=["difficulty"], history=past_runs(platform, DATASET, records)),
        tmp_path / "report.html",
    )
    monkeypatch.setenv("VLMOPS_MEDIA_STORE", phoenix_server.media_store)
    chosen = ["name:rapidocr-onnxruntime", "name:rapidocr", "name:test-model", "--dataset", DATASET]
    written = ["-o", str(tmp_path / "cli.html"), "-o", str(tmp_path / "cli.md"), "--push", "--json"]
    arguments = [
        "vlmops",
        "report",
        *chosen,
        "--url",
        phoenix_server.url,
        "-e",
        'cer={"key": "text"}',
        *written,
    ]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    said = json.loads(capsys.readouterr().out)
    assert (said["samples"], said["pictures"], said["pictures_left_out"]) == (SAMPLES, SAMPLES, 0)
    assert "rapidocr" in (tmp_path / "cli.md").read_text()
    (header, *_) = blocking(lambda: platform.experiments.find(DATASET, name="rapidocr"), platform)
    assert "cer vs baseline" in header.metadata["scores"]


def test_on_langfuse(langfuse_server: LangfuseServer, chat_server: ChatServer, tmp_path: Path) -> None:
    platform = vlmops.connect(
        "langfuse",
        url=langfuse_server.url,
        public_key=langfuse_server.public_key,
        secret_key=langfuse_server.secret_key,
    )
    records = ran(platform, chat_server)
    found = compare(records)
    record_comparison(platform, found)
    check(report(records, found, history=past_runs(platform, DATASET, records)), tmp_path / "report.html")
