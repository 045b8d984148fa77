"""What a judge behind HTTP is sent: every picture it must see, with the pixels that the case has."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from judging_models import best, colour_of, picture

from vlmops import Image
from vlmops.engine import Engine
from vlmops.evaluators import Case, Failure, create, evaluate
from vlmops.judges import ready

NAMES = sorted(getattr(ready, name).default_name for name in ready.__all__)
PICTURES = {
    "PICTURE": "red",
    "REFERENCE PICTURE": "green",
    "REGION 1 OF PICTURE 1 (spot)": "red",
    "PICTURE THAT IS THE ANSWER": "blue",
}


def judged(judge: Any, case: Case) -> Any:
    """What it says, asked through an engine, which lets go of its connections."""
    with Engine() as engine:
        return asyncio.run(evaluate(judge.asking(engine.model), case))


@pytest.mark.parametrize("name", NAMES)
def test_every_ready_judge_gets_the_right_pixels(judging: Any, name: str) -> None:
    judging.decide = lambda shown, asked: best(asked.verdicts)
    case = Case(
        output={"picture": picture("blue"), "note": "done"},
        expected={"good": picture("green"), "boxes": [{"box": [40, 40, 120, 80], "label": "spot"}]},
        inputs={"image": picture("red"), "question": "Do it."},
        id="1",
    )
    view = {"reference": "good", "regions": "boxes"}
    judge = create(name, model={"name": "openai:judge-1", "base_url": judging.url}, view=view)
    result = judged(judge, case)
    assert not isinstance(result, Failure), result
    (shown,) = judging.seen
    seen = {label: colour_of(piece) for label, piece in shown.items() if isinstance(piece, Image)}
    assert seen == PICTURES
    assert (shown["QUESTION"], shown["ANSWER"]) == ("Do it.", '{"picture": "(picture)", "note": "done"}')


def test_a_large_picture_arrives_smaller_and_the_score_says_so(judging: Any) -> None:
    import numpy as np

    judging.decide = lambda shown, asked: best(asked.verdicts)
    large = Image.from_array(np.full((1200, 2400, 3), (220, 20, 20), np.uint8))
    judge = create("judge_grounded", model="openai:judge-1", view={"max_side": 600})
    score = judged(judge, Case(output="red", inputs=[large]))
    assert judging.seen[0]["PICTURE"].size == (600, 300)
    assert score.metadata["judge"]["shown"][0]["shown_size"] == [600, 300]
