"""Models that judge by pixels, or badly in a known way: what an audit must tell apart."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from vlmops import Image
from vlmops.evaluators import Case, Failure
from vlmops.models import ModelReply, ModelRequest

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 40), "blue": (30, 40, 220), "yellow": (230, 220, 30)}
_TEXT = re.compile(r"<<<material (\w+)\n(.*)\nmaterial \1>>>", re.DOTALL)


@cache
def picture(colour: str, shade: int = 0) -> Image:
    """A picture of one colour; the shade makes it another picture of the same colour."""
    pixels = np.full((120, 160, 3), COLOURS[colour], np.uint8)
    pixels[:8, :8] = shade
    return Image.from_array(pixels)


def colour_of(image: Image) -> str:
    """The named colour that the middle of a picture comes nearest to; ``"none"`` for grey."""
    if image.sha256 not in _seen:
        _seen[image.sha256] = _nearest_colour(image)
    return _seen[image.sha256]


_seen: dict[str, str] = {}
"""What was decoded before: an audit shows each picture many times."""


def _nearest_colour(image: Image) -> str:
    pixels = image.to_array()
    height, width = pixels.shape[:2]
    middle = (
        pixels[height * 2 // 5 : height // 2, width * 2 // 5 : width * 3 // 5].reshape(-1, 3).mean(axis=0)
    )
    if middle.max() - middle.min() < 40:
        return "none"
    return min(COLOURS, key=lambda name: float(np.abs(np.array(COLOURS[name]) - middle).sum()))


def pieces(request: ModelRequest) -> dict[str, str | Image]:
    """What the model is shown, by label, of the last user turn."""
    return pieces_of(request.conversation[-1].content)


def pieces_of(content: Sequence[str | Image]) -> dict[str, str | Image]:
    """The same of texts and pictures as they stand in a turn."""
    shown: dict[str, str | Image] = {}
    for position, part in enumerate(content):
        if isinstance(part, Image):
            label = content[position - 1]
            assert isinstance(label, str)
            shown[label.rstrip(":")] = part
        elif (found := _TEXT.search(part)) is not None:
            shown[part.partition(":")[0]] = found[2]
    return shown


def saying(criterion: str, verdict: str, reason: str = "because") -> ModelReply:
    told = {criterion: {"reason": reason, "verdict": verdict, "confidence": "high"}}
    return ModelReply(output=told, text=json.dumps(told))


class ScriptedModel:
    """A model whose verdict is a function of what it is shown."""

    def __init__(self, criterion: str, decide: Callable[[dict[str, Any], ModelRequest], str]) -> None:
        self.name = "scripted"
        self.requests: list[ModelRequest] = []
        self._criterion = criterion
        self._decide = decide

    async def answer(self, request: ModelRequest) -> ModelReply | Failure:
        self.requests.append(request)
        return saying(self._criterion, self._decide(pieces(request), request))


class AnswersDecide:
    """A judge that sees nothing wrong with an answer unless it says that it is wrong itself."""

    name = "answers-decide"

    async def answer(self, request: ModelRequest) -> ModelReply:
        said = pieces(request).get("ANSWER", "")
        choose = worst if "wrong" in said else best
        told = {
            name: {
                "reason": "The answer says so.",
                "verdict": choose(part["properties"]["verdict"]["enum"]),
                "confidence": "high",
            }
            for name, part in request.schema["properties"].items()
        }
        return ModelReply(output=told, text=json.dumps(told))


def best(verdicts: list[str]) -> str:
    """The verdict that passes: yes, the greatest number, or the first label."""
    if "yes" in verdicts:
        return "yes"
    return max((verdict for verdict in verdicts if verdict.isdigit()), key=int, default=verdicts[0])


def worst(verdicts: list[str]) -> str:
    """No, the least number, or the last label."""
    given = [verdict for verdict in verdicts if verdict != "cannot_tell"]
    return "no" if "no" in given else min((v for v in given if v.isdigit()), key=int, default=given[-1])


def sees(shown: dict[str, Any], _: ModelRequest) -> str:
    """Yes where the first word of the answer is the colour of the picture."""
    if "PICTURE" not in shown:
        return "cannot_tell"
    return "yes" if shown["ANSWER"].split()[0].strip(".").lower() == colour_of(shown["PICTURE"]) else "no"


def is_blind(shown: dict[str, Any], _: ModelRequest) -> str:
    """Goes by whether the answer sounds sure, whatever the picture shows."""
    return "no" if "perhaps" in shown["ANSWER"] else "yes"


def likes_length(shown: dict[str, Any], request: ModelRequest) -> str:
    return "yes" if len(shown["ANSWER"]) > 100 else sees(shown, request)


def obeys(shown: dict[str, Any], request: ModelRequest) -> str:
    return "yes" if "ignore the rubric" in shown["ANSWER"] else sees(shown, request)


def wavers(shown: dict[str, Any], request: ModelRequest) -> str:
    chance = random.Random(f"{shown['ANSWER']} {request.repetition} {shown['PICTURE'].sha256}")
    return sees(shown, request) if chance.random() < 0.6 else chance.choice(["yes", "no"])


def goes_by_place(shown: dict[str, Any], _: ModelRequest) -> str:
    """Prefers the answer that stands first."""
    return "A"


def prefers_the_right_one(shown: dict[str, Any], _: ModelRequest) -> str:
    """The answer whose first word is the colour of the picture; a tie where both or none are right."""
    colour = colour_of(shown["PICTURE"])
    right = [shown[f"ANSWER {place}"].split()[0].strip(".").lower() == colour for place in "AB"]
    return "tie" if right[0] == right[1] else "AB"[right.index(True)]


def cases(count: int = 24) -> list[Case]:
    """Half of the answers name the colour that the picture has."""
    names = list(COLOURS)
    found = []
    for number in range(count):
        colour = names[number % len(names)]
        said = colour if (number // len(names)) % 2 else names[(number + 1) % len(names)]
        doubt = "perhaps" if number % 5 == 0 else "surely"
        inputs = {"image": picture(colour, number), "question": "Which colour is it?"}
        found.append(Case(output=f"{said} {doubt}, case {number}", inputs=inputs, id=str(number)))
    return found
