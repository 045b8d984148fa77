"""A push or run that is killed and started again ends as if left alone: nothing twice, nothing lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.integration

PICTURES = 450
"""More than two batches."""

ANSWERS = 110
"""More than a page of Phoenix's list of missing answers."""

SLOW_RUN = Path(__file__).with_name("slow_run.py")


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        colour = (number % 256, number // 256, 90)
        Image.new("RGB", (24, 16), colour).save(folder / f"{number:04}.png")
    return folder


def kill_when(process: subprocess.Popen[bytes], reached: Any) -> bool:
    """Kill the process once ``reached()``; whether it was alive until then."""
    while process.poll() is None:
        if reached():
            process.kill()
            process.communicate()
            return True
        wait(process, 0.01)
    process.communicate()
    return False


def wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


@pytest.fixture(scope="module")
def dataset(make_commands: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A dataset of questions on Phoenix."""
    folder = tmp_path_factory.mktemp("answers")
    write_pictures(folder / "pictures", 10)
    rows = [f"{n},pictures/{n % 10:04}.png,question {n},question {n}" for n in range(ANSWERS)]
    table = folder / "slow answers.csv"
    table.write_text("\n".join(["id,file_name,question,expected", *rows]))
    assert make_commands(folder).vlmops("push", table).code == 0
    return table.stem


class TestPush:
    @pytest.mark.parametrize("seed", [1, 2])
    def test_killed_at_any_moment_it_goes_on(
        self, commands: Any, remote: Any, finish: Any, seed: int
    ) -> None:
        write_pictures(commands.folder / "killed", PICTURES)
        clean = f"left alone {seed}"
        killed = f"killed {seed}"
        assert commands.vlmops("push", "killed", "--name", clean, VLMOPS_CACHE_DIR="other").code == 0
        chance = random.Random(seed)
        kills = 0
        for _ in range(4):
            process = commands.start(commands.executable, "push", "killed", "--name", killed)
            # Starting takes about a second, and the whole push a few.
            wait(process, chance.uniform(0.5, 4.0))
            kills += process.poll() is None
            process.kill()
            process.communicate()
        assert kills > 0
        last = commands.vlmops("push", "killed", "--name", killed, "--json")
        assert last.code == 0, last.err
        assert remote.content(killed) == remote.content(clean)
        assert len(remote.content(killed)) == PICTURES
        again = commands.vlmops("push", "killed", "--name", killed, "--json")
        assert f'"unchanged": {PICTURES}' in again.out
        assert remote.dataset(killed)["example_count"] == PICTURES

    def test_killed_between_batches_it_sends_only_the_rest(
        self, commands: Any, remote: Any, phoenix_server: Any
    ) -> None:
        write_pictures(commands.folder / "halves", PICTURES)

        def one_batch_is_there() -> bool:
            found = remote.get("/v1/datasets", name="halves", limit=1)
            return bool(found) and found[0]["example_count"] > 0

        process = commands.start(commands.executable, "push", "halves")
        assert kill_when(process, one_batch_is_there)
        there = len(remote.content("halves"))
        ended = commands.vlmops("push", "halves", "--json")
        assert ended.code == 0
        assert f'"created": {PICTURES - there}' in ended.out
        assert len(remote.content("halves")) == PICTURES

    def test_interrupt_says_how_to_go_on(self, commands: Any, remote: Any, finish: Any) -> None:
        write_pictures(commands.folder / "interrupted", PICTURES)
        process = commands.start(commands.executable, "push", "interrupted")
        while process.poll() is None and not (commands.folder / ".cache" / "journal.sqlite").exists():
            wait(process, 0.01)
        process.send_signal(signal.SIGINT)
        ended = finish(process)
        assert ended.code == 130
        assert ended.lines == ["interrupted: run the same command again to continue"]
        assert commands.vlmops("push", "interrupted").code == 0
        assert len(remote.content("interrupted")) == PICTURES

    def test_two_at_once_end_right(self, commands: Any, remote: Any, finish: Any) -> None:
        folder = write_pictures(commands.folder / "twice", PICTURES)
        both = [commands.start(commands.executable, "push", "twice") for _ in range(2)]
        for ended in map(finish, both):
            assert ended.code == 0, ended.err
        assert set(remote.content("twice")) == {path.name for path in folder.iterdir()}
        again = commands.vlmops("push", "twice", "--json")
        assert again.code == 0
        assert f'"unchanged": {PICTURES}' in again.out

    def test_two_mirrors_at_once_from_other_machines_leave_one_of_the_two(
        self, commands: Any, remote: Any, finish: Any
    ) -> None:
        """Whoever pushes next sees what is missing, although its journal says that it was sent."""
        small = write_pictures(commands.folder / "small", 30)
        large = write_pictures(commands.folder / "large", PICTURES)
        push = [commands.executable, "push", "--mirror", "--name", "mirrored"]
        both = [
            commands.start(*push, folder, VLMOPS_CACHE_DIR=str(commands.folder / f"cache of {folder.name}"))
            for folder in (large, small)
        ]
        for ended in map(finish, both):
            assert ended.code == 0, ended.err
        for folder in (large, small):
            cache = str(commands.folder / f"cache of {folder.name}")
            assert finish(commands.start(*push, folder, VLMOPS_CACHE_DIR=cache)).code == 0
            assert set(remote.content("mirrored")) == {path.name for path in folder.iterdir()}


class TestRun:
    def runs(self, remote: Any, dataset: str, key: str) -> list[dict[str, Any]]:
        experiments = remote.get(f"/v1/datasets/{remote.dataset(dataset)['id']}/experiments", limit=100)
        (found,) = [e for e in experiments if (e["metadata"] or {}).get("vlmops_key", "").startswith(key)]
        return remote.records(f"/v1/experiments/{found['id']}/json")

    @pytest.mark.parametrize("seed", [1, 2])
    def test_killed_at_any_moment_it_goes_on(
        self, commands: Any, remote: Any, finish: Any, dataset: str, seed: int
    ) -> None:
        chance = random.Random(seed)
        log = commands.folder / "answers.log"
        key = f"killed {seed}"
        kills = 0
        for _ in range(4):
            process = commands.start(sys.executable, SLOW_RUN, dataset, key, log)
            goal = begun(log) + chance.randrange(ANSWERS // 2)
            kills += kill_when(process, lambda goal=goal: begun(log) > goal)
        assert kills > 0
        last = finish(commands.start(sys.executable, SLOW_RUN, dataset, key, log))
        assert last.code == 0, last.err
        self.assert_complete(self.runs(remote, dataset, key))
        # Only what was being answered at a kill is answered twice.
        assert begun(log) <= ANSWERS + 4 * kills

    def test_killed_while_scoring_it_scores_the_rest(
        self, commands: Any, remote: Any, finish: Any, dataset: str
    ) -> None:
        log = commands.folder / "answers.log"
        process = commands.start(sys.executable, SLOW_RUN, dataset, "scoring", log)

        def some_are_scored() -> bool:
            if begun(log) < ANSWERS:
                return False
            return any(run["annotations"] for run in self.runs(remote, dataset, "scoring"))

        assert kill_when(process, some_are_scored)
        assert finish(commands.start(sys.executable, SLOW_RUN, dataset, "scoring", log)).code == 0
        self.assert_complete(self.runs(remote, dataset, "scoring"))

    def test_two_at_once_end_right(self, commands: Any, remote: Any, finish: Any, dataset: str) -> None:
        log = commands.folder / "answers.log"
        first = finish(commands.start(sys.executable, SLOW_RUN, dataset, "both", log))
        assert first.code == 0
        both = [commands.start(sys.executable, SLOW_RUN, dataset, "both", log) for _ in range(2)]
        assert [finish(process).code for process in both] == [0, 0]
        self.assert_complete(self.runs(remote, dataset, "both"))
        assert begun(log) == ANSWERS

    def assert_complete(self, runs: list[dict[str, Any]]) -> None:
        assert len(runs) == ANSWERS
        assert len({run["example_id"] for run in runs}) == ANSWERS
        for run in runs:
            assert run["error"] is None
            assert [(a["name"], a["score"]) for a in run["annotations"]] == [("cer", 0.0)]


def begun(log: Path) -> int:
    """How many answers were begun so far, by all processes."""
    return len(log.read_text().splitlines()) if log.exists() else 0
