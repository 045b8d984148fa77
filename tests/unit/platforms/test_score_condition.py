"""Conditions on scores: what people write, and what fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops.errors import UsageError
from vlmops.evaluators import Score
from vlmops.platforms import ScoreCondition

NUMBER = Score("cer", 0.5)
PASSED = Score("sharp", True)
LABEL = Score("feedback", "thumbs-down", range=None)
BOTH = Score("verdict", 1.0, metadata={"label": "pass"})


@pytest.mark.parametrize(
    ("text", "score", "holds"),
    [
        ("cer<0.6", NUMBER, True),
        ("cer < 0.5", NUMBER, False),
        ("cer<=0.5", NUMBER, True),
        ("cer>=.5", NUMBER, True),
        ("cer>0.5", NUMBER, False),
        ("cer=0.5", NUMBER, True),
        ("cer==0.5", NUMBER, True),
        ("cer!=0.5", NUMBER, False),
        ("cer", NUMBER, True),
        ("wer", NUMBER, False),
        ("wer<1", NUMBER, False),
        ("cer=high", NUMBER, False),
        ("sharp=true", PASSED, True),
        ("sharp=false", PASSED, False),
        ("sharp!=true", PASSED, False),
        ("sharp>0.5", PASSED, True),
        ("sharp=1", PASSED, True),
        ("feedback=thumbs-down", LABEL, True),
        ("feedback = thumbs-down", LABEL, True),
        ("feedback!=thumbs-up", LABEL, True),
        ("feedback<0.5", LABEL, False),
        ("verdict=pass", BOTH, True),
        ("verdict=1", BOTH, True),
        ("verdict=fail", BOTH, False),
        ("verdict!=pass", BOTH, False),
        ("verdict>=1", BOTH, True),
        ("vqa.words in order>0", Score("vqa.words in order", 0.1), True),
    ],
)
def test_what_fits(text: str, score: Score, holds: bool) -> None:
    assert ScoreCondition.parse(text).holds(score) is holds


@pytest.mark.parametrize("text", ["", "  ", "<0.5", "=x", "cer<", "cer<low", "cer>true", "cer<>1"])
def test_what_is_no_condition_is_refused_with_the_fix(text: str) -> None:
    with pytest.raises(UsageError, match=r"score|number|compare"):
        ScoreCondition.parse(text)


@given(
    st.from_regex(r"[a-z][a-z_.]{0,20}", fullmatch=True),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_what_is_shown_reads_back(name: str, sign: str, value: float) -> None:
    condition = ScoreCondition(name, sign, value)  # type: ignore[arg-type]
    assert ScoreCondition.parse(str(condition)) == condition


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_usage_error(text: str) -> None:
    try:
        condition = ScoreCondition.parse(text)
    except UsageError:
        return
    assert condition.name.strip()
