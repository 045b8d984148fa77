"""A package of somebody else's brings an evaluator: installed, listed, and run on platforms."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from wheels import run

if TYPE_CHECKING:
    from pathlib import Path

    from phoenix_process import Phoenix

EXPERIMENT = """
import json, sys
from vlmops import ImageDataset
from vlmops.datasets import Sample
from vlmops.evaluators import Score, create
from vlmops.experiments import Experiment
from vlmops.models import ModelReply
from vlmops.platforms import connect, push
from vlmops.testing import MemoryPlatform

platform = connect("phoenix", url=sys.argv[1], media_store=sys.argv[2]) if sys.argv[1:] else MemoryPlatform()
push(ImageDataset.from_samples("plugin", [Sample("a", {"q": 1}), Sample("b", {"q": 2})]), platform)

async def task(sample):
    text = "STOP" if sample.id == "a" else "stop"
    return ModelReply(text, text)

result = Experiment("plugin", "by somebody else", task, [create("shouting")]).run(platform)
print(json.dumps({run.case.id: [score.value for score in run.results] for run in result.record.runs}))
"""


def test_it_is_listed_with_its_summary(shouting: Path):
    listed = run(sys.executable, "-m", "vlmops", "evaluators", "shouting", "--json", PYTHONPATH=str(shouting))
    assert json.loads(listed) == [
        {
            "name": "shouting",
            "origin": "vlmops_shouting:Shouting",
            "summary": "Whether the answer is all capitals.",
            "error": "",
        }
    ]


def test_without_it_nothing_is_listed():
    assert json.loads(run(sys.executable, "-m", "vlmops", "evaluators", "shouting", "--json")) == []


def test_it_scores_in_memory(shouting: Path):
    printed = run(sys.executable, "-c", EXPERIMENT, PYTHONPATH=str(shouting))
    assert json.loads(printed.splitlines()[-1]) == {"a": [True], "b": [False]}


@pytest.mark.integration
def test_it_scores_on_phoenix(shouting: Path, phoenix_server: Phoenix, tmp_path: Path):
    printed = run(
        *(sys.executable, "-c", EXPERIMENT, phoenix_server.url, phoenix_server.media_store),
        PYTHONPATH=str(shouting),
        VLMOPS_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert json.loads(printed.splitlines()[-1]) == {"a": [True], "b": [False]}
