"""``vlmops run`` with a file, and ``vlmops cache``."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from vlmops.evaluators import Failure, FailureKind, Usage
from vlmops.models import ModelReply, ModelRequest, registry
from vlmops.testing import picture

TEXT = """
on = "folder:results"
dataset.source = "signs.csv"

[[variants]]
model = ["cli_sign:a", "cli_sign:b"]

[[evaluators]]
use = "cer"
"""


class Sign:
    """Answers with the question."""

    def __init__(self, argument: str) -> None:
        self.name = f"cli_sign:{argument}"

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    async def answer(self, request: ModelRequest) -> ModelReply:
        return ModelReply(request.prompt, request.prompt or "", Usage(10, 1, cost=0.5), 0.1)


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(registry._registered, "cli_sign", Sign)
    (tmp_path / "0.png").write_bytes(picture(0).read())
    (tmp_path / "signs.csv").write_text("id,file_name,question,expected\n1,0.png,one,one\n2,0.png,two,too\n")
    (tmp_path / "vlmops.toml").write_text(TEXT)


def test_the_file_here_is_run(vlmops: Any, tmp_path: Path) -> None:
    ended = vlmops("run")
    assert ended.code == 0, ended.err
    assert "cli_sign:b" in ended.out
    assert "4 calls, $2.0000 spent" in ended.out
    (report, gate) = [line for line in ended.out.splitlines() if line.startswith("next: ")]
    for command in (report, gate):
        assert vlmops(*shlex.split(command)[2:]).code == 0
    assert (tmp_path / "report.html").exists()
    again = vlmops("run", "--on", "folder:elsewhere", "--variant", "cli_sign:a", "--json")
    ran = json.loads(again.out)
    assert (ran["calls"]["calls"], ran["calls"]["cached"], ran["calls"]["saved"]) == (0, 2, 1.0)
    assert [each["name"] for each in ran["experiments"]] == ["cli_sign:a"]


def test_what_was_estimated_stands_beside_what_was_measured(
    vlmops: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "estimated for an answer" not in vlmops("run").out
    cards = tmp_path / "cards.toml"
    cards.write_text('[cards.sign]\nnames = ["cli_sign:a"]\nlike = "gpt-4o"\n')
    monkeypatch.setenv("VLMOPS_MODEL_CARDS", str(cards))
    ended = vlmops("run", "--on", "folder:carded")
    assert "cli_sign:a, estimated for an answer: input tokens" in ended.out
    assert "cli_sign:b, estimated" not in ended.out
    drift = json.loads(vlmops("run", "--on", "folder:carded", "--json").out)["drift"]
    figures = {row["name"]: row for row in drift.pop("cli_sign:a")}
    assert (figures["input_tokens"]["measured"], figures["output_tokens"]["expected"]) == (10, 500)
    assert (figures["latency"]["measured"], figures["latency"]["n"]) == (0.1, 2)
    assert drift == {}


def test_a_gate_decides(vlmops: Any, tmp_path: Path) -> None:
    (tmp_path / "vlmops.toml").write_text(TEXT + "[gate]\nmetrics.cer = { max = 0.01 }\n")
    ended = vlmops("run")
    assert ended.code == 1
    assert "gate failed" in ended.out + ended.err
    (tmp_path / "vlmops.toml").write_text(TEXT + "[gate]\nmetrics.cer = { max = 0.5 }\n")
    assert vlmops("run").code == 0


def test_ids_of_a_results_folder_need_no_quotes_and_older_ones_are_continued(
    vlmops: Any, tmp_path: Path
) -> None:
    (tmp_path / "vlmops.toml").write_text(
        TEXT.replace(
            'model = ["cli_sign:a", "cli_sign:b"]', 'name = "our $server / (é)"\nmodel = "cli_sign:a"'
        )
    )
    (first,) = json.loads(vlmops("run", "--json").out)["experiments"]
    assert re.fullmatch(r"our-server-[0-9a-f]{12}", first["id"])
    older = (
        tmp_path / "results" / "experiments" / first["id"].replace("our-server", "our %24server %2F (%C3%A9)")
    )
    older.with_name(first["id"]).rename(older)
    header = json.loads((older / "experiment.json").read_text())
    (older / "experiment.json").write_text(json.dumps({**header, "id": older.name}))
    (again,) = json.loads(vlmops("run", "--json").out)["experiments"]
    assert again["id"] == older.name
    assert vlmops("score", "--on", "folder:results", "--experiment", older.name, "-e", "wer").code == 0


def test_every_command_finds_experiments_by_name_and_tag(vlmops: Any) -> None:
    assert vlmops("run", "--tag", "r1").code == 0
    where = ("--on", "folder:results", "--dataset", "signs")
    assert vlmops("score", "--experiment", "name:cli_sign:a", "-e", "wer", *where).code == 0
    judge = 'judge_grounded={"model": "cli_sign:judge"}'
    for command in ("audit", "calibrate"):
        ended = vlmops("judges", command, judge, "--experiment", "name:nosuch", *where)
        assert "has no experiment on 'signs' with name 'nosuch'; there are: 'cli_sign:" in ended.err
    pairs = 'pairwise={"model": "cli_sign:judge"}'
    twice = vlmops("judges", "rank", pairs, "--experiment", "tag:r1", "--experiment", "tag:r1", *where)
    assert (twice.code, "cli_sign:b" in twice.out) == (0, True)


def test_a_name_in_the_place_of_an_id_is_told(vlmops: Any) -> None:
    assert vlmops("run").code == 0
    ended = vlmops("compare", "cli_sign:a", "cli_sign:b", "--on", "folder:results")
    assert ended.code == 1
    assert "'cli_sign:a' was taken for an id: to find an experiment otherwise, write name:NAME" in ended.err


def test_answers_that_failed_are_told_with_their_reason(vlmops: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(self: Sign, request: ModelRequest) -> ModelReply | Failure:
        if request.prompt == "two":
            return Failure(FailureKind.REFUSAL, "not this one")
        return ModelReply(request.prompt, request.prompt or "", Usage(10, 1), 0.1)

    monkeypatch.setattr(Sign, "answer", answer)
    ended = vlmops("run", "--variant", "cli_sign:a", "--fresh")
    assert ended.code == 3
    assert "cli_sign:a: refusal in the place of 1 answer: 2: not this one" in ended.lines


@pytest.mark.parametrize(
    ("evaluator", "says"),
    [
        ('use = "cerr"', "evaluators[0]: no evaluator is named 'cerr'; did you mean 'cer'"),
        ('use = "cer"\nkye = "text"', "unexpected keyword argument 'kye'"),
    ],
)
def test_a_wrong_evaluator_is_told_with_its_line(
    vlmops: Any, tmp_path: Path, evaluator: str, says: str
) -> None:
    (tmp_path / "vlmops.toml").write_text(TEXT.replace('use = "cer"', evaluator))
    ended = vlmops("run")
    assert ended.code == 2
    (line,) = ended.lines
    assert line.startswith("error: vlmops.toml:8: evaluators[0]: ")
    assert says in line


def test_a_budget_ends_it(vlmops: Any) -> None:
    ended = vlmops("run", "--budget-tokens", "3", "--json")
    assert ended.code == 4
    assert json.loads(ended.out)["stopped"].startswith("the budget of 3 tokens would be passed")
    assert ended.lines[-1].endswith("run the same command again to continue")
    assert vlmops("run").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "x"], "--model belongs to a run without a specification"),
        (["--spec", "none.toml"], "none.toml: there is no such file"),
        (["d", "--spec", "vlmops.toml"], "cannot both be given"),
        (["d", "--model", "cli_sign:a"], "--evaluator is missing"),
        (["--variant", "x"], "no variant is named 'x'"),
        (["--budget", "1"], "no price is known for cli_sign:a"),
    ],
)
def test_wrong_calls_are_one_line(vlmops: Any, arguments: list[str], says: str) -> None:
    ended = vlmops("run", *arguments)
    assert ended.code == 2
    (line,) = ended.lines
    assert says in line


def test_nothing_to_run(vlmops: Any, tmp_path: Path) -> None:
    (tmp_path / "vlmops.toml").unlink()
    ended = vlmops("run")
    assert (ended.code, "say what to run" in ended.err) == (2, True)


class TestCache:
    def test_it_is_shown_and_cleared(self, vlmops: Any) -> None:
        assert vlmops("run").code == 0
        shown = vlmops("cache", "show")
        assert "cli_sign:a" in shown.out
        assert "$1.0000" in shown.out
        assert vlmops("cache", "clear", "--older-than", "1h").out == "0 answers removed\n"
        assert vlmops("cache", "clear", "--model", "cli_sign:a").out == "2 answers removed\n"
        left = json.loads(vlmops("cache", "show", "--json").out)
        assert [each["model"] for each in left["models"]] == ["cli_sign:b"]
        assert json.loads(vlmops("cache", "clear", "--all", "--json").out) == {"removed": 2}

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [([], "say what to remove"), (["--older-than", "soon"], "give a number and m, h, d or w")],
    )
    def test_wrong_calls(self, vlmops: Any, arguments: list[str], says: str) -> None:
        ended = vlmops("cache", "clear", *arguments)
        assert (ended.code, says in ended.err) == (2, True)
