"""Mirroring on Phoenix, whose own way to delete examples has limits that a user must not meet."""

from __future__ import annotations

from typing import Any

import pytest

from vlmops import ImageDataset, Sample, connect, push
from vlmops.platforms import TargetReport
from vlmops.testing import picture

pytestmark = pytest.mark.integration


@pytest.fixture
def mirror(phoenix_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
    platform = connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)

    def mirror(name: str, *ids: str) -> TargetReport:
        samples = [Sample(i, {"image": picture(len(i))}, split="even" if len(i) % 2 else "odd") for i in ids]
        report = push(ImageDataset.from_samples(name, samples), platform, mirror=True)
        assert report.ok, report.targets[0].failures
        return report.targets[0]

    return mirror


def test_what_came_back_can_be_removed_again(mirror: Any, remote: Any) -> None:
    for _ in range(3):
        assert mirror("tides", "low", "high", "ebb").created in (3, 1)
        assert mirror("tides", "low", "high").deleted == 1
        assert set(remote.content("tides")) == {"low", "high"}


def test_what_stays_keeps_its_content_and_split(mirror: Any, remote: Any) -> None:
    mirror("kept", "a", "bb", "ccc")
    before = remote.content("kept")
    for _ in range(2):
        mirror("kept", "a", "bb")
        mirror("kept", "a", "bb", "ccc")
    assert remote.content("kept") == before
    dataset = remote.dataset("kept")["id"]
    for split, ids in {"even": {"a", "ccc"}, "odd": {"bb"}}.items():
        examples = remote.get(f"/v1/datasets/{dataset}/examples", split=split)["examples"]
        assert {example["id"] for example in examples} == ids


def test_all_can_be_removed_twice(mirror: Any, remote: Any) -> None:
    for _ in range(2):
        mirror("emptied", "a", "bb")
        assert mirror("emptied").deleted == 2
        assert remote.content("emptied") == {}
