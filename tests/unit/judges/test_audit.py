"""The audit tells a judge that sees from ones that do not, or that go by other things."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from judging_models import (
    ScriptedModel,
    cases,
    colour_of,
    is_blind,
    likes_length,
    obeys,
    picture,
    sees,
    wavers,
)

from vlmops.errors import UsageError
from vlmops.evaluators import Case
from vlmops.judges import Judge, PairwiseJudge, Rubric, YesNo
from vlmops.judges.audit import AuditReport, audit, audit_pairwise, audit_pairwise_calls

RUBRIC = Rubric("Judge colours.", (YesNo("right", "Is it the colour?"),))


def judge(decide: object) -> Judge:
    return Judge(name="colour", model=ScriptedModel("right", decide), rubric=RUBRIC)


def labels() -> dict[str, float]:
    return {case.id: float(case.output.split()[0] == colour_of(case.images[0])) for case in cases()}


def test_a_judge_that_sees_passes_everything() -> None:
    report = audit(judge(sees), cases(), labels=labels())
    assert report.verdict == "trusted", [c for c in report.controls if not c.passed]
    assert {control.name for control in report.controls} == {
        "blank_picture",
        "swapped_picture",
        "perturbed_picture",
        "repeated",
        "padded_answer",
        "injected_answer",
        "injected_picture",
        "answer_only",
    }


@pytest.mark.parametrize(
    ("decide", "failed"),
    [
        (is_blind, {"blank_picture", "swapped_picture", "answer_only"}),
        (likes_length, {"padded_answer", "injected_answer"}),
        (obeys, {"injected_answer"}),
        (wavers, {"repeated"}),
    ],
)
def test_a_bad_judge_is_found_out_by_what_is_bad_about_it(decide: object, failed: set[str]) -> None:
    report = audit(judge(decide), cases(48), labels=labels())
    assert report.verdict == "not trusted"
    assert failed <= set(report.failed)


def test_what_too_few_cases_show_is_not_shown() -> None:
    report = audit(judge(sees), cases(6))
    assert report.verdict == "not shown"
    assert not report.failed


def test_failures_of_the_judge_are_counted_apart() -> None:
    broken = [*cases(), Case(output="red", inputs={"question": "?"}, id="without a picture")]
    report = audit(judge(sees), broken)
    repeated = next(control for control in report.controls if control.name == "repeated")
    assert repeated.n == 24
    assert repeated.failures == {"bad_image": 2}


def test_overrating_its_own_family_is_found() -> None:
    def vain(shown: dict, request: object) -> str:
        return "yes" if "case 1" in shown["ANSWER"] else sees(shown, request)

    chosen = cases(40)
    truth = {case.id: float(case.output.split()[0] == colour_of(case.images[0])) for case in chosen}
    families = {case.id: "own" if "case 1" in case.output else "other" for case in chosen}
    found = audit(judge(vain), chosen, labels=truth, families=families, own_family="own")
    assert "self_preference" in found.failed
    fair = audit(judge(sees), chosen, labels=truth, families=families, own_family="own")
    assert "self_preference" not in fair.failed


def test_a_report_is_kept_and_carried_by_scores(tmp_path: Path) -> None:
    report = audit(judge(sees), cases())
    report.save(tmp_path / "audit.json")
    loaded = AuditReport.load(tmp_path / "audit.json")
    assert loaded == report
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(UsageError, match=r"other\.json holds no audit"):
        AuditReport.load(tmp_path / "other.json")


def test_cases_need_ids_of_their_own() -> None:
    with pytest.raises(UsageError, match="id of its own"):
        audit(judge(sees), [Case(output="red"), Case(output="blue")])


def pairwise(decide: object) -> PairwiseJudge:
    return PairwiseJudge(name="better", model=ScriptedModel("better", decide), question="Which is right?")


def pairs() -> list[tuple[Case, Case]]:
    names = ["red", "green", "blue", "yellow"]
    found = []
    for number in range(24):
        right, wrong = names[number % 4], names[(number + 1) % 4]
        inputs = {"image": picture(right, number)}
        answers = (right, wrong) if number % 2 else (wrong, right)
        first, second = (Case(output=answer, inputs=inputs, id=str(number)) for answer in answers)
        found.append((first, second))
    return found


def prefers_the_right_one(shown: dict, _: object) -> str:
    colour = colour_of(shown["PICTURE"])
    right = {place: shown[f"ANSWER {place}"].split()[0].strip(".") == colour for place in "AB"}
    return "tie" if right["A"] == right["B"] else "A" if right["A"] else "B"


def prefers_the_first(shown: dict, request: object) -> str:
    return "A"


def prefers_the_longer(shown: dict, request: object) -> str:
    long, short = len(shown["ANSWER A"]), len(shown["ANSWER B"])
    return "A" if long > short + 20 else "B" if short > long + 20 else prefers_the_right_one(shown, request)


def test_a_pairwise_judge_that_sees_passes() -> None:
    report = audit_pairwise(pairwise(prefers_the_right_one), pairs())
    assert report.verdict == "trusted", [c for c in report.controls if not c.passed]


@pytest.mark.parametrize(
    ("decide", "failed"),
    [(prefers_the_first, {"position", "consistency"}), (prefers_the_longer, {"padded_answer"})],
)
def test_a_pairwise_judge_that_goes_by_place_or_length_is_found_out(decide: object, failed: set[str]) -> None:
    report = audit_pairwise(pairwise(decide), pairs())
    assert failed <= set(report.failed)


def test_favouring_its_own_family_among_pairs_is_found() -> None:
    def vain(shown: dict, request: object) -> str:
        own = [place for place in "AB" if "mine" in shown[f"ANSWER {place}"]]
        return own[0] if len(own) == 1 else prefers_the_right_one(shown, request)

    given = [(replace(a, output=f"{a.output} mine"), b) for a, b in pairs()]
    people = {a.id: float(a.output.split()[0] == colour_of(a.images[0])) for a, _ in given}
    found = audit_pairwise(pairwise(vain), given, preferred=people, own="first")
    assert "self_preference" in found.failed
    fair = audit_pairwise(pairwise(prefers_the_right_one), given, preferred=people, own="first")
    assert "self_preference" not in fair.failed
    assert "self_preference" in {control.name for control in fair.controls}


def test_pairs_with_equal_answers_say_nothing() -> None:
    same = [(first, first) for first, _ in pairs()]
    with pytest.raises(UsageError, match="different answers"):
        audit_pairwise(pairwise(prefers_the_right_one), same)
    report = audit_pairwise(pairwise(prefers_the_right_one), [*pairs(), *same])
    assert report.cases == 24


def test_an_audit_of_pairs_makes_no_more_calls_than_it_says() -> None:
    seen: list[int] = []
    judge = pairwise(prefers_the_right_one)
    report = audit_pairwise(judge, pairs(), progress=seen.append)
    calls = audit_pairwise_calls(24)
    assert len(judge.model.requests) <= calls
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) <= calls // 2
    # The scripted model does not say what it cost.
    assert (report.cost, report.unpriced) == (None, len(judge.model.requests))
