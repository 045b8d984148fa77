"""Commands: what people read, what machines read, and the exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from vlmops.evaluators import Case, Failure, FailureKind
from vlmops.models import ModelReply, ModelRequest, register
from vlmops.platforms import Check, Execution, ScoreTarget
from vlmops.testing import picture

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "cli.md"


@register("cli_echo")
class Echo:
    """Answers with the question; fails on ``broken``."""

    name = "cli_echo"

    def __init__(self, broken: str = "") -> None:
        self.broken = broken

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        if self.broken:
            return Failure(FailureKind.REFUSAL, "I would rather not")
        return ModelReply(output=request.prompt, text=request.prompt or "", latency=0.5)


def strict(text: str) -> Any:
    """JSON as every reader takes it: without NaN."""
    return json.loads(text, parse_constant=pytest.fail)


def all_commands() -> Iterator[tuple[str, ...]]:
    from vlmops.cli.app import app

    def below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in getattr(command, "commands", {}).items():
            yield from below(inner, (*path, name))

    yield from below(get_command(app), ())


COMMANDS = [*all_commands()]


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_every_command_explains_itself(self, vlmops: Any, command: tuple[str, ...]) -> None:
        ended = vlmops(*command, "--help")
        assert ended.code == 0
        assert " ".join(("Usage: vlmops", *command)) in ended.out
        assert "Traceback" not in ended.out + ended.err

    @pytest.mark.parametrize("command", [c for c in COMMANDS if c], ids=" ".join)
    def test_every_command_is_documented(self, command: tuple[str, ...]) -> None:
        assert f"vlmops {' '.join(command)}" in DOCUMENTATION.read_text(encoding="utf-8")

    def test_every_documented_option_exists(self) -> None:
        from vlmops.cli.app import app

        def options(command: Any) -> Iterator[str]:
            for parameter in command.params:
                yield from parameter.opts
            for inner in getattr(command, "commands", {}).values():
                yield from options(inner)

        written = set(re.findall(r"`(--?[a-z][a-z-]*)", DOCUMENTATION.read_text(encoding="utf-8")))
        assert written <= {*options(get_command(app)), "--help", "-h"}

    def test_exit_codes_are_documented(self) -> None:
        from vlmops.cli.exit_codes import ExitCode

        text = DOCUMENTATION.read_text(encoding="utf-8")
        assert all(f"| {code.value} |" in text for code in ExitCode)

    def test_version(self, vlmops: Any) -> None:
        from importlib.metadata import version

        assert vlmops("--version").out.strip() == version("vlmops")

    @pytest.mark.parametrize(
        "arguments", [["nosuch"], ["push"], ["push", ".", "--nosuch"], ["run", "--nosuch"]]
    )
    def test_a_wrong_call_is_a_usage_error(self, vlmops: Any, arguments: list[str]) -> None:
        ended = vlmops(*arguments)
        assert ended.code == 2
        assert "Usage: vlmops" in ended.err


class TestEvaluators:
    def test_each_has_a_line(self, vlmops: Any) -> None:
        from vlmops.evaluators import entries

        ended = vlmops("evaluators")
        assert ended.code == 0
        names = [line.split()[0] for line in ended.out.splitlines() if line[:1].strip()]
        assert {entry.name for entry in entries()} <= set(names)

    def test_as_json(self, vlmops: Any) -> None:
        listed = strict(vlmops("evaluators", "--json").out)
        assert all(entry["summary"] and not entry["error"] for entry in listed if "vlmops" in entry["origin"])
        assert "cer" in {entry["name"] for entry in listed}

    def test_filtered(self, vlmops: Any) -> None:
        found = strict(vlmops("evaluators", "Edit", "--json").out)
        assert {"normalized_edit_distance", "page_edit_distance", "judge_edit"} <= {
            each["name"] for each in found
        }
        assert all("edit" in each["name"] or "edit" in each["summary"].lower() for each in found)

    def test_nothing_found_is_said(self, vlmops: Any) -> None:
        ended = vlmops("evaluators", "nosuch")
        assert (ended.code, ended.out.strip()) == (0, "")
        assert "no evaluator speaks of 'nosuch'" in ended.err

    def test_descriptions_are_plain_text(self, vlmops: Any) -> None:
        assert "``" not in vlmops("evaluators").out
        assert "``" not in vlmops("judges", "list").out


class TestPush:
    def test_for_people(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        ended = vlmops("push", pictures, "--to", "stub", "--name", "[bold]parts [/]")
        assert ended.code == 0
        assert ended.err == ""
        assert "[bold]parts [/]  revision " in ended.out
        assert re.search(r"stub +│ +4 │ +0 │ +0 │ +0 │ +0 ", ended.out)
        assert "stub: memory:[bold]parts [/]" in ended.out

    def test_for_machines(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        ended = vlmops("push", pictures, "--to", "stub", "--json")
        assert ended.code == 0
        report = strict(ended.out)
        assert report["dataset"] == "parts"
        assert len(report["revision"]) == 64
        assert report["targets"][0]["created"] == 4
        again = strict(vlmops("push", pictures, "--to", "stub", "--json").out)
        assert again["targets"][0]["unchanged"] == 4
        assert again["revision"] == report["revision"]

    def test_what_a_platform_refuses_is_listed(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        stub.platform.refused_ids.add("good/2.png")
        ended = vlmops("push", pictures, "--to", "stub", "--failures", "failures.jsonl")
        assert ended.code == 3
        assert ended.lines == [f"failed: {pictures}/good/2.png: refused: an id in this batch is not welcome"]
        (failure,) = [strict(line) for line in Path("failures.jsonl").read_text().splitlines()]
        assert failure["id"] == "good/2.png"
        assert failure["source"] == f"{pictures}/good/2.png"

    def test_the_failure_file_is_empty_when_nothing_failed(
        self, vlmops: Any, stub: Any, pictures: Path
    ) -> None:
        Path("failures.jsonl").write_text("of an earlier push")
        assert vlmops("push", pictures, "--to", "stub", "--failures", "failures.jsonl").code == 0
        assert Path("failures.jsonl").read_text() == ""

    def test_columns_are_named(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        table = pictures.parent / "table.csv"
        table.write_text("key,photograph,shade,hint\nk1,parts/good/0.png,red,look twice\n")
        arguments = ["--id", "key", "--image", "photograph", "--expected", "shade", "--input", "hint"]
        assert vlmops("push", table, "--to", "stub", *arguments).code == 0
        (sample,) = stub.platform.stored["table"].versions[-1].values()
        assert (sample.id, sample.expected) == ("k1", {"shade": "red"})
        assert sample.inputs["hint"] == "look twice"
        assert sample.inputs["photograph"] == picture(0)

    def test_pictures_are_shrunk(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        assert vlmops("push", pictures, "--to", "stub", "--max-side", 10).code == 0
        for sample in stub.platform.stored["parts"].versions[-1].values():
            assert max(sample.images[0].size) == 10

    def test_mirror_removes(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        vlmops("push", pictures, "--to", "stub")
        (pictures / "good" / "0.png").unlink()
        ended = vlmops("push", pictures, "--to", "stub", "--mirror", "--json")
        assert strict(ended.out)["targets"][0]["deleted"] == 1

    def test_a_platform_named_twice_is_pushed_to_once(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        ended = vlmops("push", pictures, "--to", "stub", "--to", "stub", "--json")
        assert len(strict(ended.out)["targets"]) == 1

    @pytest.mark.parametrize(("place", "name"), [("parts", "parts"), ("v1.2", "v1.2"), ("t.v1.csv", "t.v1")])
    def test_its_name_is_that_of_the_folder_or_table(
        self, vlmops: Any, stub: Any, pictures: Path, place: str, name: str
    ) -> None:
        if place.endswith(".csv"):
            Path(place).write_text("file_name\nparts/good/0.png\n")
        elif place != "parts":
            pictures.rename(place)
        assert strict(vlmops("push", place, "--to", "stub", "--json").out)["dataset"] == name

    def test_the_address_is_handed_on(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        vlmops("push", pictures, "--to", "stub", "--url", "http://there")
        assert stub.options == {"url": "http://there"}

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["nowhere", "--to", "stub"], "nowhere: there is nothing there"),
            (["", "--to", "stub"], "the location is empty"),
            (["parts", "--to", "nosuch"], "no platform is named 'nosuch'; there are: "),
            (["parts", "--to", "stub", "--max-side", "-1"], "must be above 0"),
            (["parts", "--to", "stub", "--name", " "], "' ' is no name for a dataset"),
            (["parts", "--to", "stub", "--failures", "no/f.jsonl"], "no/f.jsonl cannot be written"),
        ],
    )
    def test_a_mistake_is_one_line(
        self, vlmops: Any, stub: Any, pictures: Path, arguments: list[str], says: str
    ) -> None:
        ended = vlmops("push", *arguments)
        assert ended.code == 2
        (line,) = ended.lines
        assert line.startswith("error: ")
        assert says in line

    def test_an_interrupt_says_how_to_go_on(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        stub.interrupt = True
        ended = vlmops("push", pictures, "--to", "stub")
        assert ended.code == 130
        assert ended.lines == ["interrupted: run the same command again to continue"]


class TestPull:
    def test_what_was_pushed_comes_back(self, vlmops: Any, stub: Any, pictures: Path) -> None:
        pushed = strict(vlmops("push", pictures, "--to", "stub", "--json").out)
        pulled = strict(vlmops("pull", "parts", "copy", "--on", "stub", "--json").out)
        assert (pulled["samples"], pulled["revision"]) == (4, pushed["revision"])
        assert "4 samples in " in vlmops("pull", "parts", "copy", "--on", "stub").out
        again = strict(vlmops("push", "copy", "--to", "stub", "--name", "parts", "--json").out)
        assert again["targets"][0]["unchanged"] == 4

    def test_what_is_not_there_is_one_line(self, vlmops: Any, stub: Any) -> None:
        ended = vlmops("pull", "nosuch", "copy", "--on", "stub")
        assert ended.code == 1
        assert ended.lines == ["error: there is no dataset 'nosuch': push it first"]


class TestRun:
    @pytest.fixture
    def questions(self, vlmops: Any, stub: Any, pictures: Path) -> str:
        table = pictures.parent / "questions.csv"
        table.write_text(
            "id,file_name,question,expected\n1,parts/good/0.png,one,one\n2,parts/good/2.png,two,too\n"
        )
        assert vlmops("push", table, "--to", "stub").code == 0
        return "questions"

    def test_for_people(self, vlmops: Any, questions: str) -> None:
        ended = vlmops("run", questions, "--on", "stub", "-m", "cli_echo", "-e", "cer")
        assert ended.code == 0
        assert re.search(r"cer ↓ +│ +0\.167 \[.+\] +n=2", ended.out)
        assert "2 of 2" in ended.out

    def test_for_machines(self, vlmops: Any, questions: str) -> None:
        models = ["-m", "cli_echo", "-m", "cli_echo:broken"]
        ended = vlmops("run", questions, "--on", "stub", *models, "-e", "cer", "--json")
        assert ended.code == 3
        ran = strict(ended.out)
        well, broken = ran["experiments"]
        assert well["summary"]["scores"][0]["value"] == pytest.approx(1 / 6)
        assert broken["summary"]["failures"] == {"refusal": 2}
        assert (ran["calls"]["calls"], ran["stopped"]) == (4, "")
        assert [variant["name"] for variant in ran["comparison"]["variants"]] == [
            "cli_echo",
            "cli_echo:broken",
        ]

    def test_evaluators_take_parameters(self, vlmops: Any, questions: str) -> None:
        named = 'cer={"name": "edits"}'
        ended = vlmops("run", questions, "--on", "stub", "-m", "cli_echo", "-e", named, "--json")
        assert ended.code == 0
        assert strict(ended.out)["experiments"][0]["summary"]["scores"][0]["name"] == "edits"

    @pytest.mark.parametrize(
        ("evaluator", "says"),
        [
            ("nosuch", "no evaluator is named 'nosuch'; 'vlmops evaluators' lists all"),
            ("cer={bad", "the parameters of evaluator 'cer' are not JSON"),
            ("cer=[1]", "the parameters of evaluator 'cer' must be a JSON object"),
            ('cer={"nosuch": 1}', "unexpected keyword argument 'nosuch'; it takes: "),
        ],
    )
    def test_a_wrong_evaluator_is_one_line(
        self, vlmops: Any, questions: str, evaluator: str, says: str
    ) -> None:
        ended = vlmops("run", questions, "--on", "stub", "-m", "cli_echo", "-e", evaluator)
        assert ended.code == 2
        (line,) = ended.lines
        assert says in line

    def test_an_unknown_model_is_one_line(self, vlmops: Any, questions: str) -> None:
        ended = vlmops("run", questions, "--on", "stub", "-m", "nosuch", "-e", "cer")
        assert ended.code == 2
        (line,) = ended.lines
        assert "no model is named 'nosuch'; there are: " in line


class TestScore:
    @pytest.fixture
    def recorded(self, stub: Any) -> None:
        for number in range(3):
            case = Case("abc", inputs={"image": picture(number)}, expected="abd", id=str(number))
            execution = Execution(case, ScoreTarget("span", str(number), "t"), datetime.now(UTC))
            stub.platform.recorded.append(execution)

    @pytest.mark.usefixtures("recorded")
    def test_recorded_executions(self, vlmops: Any) -> None:
        arguments = ["score", "--on", "stub", "--project", "app", "-e", "cer"]
        assert "3 executions, 3 scores written" in vlmops(*arguments).out
        report = strict(vlmops(*arguments, "--json").out)
        assert (report["executions"], report["written"], report["failures"]) == (3, 3, [])

    @pytest.mark.usefixtures("recorded")
    def test_what_is_refused_is_listed(self, vlmops: Any, stub: Any) -> None:
        stub.platform.refused_ids.add("1")
        ended = vlmops("score", "--on", "stub", "--project", "app", "-e", "cer")
        assert ended.code == 3
        (line,) = ended.lines
        assert line.startswith("failed: 1: ")

    @pytest.mark.parametrize("what", [[], ["--project", "app", "--experiment", "e1"]])
    def test_one_thing_is_scored(self, vlmops: Any, stub: Any, what: list[str]) -> None:
        ended = vlmops("score", "--on", "stub", "-e", "cer", *what)
        assert ended.code == 2
        assert ended.lines == ["error: say what to score: --experiment ID, or --project NAME"]


class TestDoctor:
    CHECKS = (
        Check("server", "ok", "version [1.2] at http://[::1]:6006"),
        Check("store", "warning", "slow", "use a local folder [red]now[/red]"),
        Check("key", "error", "refused", "set STUB_KEY"),
    )

    def test_for_people(self, vlmops: Any, stub: Any) -> None:
        stub.platform.checks = [*self.CHECKS]
        ended = vlmops("doctor", "stub")
        assert ended.code == 1
        assert [line.rstrip() for line in ended.out.splitlines()] == [
            "ok      server: version [1.2] at http://[::1]:6006",
            "warning store: slow",
            "        -> use a local folder [red]now[/red]",
            "error   key: refused",
            "        -> set STUB_KEY",
        ]

    def test_for_machines(self, vlmops: Any, stub: Any) -> None:
        stub.platform.checks = [*self.CHECKS]
        ended = vlmops("doctor", "stub", "--json")
        assert ended.code == 1
        assert [check["status"] for check in strict(ended.out)] == ["ok", "warning", "error"]

    def test_a_warning_is_no_error(self, vlmops: Any, stub: Any) -> None:
        stub.platform.checks = [*self.CHECKS[:2]]
        assert vlmops("doctor", "stub").code == 0


class TestMedia:
    def test_the_environment_is_for_a_shell(self, vlmops: Any, stub: Any) -> None:
        ended = vlmops("media", "env", "stub")
        assert ended.out == "export STUB_STORE='/data/my pictures'\n"
