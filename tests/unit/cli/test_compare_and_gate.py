"""``vlmops compare`` and ``vlmops gate``: what people read, what machines read, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from vlmops import Experiment, ImageDataset, Sample, function_task, push
from vlmops.evaluators import CharacterErrorRate
from vlmops.testing import picture


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=pytest.fail)


@pytest.fixture
def ids(stub: Any) -> dict[str, str]:
    """Ids of three experiments on 30 samples: two alike, one much worse."""
    samples = [
        Sample(
            f"s{at}",
            {"image": picture(at)},
            expected="abcdefgh",
            metadata={"light": "dim" if at % 2 else "day"},
        )
        for at in range(30)
    ]
    push(ImageDataset.from_samples("parts", samples), stub.platform)

    def ran(name: str, broken: int, branch: str) -> str:
        task = function_task(lambda sample: "xx" if int(sample.id[1:]) < broken else "abcdefgh")
        experiment = Experiment(
            "parts", name, task, [CharacterErrorRate()], metadata={"git_branch": branch, "n": name}
        )
        return experiment.run(stub.platform).record.id

    return {
        "old": ran("old", 2, "main"),
        "same": ran("same", 2, "next"),
        "worse": ran("worse", 20, "worse"),
    }


class TestCompare:
    def test_for_people(self, vlmops: Any, ids: dict[str, str]) -> None:
        ended = vlmops("compare", ids["old"], ids["worse"], "--on", "stub", "--slice", "light", "-e", "cer")
        assert ended.code == 0
        assert "old (baseline)" in ended.out
        assert "cer [light=dim] ↓" in ended.out
        assert "worse" in ended.out
        assert "side by side: memory:" in ended.out

    def test_for_machines(self, vlmops: Any, ids: dict[str, str]) -> None:
        found = strict(vlmops("compare", ids["old"], ids["worse"], "--on", "stub", "--json").out)
        assert [variant["name"] for variant in found["variants"]] == ["old", "worse"]
        (cer,) = [measure for measure in found["metrics"] if measure["name"] == "cer"]
        assert cer["values"][1]["difference"]["verdict"] == "worse"

    def test_for_pull_requests(self, vlmops: Any, ids: dict[str, str]) -> None:
        ended = vlmops("compare", ids["old"], ids["same"], ids["worse"], "--on", "stub", "--markdown")
        assert ended.out.count("| metric | old (baseline) |") == 2

    def test_by_name_and_branch(self, vlmops: Any, ids: dict[str, str]) -> None:
        ended = vlmops("compare", "branch:main", "name:worse", "--dataset", "parts", "--on", "stub", "--json")
        assert [variant["id"] for variant in strict(ended.out)["variants"]] == [ids["old"], ids["worse"]]

    def test_on_the_platform_too(self, vlmops: Any, ids: dict[str, str], stub: Any) -> None:
        vlmops("compare", ids["old"], ids["worse"], "--on", "stub", "--record")
        assert "cer vs baseline" in stub.platform.experiments.stored[ids["worse"]].set_scores

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["one"], "at least two"),
            (["nope", "nada"], "no experiment 'nope'"),
            (["branch:main", "branch:next"], "--dataset"),
        ],
    )
    def test_mistakes_are_one_line(self, vlmops: Any, stub: Any, arguments: list[str], problem: str) -> None:
        ended = vlmops("compare", *arguments, "--on", "stub")
        assert ended.code in (1, 2)
        assert problem in ended.err
        assert len(ended.lines) == 1


class TestGate:
    def test_a_regression_fails(self, vlmops: Any, ids: dict[str, str], tmp_path: Path) -> None:
        outputs = ("--junit", "gate.xml", "--markdown", "summary.md")
        (tmp_path / "summary.md").write_text("what another step said\n")
        ended = vlmops(
            *("gate", ids["worse"], "--baseline", ids["old"], "--max-drop", "cer=0.05", "--on", "stub"),
            *outputs,
        )
        assert ended.code == 1
        assert "fail: cer max_drop 0.05" in ended.err
        assert "gate failed for worse: 1 fail" in ended.out
        assert ElementTree.parse(tmp_path / "gate.xml").getroot().attrib["failures"] == "1"
        assert (
            (tmp_path / "summary.md")
            .read_text()
            .startswith("what another step said\n## ❌ vlmops gate failed")
        )

    def test_no_difference_passes(self, vlmops: Any, ids: dict[str, str]) -> None:
        ended = vlmops(
            *("gate", "branch:next", "--baseline", "branch:main", "--dataset", "parts"),
            *("--max-drop", "cer=0.2", "--max-error-rate", 0.1, "--on", "stub", "--json"),
        )
        assert ended.code == 0
        found = strict(ended.out)
        assert found["passed"] is True
        assert found["baseline"]["id"] == ids["old"]
        assert [check["status"] for check in found["checks"]] == ["pass", "pass"]

    def test_strict_fails_what_is_not_shown(self, vlmops: Any, ids: dict[str, str]) -> None:
        arguments = ("gate", ids["same"], "--baseline", ids["old"], "--max-drop", "cer=0.001", "--on", "stub")
        assert vlmops(*arguments).code == 0
        assert vlmops(*arguments, "--strict").code == 1

    def test_rules_of_a_file_yield_to_options(self, vlmops: Any, ids: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "vlmops.toml").write_text("[gate]\nmetrics.cer.max = 0.01\nslices = ['light']\n")
        assert vlmops("gate", ids["old"], "--on", "stub").code == 1
        assert (
            vlmops("gate", ids["old"], "--rules", "vlmops.toml", "--max", "cer=0.5", "--on", "stub").code == 0
        )

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ((), "no rule and would let everything pass"),
            (("--min", "cer"), "--min takes metric=number"),
            (("--min", "cer=high"), "--min takes metric=number"),
            (("--max-drop", "cer=0.1"), "compare with a baseline"),
            (("--rules", "none.toml"), "none.toml: cannot be read"),
        ],
    )
    def test_mistakes_in_rules(
        self, vlmops: Any, ids: dict[str, str], arguments: tuple[str, ...], problem: str
    ) -> None:
        ended = vlmops("gate", ids["old"], "--on", "stub", *arguments)
        assert ended.code == 2
        assert problem in ended.err

    def test_a_missing_metric_is_no_pass(self, vlmops: Any, ids: dict[str, str]) -> None:
        ended = vlmops("gate", ids["old"], "--min", "accuracy=0.5", "--on", "stub")
        assert ended.code == 1
        assert "error: accuracy min 0.5: the comparison has no measure 'accuracy'" in ended.err
