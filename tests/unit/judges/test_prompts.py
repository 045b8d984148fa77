"""Prompts of judges on a platform, and what their scores say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from judging_models import ScriptedModel, cases, sees

from vlmops.errors import UsageError
from vlmops.evaluators import Score
from vlmops.judges import Judge, JudgedExample, Rubric, YesNo, publish_prompt
from vlmops.platforms import Platform
from vlmops.testing import MemoryPlatform

RUBRIC = Rubric("Judge a colour.", (YesNo("right", "Is it the picture's colour?"),))
VERDICT = {"right": {"reason": "It is.", "verdict": "yes", "confidence": "high"}}


@pytest.fixture
def judge() -> Judge:
    return Judge(name="colour", model=ScriptedModel("right", sees), rubric=RUBRIC)


async def test_scores_name_the_prompt_and_its_version(judge: Judge) -> None:
    published = publish_prompt(MemoryPlatform(), judge)
    (score,) = [await published.evaluate(cases(1)[0])]
    assert isinstance(score, Score)
    assert score.metadata["judge"]["prompt"] == {"name": "colour", "version": "1"}
    (score,) = [await judge.evaluate(cases(1)[0])]
    assert isinstance(score, Score)
    assert "prompt" not in score.metadata["judge"]


def test_the_prompt_is_what_the_judge_says_to_its_model(judge: Judge) -> None:
    platform = MemoryPlatform()
    publish_prompt(platform, judge)
    (kept,) = platform.prompts.versions["colour"]
    request = cast("Any", judge.request(cases(1)[0]))
    assert kept.turns[0].text == request.conversation[0].content[0]
    assert kept.turns[1].text.endswith(request.prompt)
    assert kept.metadata["schema"] == request.schema
    assert kept.metadata["fingerprint"] == judge.fingerprint


def test_a_judge_that_asks_the_same_has_the_same_version(judge: Judge) -> None:
    platform = MemoryPlatform()

    def version(of: Judge) -> str:
        prompt = publish_prompt(platform, of).prompt
        assert prompt is not None
        return str(prompt["version"])

    assert version(judge) == version(judge) == "1"
    assert version(replace(judge, model=ScriptedModel("right", sees), audit={"passed": True})) == "1"
    stricter = Rubric("Judge a colour.", (YesNo("right", "Is it exactly the picture's colour?"),))
    assert version(replace(judge, rubric=stricter)) == "2"
    assert version(replace(judge, examples=(JudgedExample(cases(1)[0], VERDICT),))) == "3"
    assert version(judge) == "1"


def test_name_and_labels_are_as_asked(judge: Judge) -> None:
    platform = MemoryPlatform()
    assert publish_prompt(platform, judge, name="ours", labels=("production",)).prompt == {
        "name": "ours",
        "version": "1",
    }
    assert platform.prompts.labels == {("ours", "production"): 0}


def test_a_platform_without_prompts_says_so(judge: Judge) -> None:
    class Bare(MemoryPlatform):
        def __post_init__(self) -> None:
            super().__post_init__()
            del self.prompts

    with pytest.raises(UsageError, match="keeps no prompts"):
        publish_prompt(cast("Platform", Bare()), judge)
