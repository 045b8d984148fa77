"""``python -m vlmops.evaluators.verify``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vlmops.evaluators.verify import Vector, adapters, not_offered, read_vectors, tolerances, verify
from vlmops.evaluators.verify.__main__ import main

VECTORS = sorted((Path(__file__).parents[3] / "vectors").glob("*.json"))
GOOD = {
    "id": "one",
    "metric": "cer",
    "input": {"reference": "ab", "hypothesis": "ac"},
    "expected": {"cer": 0.5},
}


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "vectors.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def test_agreement_is_exit_code_zero(write, capsys):
    assert main([write([GOOD])]) == 0
    assert capsys.readouterr().out == "cer: 1 of 1 agree\ntotal: 1 of 1 vectors agree\n"


def test_each_difference_is_a_line_and_exit_code_one(write, capsys):
    wrong = {**GOOD, "id": "two", "expected": {"cer": 0.25}}
    raising = {**GOOD, "id": "three", "input": {}}
    unknown = {**GOOD, "id": "four", "metric": "made_up"}
    assert main([write([GOOD, wrong, raising, unknown])]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAIL two (cer): at cer: expected 0.25, got 0.5"
    assert lines[1] == "FAIL three (cer): expected {'cer': 0.5}, but it raised KeyError: 'hypothesis'"
    assert lines[2].startswith("FAIL four (made_up): the metric 'made_up' is unknown")
    assert lines[3:] == [
        "cer: 1 of 3 agree",
        "made_up: 0 of 1 agree",
        "total: 1 of 4 vectors agree",
    ]


def test_a_tolerance_in_the_vector_is_used(write):
    loose = {**GOOD, "expected": {"cer": 0.51}, "tolerance": 0.1}
    assert main([write([loose])]) == 0


def test_what_is_not_offered_is_listed_and_no_failure():
    vector = Vector("one", "meteor", {}, 0.5)
    report = verify([vector], metrics={}, absent={"meteor": "needs Java"})
    assert report.failures == ()
    assert list(report.lines()) == [
        "meteor: not offered: needs Java",
        "total: 0 of 0 vectors agree, 1 of metrics not offered",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ({"id": "one"}, "holds dict, not a list"),
        ([1], "entry 0: is int, not an object"),
        ([{**GOOD, "metric": 3}], "entry 0: 'metric' is int, not str"),
        ([{"id": "a", "metric": "cer", "input": {}}], "entry 0: has no 'expected'"),
        ([GOOD, GOOD], "the id 'one' is there twice"),
        ([{**GOOD, "tolerance": "x"}], "entry 0: 'tolerance' is str, not a number"),
    ],
)
def test_a_malformed_file_is_exit_code_two(write, capsys, content, message):
    path = write(content)
    assert main([path]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(path)
    assert message in captured.err


def test_a_missing_file_is_exit_code_two(capsys):
    assert main(["nowhere.json"]) == 2
    assert "nowhere.json: cannot be read" in capsys.readouterr().err


def test_no_file_is_a_usage_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "FILE" in capsys.readouterr().err


def test_the_module_runs_as_a_command(write):
    ran = subprocess.run(
        [sys.executable, "-m", "vlmops.evaluators.verify", write([GOOD])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("total: 1 of 1 vectors agree\n")


def test_a_tolerance_of_the_metric_is_used(monkeypatch):
    vector = Vector("one", "bradley_terry", {}, 1000.0)
    monkeypatch.setattr("vlmops.evaluators.verify.report.tolerances", lambda: {"bradley_terry": 1e-6})
    assert verify([vector], metrics={"bradley_terry": lambda _: 1000.0005}, absent={}).failures == ()
    assert verify([vector], metrics={"bradley_terry": lambda _: 1000.005}, absent={}).failures != ()


def test_tolerances_are_those_of_known_metrics():
    assert set(tolerances()) <= set(adapters())


def test_all_vectors_agree(capsys):
    assert len(VECTORS) == 11
    assert main([str(path) for path in VECTORS]) == 0
    assert "FAIL" not in capsys.readouterr().out


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_metric_of_the_vectors_is_offered_or_declined_with_a_reason(path):
    assert {vector.metric for vector in read_vectors(path)} <= adapters().keys() | not_offered().keys()
    assert all(reason.strip() for reason in not_offered().values())
