# ruff: noqa: D102, S101 - a test suite, shipped
"""What every adapter must fulfil whose platform's server can judge, or says why it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.judges import Judge, Rubric, Scale, View, YesNo
from vlmops.judges.deployment import definitions_of
from vlmops.platforms.judge_definitions import RunsJudges

if TYPE_CHECKING:
    from vlmops.platforms import Platform
    from vlmops.platforms.judge_definitions import DeployedJudge, JudgeDefinition

_RUBRIC = Rubric(
    "Judge an answer.",
    (
        YesNo("right", 'Is it "right" — größer ✓?', yes="It is <borne> out."),
        Scale("clear", "How clear?", {1: "not", 3: "very"}),
    ),
)


class JudgeDefinitionsContract:
    """Tests of :class:`~vlmops.platforms.judge_definitions.JudgeDefinitions`: give the fixture ``platform``.

    The fixture ``takes_pictures`` says whether judges there are shown any; ``takes_text`` whether there are
    judges at all.
    """

    takes_pictures = True
    takes_text = True

    @pytest.fixture
    def definitions(self, request: pytest.FixtureRequest) -> list[JudgeDefinition]:
        """Two judges who see, who leave the choice of the model to the platform."""
        name = request.node.name.replace("[", "-").replace("]", "")
        judge = Judge(name=name, model="openai:gpt-4.1", rubric=_RUBRIC, key="answer.text")
        return definitions_of(judge, platform_model=True)

    @pytest.fixture
    def text_definition(self) -> JudgeDefinition:
        """A judge who needs no picture."""
        rubric = Rubric("Judge the tone.", (YesNo("polite", "Is it polite?"),), abstain=False)
        judge = Judge(name="polite", model="openai:gpt-4.1", rubric=rubric, view=View(pictures=False))
        return definitions_of(judge, platform_model=True)[0]

    def test_who_would_be_blind_is_refused_with_a_reason(
        self, platform: Platform, definitions: list[JudgeDefinition]
    ) -> None:
        if self.takes_pictures:
            assert _obstacle(platform, definitions[0]) is None
            return
        assert _obstacle(platform, definitions[0])
        with pytest.raises(UsageError):
            _deploy(platform, definitions[0])

    def test_the_same_judge_is_written_once(
        self, platform: Platform, definitions: list[JudgeDefinition]
    ) -> None:
        if not self.takes_pictures:
            return
        first = [_deploy(platform, each) for each in definitions]
        again = [_deploy(platform, each) for each in definitions]
        assert [each.written for each in first + again] == [True, True, False, False]
        assert [(each.id, each.version) for each in first] == [(each.id, each.version) for each in again]
        assert len({each.id for each in first}) == len(definitions)

    def test_another_rubric_is_another_version_of_the_same_judge(
        self, platform: Platform, definitions: list[JudgeDefinition]
    ) -> None:
        if not self.takes_pictures:
            return
        first = _deploy(platform, definitions[0])
        other = _deploy(platform, replace(definitions[0], turns=definitions[1].turns))
        assert (other.id, other.written) == (first.id, True)
        assert other.version != first.version

    def test_a_judge_of_text(self, platform: Platform, text_definition: JudgeDefinition) -> None:
        if not self.takes_text:
            assert _obstacle(platform, text_definition)
            return
        assert _obstacle(platform, text_definition) is None
        assert _deploy(platform, text_definition).written
        assert not _deploy(platform, text_definition).written


def _obstacle(platform: Platform, definition: JudgeDefinition) -> str | None:
    assert isinstance(platform, RunsJudges)
    return blocking(lambda: platform.judge_definitions.obstacle(definition), platform)


def _deploy(platform: Platform, definition: JudgeDefinition) -> DeployedJudge:
    assert isinstance(platform, RunsJudges)
    return blocking(lambda: platform.judge_definitions.deploy(definition), platform)
