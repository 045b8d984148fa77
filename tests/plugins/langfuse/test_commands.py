"""``vlmops push`` to a Langfuse that now and then fails, and to one that refuses an item for good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from langfuse_server import Fault, LangfuseServer
from vlmops.testing import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "receipts"
    made.mkdir()
    for number in range(40):
        (made / f"p{number:02}.png").write_bytes(picture(number).read())
    return made


def push(folder: Path, server: LangfuseServer, *options: str) -> subprocess.CompletedProcess[str]:
    environment = server.environment() | {"VLMOPS_CACHE_DIR": str(folder.parent / "cache"), "COLUMNS": "200"}
    command = [sys.executable, "-m", "vlmops", "push", str(folder), "--to", "langfuse", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def stored(server: LangfuseServer) -> set[bytes | None]:
    return {server.media_bytes(identity) for identity in server.media}


def test_a_push_through_faults_ends_complete(folder: Path, langfuse_server: LangfuseServer) -> None:
    for fault in (Fault.rate_limit(), Fault.error(500), Fault.error(503, applied=True), Fault.disconnect()):
        langfuse_server.faults.add(fault.on(rate=0.05))
    ended = push(folder, langfuse_server, "--json")
    assert ended.returncode == 0, ended.stderr
    target = json.loads(ended.stdout)["targets"][0]
    assert target["created"] + target["updated"] == 40
    langfuse_server.faults.clear()
    assert len(langfuse_server.items("receipts")) == 40
    assert stored(langfuse_server) == {picture(number).read() for number in range(40)}


@pytest.mark.parametrize("fault", [Fault.error(500), Fault("answer", 400, {"message": "not welcome"})])
def test_an_item_that_never_works_is_named_and_the_rest_is_done(
    folder: Path, langfuse_server: LangfuseServer, fault: Fault
) -> None:
    langfuse_server.faults.add(fault.on("POST /api/public/dataset-items", item="p07"))
    failures = folder.parent / "failures.jsonl"
    ended = push(folder, langfuse_server, "--failures", str(failures))
    assert ended.returncode == 3
    assert "p07" in ended.stderr
    assert ["p07" in json.loads(line)["id"] for line in failures.read_text().splitlines()] == [True]
    assert len(langfuse_server.items("receipts")) == 39
    langfuse_server.faults.clear()
    assert push(folder, langfuse_server).returncode == 0
    assert len(langfuse_server.items("receipts")) == 40
