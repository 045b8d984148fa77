"""The specification: what a file may say, what is told of mistakes, and what comes of a run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.datasets import ImageDataset
from vlmops.errors import PlatformError, PlatformUnavailable, UsageError
from vlmops.evaluators import CharacterErrorRate, Failure, FailureKind, Usage
from vlmops.experiments import Specification
from vlmops.experiments.specification.places import line_of
from vlmops.experiments.specification.variants import planned
from vlmops.models import ModelReply, ModelRequest, Turn, registry
from vlmops.platforms import Prompt, PromptTurn, connect, push
from vlmops.testing import MemoryPlatform, picture

asked: list[ModelRequest] = []


class Reader:
    """Answers with the question; counts."""

    def __init__(self, argument: str = "", **options: Any) -> None:
        self.name = f"spec_reader:{argument}" if argument else "spec_reader"
        self.options = options

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        asked.append(request)
        if self.name.endswith("refuses"):
            return Failure(FailureKind.REFUSAL, "no")
        text = f"{request.prompt} {request.parameters.get('temperature', '')}".strip()
        return ModelReply(text, text, Usage(10, 1, cost=0.01), latency=0.1)


@pytest.fixture(autouse=True)
def _readers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(registry._registered, "spec_reader", Reader)
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))
    asked.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table of four pictures."""
    place = tmp_path / "work"
    place.mkdir()
    rows = []
    for number in range(4):
        (place / f"{number}.png").write_bytes(picture(number).read())
        light = "dim" if number % 2 else "bright"
        rows.append({"id": str(number), "image": f"{number}.png", "expected": "Read it", "light": light})
    (place / "signs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / "read.txt").write_text("Read it\n")
    return place


TEXT = """
on = ["folder:results"]
repetitions = 1
slices = ["light", { name = "dark", key = "light", values = ["dim"] }]

[dataset]
source = "signs.jsonl"

[[variants]]
name = "short"
model = "spec_reader"
prompt = { file = "read.txt" }

[[variants]]
name = "long"
model = "spec_reader"
prompt = '''
Read everything
that is there'''
parameters = { temperature = 0 }

[[evaluators]]
use = "cer"
"""


def written(folder: Path, text: str = TEXT) -> Path:
    file = folder / "vlmops.toml"
    file.write_text(text)
    return file


def told(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as error:
        Specification.load(written(folder, text))
    return str(error.value).replace(str(folder), "")


class TestMistakes:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            (
                'model = "spec_reader"\nprompt = {',
                'modle = "x"\nprompt = {',
                "/vlmops.toml:9: variants[0].model: is missing",
            ),
            (
                'model = "spec_reader"\nprompt = {',
                'modle = "x"\nmodel = "y"\nprompt = {',
                "/vlmops.toml:11: variants[0].modle: unknown key; did you mean 'model'?",
            ),
            (
                "repetitions = 1",
                "repetitions = 0",
                "/vlmops.toml:3: repetitions: input should be greater than or equal to 1, not 0",
            ),
            (
                'source = "signs.jsonl"',
                "id = 'x'",
                "/vlmops.toml:6: dataset: give name (on the platform) or source",
            ),
            (
                '{ file = "read.txt" }',
                '{ fiel = "read.txt" }',
                "prompt[0].fiel: unknown key; did you mean 'file'?",
            ),
            (
                '{ file = "read.txt" }',
                '{ file = "a", text = "b" }',
                "/vlmops.toml:12: variants[0].prompt[0]: give one of text, file and name",
            ),
            ('use = "cer"', 'key = "text"', "/vlmops.toml:22: evaluators[0].use: is missing"),
            (
                "[[evaluators]]",
                "[gate]\nmetrics.cer = { mx = 0.1 }\n[[evaluators]]",
                "gate.metrics.cer.mx: unknown key; did you mean 'max'?",
            ),
            (
                "[[evaluators]]",
                "[budget]\neur = 5\n[[evaluators]]",
                "/vlmops.toml:23: budget.eur: unknown key; known are: usd, tokens",
            ),
            (
                "[[evaluators]]",
                '[limits.models.x]\nrequests_per_minute = "many"\n[[evaluators]]',
                "/vlmops.toml:23: limits.models.x.requests_per_minute: input should be a valid number",
            ),
            ("repetitions = 1", "repetitions = ", "is no TOML: Invalid value (at line 3"),
        ],
    )
    def test_they_name_line_key_and_fix(self, folder: Path, old: str, new: str, says: str) -> None:
        assert old in TEXT
        assert says in told(folder, TEXT.replace(old, new, 1))

    def test_all_are_told_at_once(self, folder: Path) -> None:
        text = TEXT.replace("repetitions = 1", "repetitions = 0").replace('use = "cer"', "")
        assert len(told(folder, text).splitlines()) == 2

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="there is no such file"):
            Specification.load(tmp_path / "none.toml")

    @pytest.mark.parametrize(
        ("text", "told"), [("[[A]]", "A: unknown key"), ("Dataset = 1", "Dataset: unknown key")]
    )
    def test_an_unknown_key_may_begin_with_a_capital(self, tmp_path: Path, text: str, told: str) -> None:
        file = tmp_path / "vlmops.toml"
        file.write_text(text)
        with pytest.raises(UsageError, match=told):
            Specification.load(file)

    @given(st.text(max_size=200))
    def test_any_text_is_read_or_refused_in_words(self, tmp_path_factory: Any, text: str) -> None:
        file = tmp_path_factory.mktemp("any") / "vlmops.toml"
        file.write_text(text, encoding="utf-8", errors="replace")
        with pytest.raises(UsageError):
            Specification.load(file)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"variants": [{"model": "nosuch"}]}, "no model is named 'nosuch'"),
            ({"variants": [{"model": "spec_reader"}] * 2}, r"variants\[1\]: several are named 'spec_reader'"),
            (
                {"variants": [{"model": "spec_reader", "prompt": {"name": "p"}}]},
                "there is no prompt 'p'",
            ),
            (
                {"variants": [{"model": "spec_reader", "prompt": {"file": "none.txt"}}]},
                "none.txt: cannot be read",
            ),
            ({"variants": [{"model": "spec_reader", "post_process": "nosuch:f"}]}, "write 'module:function'"),
            (
                {"variants": [{"model": "spec_reader", "options": {"key": "env:NOT_SET"}}]},
                "NOT_SET, which is not set",
            ),
            ({"evaluators": [{"use": "cer", "nosuch": 1}]}, "it takes: "),
            ({"budget": 5}, "no price is known for spec_reader"),
        ],
    )
    def test_what_only_a_run_can_know_is_told_before_any_call(
        self, folder: Path, change: dict[str, Any], says: str
    ) -> None:
        from vlmops.errors import VlmopsError

        with pytest.raises(VlmopsError, match=says):
            Specification.load(written(folder)).changed(**change).run()
        assert asked == []

    def test_what_is_wrong_with_the_only_variant_is_all_that_is_told(self) -> None:
        with pytest.raises(UsageError) as told:
            Specification.of(dataset="d", variants=[{"modle": "m"}])
        assert "at least 1 item" not in str(told.value)
        with pytest.raises(UsageError, match="at least 1 item"):
            Specification.of(dataset="d", variants=[])

    def test_variants_of_one_name_are_told_with_their_place(self, folder: Path) -> None:
        text = '[dataset]\nname = "d"\n[[variants]]\nname = "a"\nmodel = "m"\n'
        file = folder / "twice.toml"
        file.write_text(text + '[[variants]]\nname = "a"\nmodel = "n"\n')
        with pytest.raises(UsageError, match=r"twice\.toml:6: variants\[1\]: several are named 'a'"):
            planned(Specification.load(file))

    def test_an_unknown_variant(self, folder: Path) -> None:
        with pytest.raises(UsageError, match="no variant is named 'x'; there are: 'short', 'long'"):
            Specification.load(written(folder)).run(variants=["x"])


def test_lines_of_tables_in_lists() -> None:
    text = '[a]\nx = 1\n[[v]]\n[v.o]\ny = 2\n[[v]]\n[v.o]\ny = """\ny = 5\n"""\n[w."a b"]\n'
    assert line_of(text, ["v", 0, "o", "y"]) == 5
    assert line_of(text, ["v", 1, "o", "y"]) == 8
    assert line_of(text, ["w", "a b"]) == 11
    assert line_of(text, ["nosuch"]) is None


def test_lists_make_each_with_each() -> None:
    found = Specification.of(
        dataset="d",
        name="run",
        variants=[
            {
                "name": "v",
                "model": ["a", "b"],
                "prompt": ["one", {"file": "prompts/two.txt"}, {"text": "three", "tag": "third"}],
                "parameters": [{}, {"temperature": 1}],
            }
        ],
    )
    names = [variant.name for variant in planned(found)]
    assert len(names) == 12
    assert names[0] == "run v a prompt 1 defaults"
    assert names[-1] == "run v b third temperature=1"


def test_secrets_are_not_recorded() -> None:
    spec = Specification.of(
        dataset="d",
        variants=[
            {"model": "m", "options": {"api_key": "sk-1", "detail": "low", "extra_headers": {"a": "b"}}}
        ],
    )
    (variant,) = planned(spec)
    assert variant.recorded(None)["options"] == {"detail": "low"}


@pytest.mark.parametrize("key", ["on", "platforms"])
def test_platforms_may_be_changed_by_both_names(key: str) -> None:
    found = Specification.of(dataset="d", variants=[{"model": "m"}]).changed(**{key: ["folder:x"]})
    assert [platform.name for platform in found.platforms] == ["folder:x"]


class TestRun:
    def test_results_in_a_folder(self, folder: Path) -> None:
        result = Specification.load(written(folder)).run()
        short, long = result.variants
        assert [each.record.name for each in (short, long)] == ["short", "long"]
        assert [score.value for score in short.summary.scores] == [0.0]
        assert set(short.summary.slices) == {"light=bright", "light=dim", "dark"}
        assert short.summary.slices["dark"].runs == 2
        assert result.comparison is not None
        assert [variant.name for variant in result.comparison.variants] == ["short", "long"]
        assert (folder / "results" / "experiments" / short.record.id / "answers.jsonl").exists()
        assert (result.tally.calls, result.stopped) == (8, "")
        assert [request.parameters for request in asked[-4:]] == [{"temperature": 0}] * 4

    @pytest.mark.parametrize("breaks", ["dataset", "experiment"])
    def test_a_platform_that_is_down_costs_no_other_and_is_made_up_for_later(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
    ) -> None:
        down, up = MemoryPlatform(), connect(f"folder:{folder / 'up'}")
        specification = Specification.load(written(folder))

        def broken(*_: Any) -> Any:
            raise PlatformUnavailable("memory does not answer")

        with monkeypatch.context() as patched:
            of, method = (down.datasets, "writer") if breaks == "dataset" else (down.experiments, "run")
            patched.setattr(of, method, broken)
            first = specification.run([down, up])
        assert list(first.lost) == ["memory"]
        assert "memory does not answer" in first.lost["memory"]
        assert [len(each.record.runs) for each in first.variants] == [4, 4]
        assert first.comparison is not None
        again = specification.run([down, up])
        assert (again.lost, again.tally.calls, len(asked)) == ({}, 0, 8)
        assert [len(each.record.runs) for each in again.results["memory"]] == [4, 4]

    def test_a_gate_whose_baseline_is_on_a_platform_that_broke_down_says_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        down, up = MemoryPlatform(), connect(f"folder:{folder / 'up'}")
        specification = Specification.load(written(folder))
        specification.changed(tags=["release"]).run(down)

        def broken(*_: Any) -> Any:
            raise PlatformUnavailable("memory does not answer")

        monkeypatch.setattr(down.experiments, "run", broken)
        rules = {"baseline": "tag:release", "metrics": {"cer": {"max_drop": 0.1}}}
        result = specification.changed(gate=rules).run([down, up])
        assert (list(result.lost), result.gate) == (["memory"], None)
        assert [len(each.record.runs) for each in result.variants] == [4, 4]

    def test_where_no_platform_answers_no_model_is_asked(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        down = MemoryPlatform()

        def broken(*_: Any) -> Any:
            raise PlatformUnavailable("memory does not answer")

        monkeypatch.setattr(down.experiments, "run", broken)
        with pytest.raises(PlatformUnavailable, match="does not answer"):
            Specification.load(written(folder)).run(down)
        assert asked == []

    def test_what_was_pushed_is_told(self, folder: Path) -> None:
        specification = Specification.load(written(folder))
        first, again = specification.run().pushed, specification.run().pushed
        assert first is not None
        assert again is not None
        assert [(target.platform, target.created, target.unchanged) for target in first.targets] == [
            ("folder", 4, 0)
        ]
        assert [(target.created, target.unchanged) for target in again.targets] == [(0, 4)]
        there = specification.changed(dataset={"name": first.dataset}).run()
        assert there.pushed is None

    def test_functions_of_files_beside_it(self, folder: Path) -> None:
        (folder / "beside_it.py").write_text(
            "def answer(request): return 'as ever'\ndef shout(reply): return reply.text.upper()\n"
        )
        result = (
            Specification.load(written(folder))
            .changed(variants=[{"model": "callable:beside_it:answer", "post_process": "beside_it:shout"}])
            .run()
        )
        assert {run.case.output for run in result.variants[0].record.runs} == {"AS EVER"}

    def test_the_first_run_of_all_has_no_baseline(self, folder: Path) -> None:
        specification = Specification.load(written(folder)).changed(
            gate={"baseline": "tag:release-1", "metrics": {"cer": {"max_drop": 0.1}}}, tags=["release-1"]
        )
        with pytest.raises(PlatformError, match="leave the gate out"):
            specification.run()
        assert asked == []
        assert specification.changed(gate=None).run().gate is None
        later = specification.changed(tags=["release-2"]).run()
        assert later.gate is not None
        assert later.gate.passed

    @pytest.mark.parametrize("by_name", [False, True])
    def test_a_dataset_that_has_changed_is_run_anew_where_it_has(self, folder: Path, by_name: bool) -> None:
        specification = Specification.load(written(folder))
        platform = MemoryPlatform()
        (first, *_) = specification.run(platform).variants
        asked.clear()
        rows = (folder / "signs.jsonl").read_text().splitlines()
        changed = {**json.loads(rows[0]), "id": "one more"}
        (folder / "signs.jsonl").write_text("\n".join([*rows, json.dumps(changed)]))
        if by_name:
            push(ImageDataset.load(folder / "signs.jsonl"), platform)
            specification = specification.changed(dataset={"name": "signs"})
        (second, *_) = specification.run(platform).variants
        assert len(second.record.runs) == len(first.record.runs) + 1
        assert second.record.id != first.record.id
        assert asked == []  # the picture and the question are those of another sample
        assert specification.run(platform).variants[0].record.id == second.record.id

    def test_again_it_asks_nothing_and_elsewhere_neither(self, folder: Path) -> None:
        specification = Specification.load(written(folder))
        specification.run()
        asked.clear()
        assert [each.record.resumed for each in specification.run().variants] == [4, 4]
        elsewhere = specification.run([MemoryPlatform(), connect(f"folder:{folder / 'other'}")])
        assert asked == []
        assert list(elsewhere.results) == ["memory", "folder"]
        assert elsewhere.tally.cached == 16
        assert elsewhere.tally.saved == pytest.approx(0.16)

    def test_one_variant(self, folder: Path) -> None:
        result = Specification.load(written(folder)).run(variants=["long"])
        assert [each.record.name for each in result.variants] == ["long"]
        assert result.comparison is None

    def test_repetitions_are_asked_apart(self, folder: Path) -> None:
        result = Specification.load(written(folder)).changed(repetitions=3).run(variants=["short"])
        assert len(asked) == len(result.variants[0].record.runs) == 12
        assert sorted(request.repetition for request in asked) == [1] * 4 + [2] * 4 + [3] * 4

    def test_a_budget_ends_it_and_a_larger_one_goes_on(self, folder: Path) -> None:
        specification = Specification.load(written(folder))
        with pytest.raises(UsageError, match="no price"):
            specification.changed(budget={"usd": 1}).run()
        small = specification.changed(budget={"tokens": 1527}, limits={"concurrency": 1}).run()
        assert "budget of 1,527 tokens would be passed" in small.stopped
        done = len(asked)
        assert 0 < done < 8
        assert sum(len(each.record.runs) for each in small.variants) == done
        assert all(not each.summary.failures for each in small.variants)
        rest = specification.run()
        assert (rest.stopped, len(asked)) == ("", 8)
        assert [len(each.record.runs) for each in rest.variants] == [4, 4]

    def test_python_objects_in_the_place_of_names(self, folder: Path) -> None:
        result = Specification.of(
            dataset={"source": str(folder / "signs.jsonl")},
            variants=[
                {"model": Reader(), "prompt": "Read it", "post_process": lambda reply: reply.text.upper()}
            ],
            evaluators=[CharacterErrorRate(case_sensitive=False)],
        ).run(MemoryPlatform())
        assert result.variants[0].summary.scores[0].value == 0.0

    def test_prompts_by_name_come_from_the_platform(self, folder: Path) -> None:
        platform = MemoryPlatform()
        for text, labels in (("Read it.", ()), ("Read all of it.", ("production",)), ("Read on.", ())):
            turns = (PromptTurn("system", "Be exact."), PromptTurn("user", text))
            asyncio.run(platform.prompts.publish(Prompt("read", turns), labels))
        prompts = [{"name": "read", "label": "production"}, {"name": "read", "version": 1}, {"name": "read"}]
        result = (
            Specification.load(written(folder))
            .changed(variants=[{"model": "spec_reader", "prompt": prompts}])
            .run(platform)
        )
        assert {request.prompt for request in asked} == {"Read it.", "Read all of it.", "Read on."}
        assert {turn for request in asked for turn in request.before} == {Turn("system", ("Be exact.",))}
        told = [each.record.metadata for each in result.variants]
        assert [each["prompt_version"] for each in told] == ["2", "1", "3"]
        assert [each.get("prompt_label") for each in told] == ["production", None, None]
        assert told[0]["prompt"] == "system: Be exact.\n\nuser: Read all of it."

    def test_a_prompt_by_name_that_nobody_keeps_is_told_before_anything_is_asked(self, folder: Path) -> None:
        named = Specification.load(written(folder)).changed(
            variants=[{"model": "spec_reader", "prompt": {"name": "read"}}]
        )
        with pytest.raises(PlatformError, match="read"):
            named.run(MemoryPlatform())
        without = MemoryPlatform()
        del without.prompts
        with pytest.raises(UsageError, match=r"'read' is asked for by name.*give text or file"):
            named.run(without)
        assert asked == []

    def test_failures_are_counted_and_none_is_kept(self, folder: Path) -> None:
        specification = Specification.load(written(folder)).changed(
            variants=[{"model": "spec_reader:refuses"}]
        )
        for _ in range(2):
            assert specification.run().variants[0].summary.failures == {FailureKind.REFUSAL: 4}
        assert len(asked) == 8


class TestGate:
    def gated(self, folder: Path, gate: dict[str, Any], **changes: Any) -> Any:
        return Specification.load(written(folder)).changed(gate=gate, **changes)

    def test_the_last_variant_is_held_to_the_rules(self, folder: Path) -> None:
        result = self.gated(folder, {"metrics": {"cer": {"max": 0.1}}}).run()
        assert result.gate is not None
        assert (result.gate.candidate.name, result.gate.passed) == ("long", False)
        assert self.gated(folder, {"metrics": {"cer": {"max": 0.1}}}).run(variants=["short"]).gate.passed

    def test_it_is_compared_with_the_first_or_with_the_baseline_named(self, folder: Path) -> None:
        rules = {"metrics": {"cer": {"max_drop": 0.1}}}
        first = self.gated(folder, rules, tags="release").run()
        assert first.gate.baseline.name == "short"
        named = self.gated(folder, {**rules, "baseline": "tag:release"}, tags=["next", "later"])
        assert named.run(variants=["short"]).gate.baseline.name == "long"

    @pytest.mark.parametrize(
        ("baseline", "says"), [({}, "compare with a baseline"), ({"baseline": "tag:none"}, "tag 'none'")]
    )
    def test_a_baseline_that_is_missing_is_told_before_any_call(
        self, folder: Path, baseline: dict[str, str], says: str
    ) -> None:
        from vlmops.errors import VlmopsError

        rules = {"metrics": {"cer": {"max_drop": 0.1}}, **baseline}
        with pytest.raises(VlmopsError, match=says):
            self.gated(folder, rules).run(variants=["short"])
        assert asked == []
