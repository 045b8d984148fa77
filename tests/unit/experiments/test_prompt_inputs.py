"""Prompts that name inputs: what no sample can fill is told once, before anybody is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops import Image, ImageDataset, Sample
from vlmops.errors import PlatformUnavailable, SampleError, UsageError
from vlmops.evaluators import CharacterErrorRate, Failure, FailureKind
from vlmops.experiments import Experiment, ModelTask, Specification, estimate
from vlmops.experiments.slots import filled, slots_of, unfilled
from vlmops.models import ModelReply, ModelRequest
from vlmops.platforms import Prompt, PromptTurn, PromptVersion, connect, push
from vlmops.testing import MemoryPlatform, picture


@dataclass
class Echo:
    """Answers with the question, and keeps it."""

    name: str = "echo"
    asked: list[str | None] = field(default_factory=list)

    def identity(self) -> dict[str, Any]:
        return {"name": self.name}

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.asked.append(request.prompt)
        return ModelReply(request.prompt, request.prompt or "")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VLMOPS_CACHE_DIR", str(tmp_path / "cache"))


def parts(count: int = 3, **inputs: Any) -> ImageDataset:
    samples = [
        Sample(f"s{n}", {"image": picture(n), "products": "bolts", **inputs}, expected="Count bolts.")
        for n in range(count)
    ]
    return ImageDataset.from_samples("parts", samples)


def pushed(dataset: ImageDataset) -> MemoryPlatform:
    platform = MemoryPlatform()
    push(dataset, platform)
    return platform


def version(text: str) -> PromptVersion:
    return PromptVersion(Prompt("count", (PromptTurn("user", text),)), "3", "p3", "")


def refused(task: ModelTask, platform: MemoryPlatform) -> str:
    with pytest.raises(UsageError) as error:
        Experiment("parts", "counter", task, [CharacterErrorRate()]).run(platform)
    return str(error.value)


class TestExperiment:
    def test_it_is_told_before_anybody_is_asked_and_nothing_is_begun(self) -> None:
        platform, model = pushed(parts()), Echo()
        assert refused(ModelTask(model, "Count {product}."), platform) == (
            "experiment 'counter': prompt 'Count {product}.': names {product}, which no sample of dataset "
            "'parts' has among its inputs (image, products); did you mean {products}?"
        )
        assert model.asked == []
        assert asyncio.run(platform.experiments.find("parts")) == []

    def test_each_slot_of_a_prompt_of_a_platform_is_told_as_it_is_written_there(self) -> None:
        task = ModelTask(Echo(), version("Count {{ product }} by {{maker}} in {bins}."))
        first, second = refused(task, pushed(parts())).splitlines()
        assert first.startswith("experiment 'counter': prompt 'count', version 3: names {{product}}, which")
        assert first.endswith("did you mean {{products}}?")
        assert "names {{maker}}, which no sample" in second
        assert "did you mean" not in second

    def test_what_only_some_samples_lack_is_a_failure_of_those(self) -> None:
        odd = [Sample(f"odd{n}", {"image": picture(9 + n)}, expected="Count bolts.") for n in range(2)]
        platform, model = pushed(ImageDataset.from_samples("parts", [*odd, *parts()])), Echo()
        result = Experiment(
            "parts", "counter", ModelTask(model, "Count {products}."), [CharacterErrorRate()]
        ).run(platform)
        (score,) = result.summary.scores
        assert (score.value, score.n) == (0.0, 3)
        assert result.summary.failures == {FailureKind.TASK_ERROR: 2}
        assert model.asked == ["Count bolts."] * 3

    def test_slots_may_be_filled_by_different_samples(self) -> None:
        samples = [Sample("a", {"first": "1"}), Sample("b", {"second": "2"})]
        result = Experiment("parts", "counter", ModelTask(Echo(), "{first}{second}")).run(
            pushed(ImageDataset.from_samples("parts", samples))
        )
        assert result.summary.failures == {FailureKind.TASK_ERROR: 2}

    def test_the_version_that_is_asked_for_is_looked_at(self) -> None:
        platform = pushed(parts())
        push(ImageDataset.from_samples("parts", [Sample("s0", {"things": "nuts"})]), platform, mirror=True)
        task = ModelTask(Echo(), "Count {products}.")
        assert "inputs (things)" in refused(task, platform)
        first = asyncio.run(platform.datasets.versions("parts"))[-1].id
        result = Experiment("parts", "counter", task, version=first).run(platform)
        assert result.summary.failures == {}

    def test_metadata_are_no_inputs_and_that_is_said(self) -> None:
        samples = [Sample("s0", {"image": picture(0)}, metadata={"maker": "us"})]
        told = refused(ModelTask(Echo(), "By {maker}?"), pushed(ImageDataset.from_samples("parts", samples)))
        assert "among its inputs (image); their metadata has it, which no model is shown" in told

    def test_samples_without_inputs_are_told_so(self) -> None:
        dataset = ImageDataset.from_samples("parts", [Sample("s0", {})])
        assert refused(ModelTask(Echo(), "Count {it}"), pushed(dataset)).endswith("inputs: they have none")

    @pytest.mark.parametrize("prompt", [None, "Count.", 'Answer {"n": 0} or {}', version("Is it {so}?")])
    def test_without_slots_nothing_is_looked_at(
        self, prompt: str | PromptVersion | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        platform = pushed(parts())
        reads = []
        read = type(platform.datasets).read
        monkeypatch.setattr(
            type(platform.datasets), "read", lambda self, *of: reads.append(of) or read(self, *of)
        )
        Experiment("parts", "counter", ModelTask(Echo(), prompt)).run(platform)
        before = len(reads)
        Experiment("parts", "other", ModelTask(Echo(), "Count {products}.")).run(platform)
        assert len(reads) == 2 * before + 1


class TestLooking:
    def test_it_ends_with_the_first_sample_that_has_them_all(self) -> None:
        def samples() -> Iterator[Sample]:
            yield Sample("1", {"a": 1})
            yield Sample("2", {"b": 2})
            raise AssertionError("looked further than needed")

        assert unfilled([("x", "{a}"), ("y", "{b}")], ImageDataset.from_samples("d", samples)) == []

    def test_no_picture_is_read_and_few_names_are_kept(self) -> None:
        def samples() -> Iterator[Sample]:
            for number in range(5000):
                inputs = {"image": Image.from_path("/there/is/none.png"), f"own{number}": 1}
                yield Sample(str(number), inputs)

        (told,) = unfilled([("x", "{wanted}")], ImageDataset.from_samples("d", samples))
        assert "(image, own0, own1, " in told
        assert told.endswith("own18, ... and more)")

    def test_samples_that_cannot_be_used_do_not_count(self) -> None:
        broken = SampleError("d.jsonl:1", "is broken")
        assert unfilled([("x", "{a}")], ImageDataset.from_samples("d", [broken])) == []
        assert unfilled([("x", "{a}")], ImageDataset.from_samples("d", [])) == []
        assert unfilled([("x", "{a}")], ImageDataset.from_samples("d", [broken, Sample("1", {"a": 1})])) == []
        assert unfilled([("x", "{a}")], ImageDataset.from_samples("d", [broken, Sample("1", {"b": 1})]))

    @given(text=st.text(st.sampled_from("ab_{}1 "), max_size=30), doubled=st.booleans())
    def test_what_is_filled_is_what_is_looked_for(self, text: str, doubled: bool) -> None:
        slots = slots_of(version(text) if doubled else text)
        sample = Sample("1", dict.fromkeys(slots, "!"))
        assert filled(text, sample, doubled=doubled).count("!") >= len(slots)
        for slot in slots:
            lacking = Sample("1", {name: "!" for name in slots if name != slot})
            with pytest.raises(KeyError, match=slot):
                filled(text, lacking, doubled=doubled)
        if not slots:
            assert filled(text, sample, doubled=doubled) == text


class TestSpecification:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        place = tmp_path / "work"
        place.mkdir()
        rows = []
        for number in range(3):
            (place / f"{number}.png").write_bytes(picture(number).read())
            rows.append({"id": str(number), "image": f"{number}.png", "question": "one", "maker": "us"})
        (place / "parts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return place

    def specified(self, folder: Path, variants: str, on: str = "folder:results") -> Specification:
        file = folder / "vlmops.toml"
        file.write_text(f'on = "{on}"\ndataset.source = "parts.jsonl"\n{variants}')
        return Specification.load(file)

    def test_every_variant_is_told_of_before_the_first_is_asked(self, folder: Path) -> None:
        (folder / "ask.txt").write_text("Is it {maker}, {question}?")
        specification = self.specified(
            folder,
            '[defaults]\nprompt = { file = "ask.txt" }\n'
            '[[variants]]\nname = "good"\nmodel = "callable:echo:echo"\nprompt = "Say {question}."\n'
            '[[variants]]\nname = "bad"\nmodel = "callable:echo:echo"\nprompt = "Say {{questions}}."\n'
            '[[variants]]\nname = "twice"\nmodel = ["callable:echo:echo", "callable:echo:other"]\n',
        )
        (folder / "echo.py").write_text(
            "from pathlib import Path\n"
            "def echo(request):\n    Path(__file__).with_name('asked').write_text('yes')\nother = echo\n"
        )
        with pytest.raises(UsageError) as error:
            specification.run()
        bad, twice = str(error.value).replace(f"{folder}/", "").splitlines()
        assert bad == (
            "vlmops.toml:12: variants[1].prompt: variant 'bad': prompt 'Say {{questions}}.': names "
            "{questions}, which no sample of dataset 'parts' has among its inputs (image, question); did you "
            "mean {question}?"
        )
        assert twice.startswith(
            "vlmops.toml:4: defaults.prompt: variant 'twice callable:echo:echo', "
            "'twice callable:echo:other': prompt ask.txt: names {maker}, which no sample of dataset 'parts'"
        )
        assert "their metadata has it" in twice
        assert not (folder / "asked").exists()
        assert not list((folder / "results").glob("experiments/*"))

    def test_prompts_that_begin_alike_are_told_apart(self, folder: Path) -> None:
        long = "Look at it very closely, and then once more, and then say what it is"
        specification = self.specified(folder, '[[variants]]\nmodel = "x:y"\n').changed(
            variants=[{"model": Echo(), "prompt": [f"{long} {{one}}", f"{long} {{two}}"]}]
        )
        with pytest.raises(UsageError) as error:
            specification.run()
        assert [line.partition(" names ")[2][:5] for line in str(error.value).splitlines()] == [
            "{one}",
            "{two}",
        ]

    def test_a_prompt_by_name_is_told_of_with_its_version(self, folder: Path) -> None:
        platform = connect(f"folder:{folder / 'results'}")
        turns = (PromptTurn("system", "You know {{maker}}."), PromptTurn("user", "{{question}}"))
        asyncio.run(platform.prompts.publish(Prompt("ask", turns), ["production"]))
        model = Echo()
        specification = self.specified(folder, '[[variants]]\nmodel = "x:y"\n').changed(
            variants=[{"model": model, "prompt": {"name": "ask", "label": "production"}}]
        )
        with pytest.raises(UsageError, match=r"'echo': prompt 'ask', version 1: names \{\{maker\}\}, which"):
            specification.run()
        assert model.asked == []

    def test_what_the_platform_has_beyond_the_source_counts(self, folder: Path) -> None:
        platform = pushed(
            ImageDataset.from_samples("parts", [Sample("older", {"image": picture(9), "maker": "them"})])
        )
        model = Echo()
        specification = self.specified(folder, '[[variants]]\nmodel = "x:y"\n').changed(
            variants=[{"model": model, "prompt": "By {maker}?"}]
        )
        result = specification.run(platform)
        assert result.variants[0].summary.failures == {FailureKind.TASK_ERROR: 3}
        assert model.asked == ["By them?"]

    def test_every_platform_is_looked_at_and_one_that_is_down_is_lost(self, folder: Path) -> None:
        good, other = pushed(parts()), pushed(parts())
        down = pushed(parts())

        async def read(*of: Any) -> ImageDataset:
            raise PlatformUnavailable("out of order")

        object.__setattr__(down.datasets, "read", read)
        specification = Specification.of(
            dataset="parts", variants=[{"model": Echo(), "prompt": "Count {products}."}]
        )
        for number, platform in enumerate((good, down, other)):
            platform.location = f"memory:{number}"
        result = specification.run([good, down])
        assert result.lost == {"memory memory:1": "out of order"}
        assert len(result.variants) == 1
        with pytest.raises(PlatformUnavailable, match="out of order"):
            specification.run(down)
        push(ImageDataset.from_samples("parts", [Sample("s9", {"things": "nuts"})]), other, mirror=True)
        with pytest.raises(UsageError, match=r"among its inputs \(things\)"):
            specification.run([good, other])


class TestEstimate:
    def test_it_tells_of_it_too(self) -> None:
        with pytest.raises(
            UsageError, match=r"^prompt 'Count \{product\}\.': names \{product\}, which .*\{products\}\?$"
        ):
            estimate(parts(), ["gpt-4o"], prompt="Count {product}.")

    def test_what_only_some_samples_lack_is_counted(self) -> None:
        samples = [*parts(2), Sample("odd", {"image": picture(9)})]
        done = estimate(ImageDataset.from_samples("parts", samples), ["gpt-4o"], prompt="Count {products}.")
        assert (done.samples, done.unusable) == (2, 1)
