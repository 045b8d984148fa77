"""Reference vectors of answers to questions."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, get_args

from vlmops.evaluators.questions import (
    ChoiceVariant,
    VqaVariant,
    circular_correct,
    normalise_answer,
    open_answer_correct,
    parse_open_answer,
    reference_choice,
    vqa_accuracy,
)
from vlmops.evaluators.verify.comparison import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.evaluators.verify.vector import Vector

# The vectors' name for each reading, ours, and what it gives where ours is None.
_CHOICE_READERS: dict[str, tuple[ChoiceVariant, Any]] = {
    "mmmu_official": ("mmmu", "RANDOM"),
    "lmms_mmmu": ("lmms_eval_mmmu", "RANDOM"),
    "vlmevalkit_can_infer": ("vlmevalkit", False),
    "lmms_mmbench_can_infer": ("lmms_eval_mmbench", False),
    "lmms_extract_mcq_answer": ("lmms_eval_mcq", ""),
    "vlmevalkit_extract_characters_regex": ("vlmevalkit_regex", ""),
}
_VQA_NAMES = {"official": "official_pct"}


def _vqa_accuracy(vector: Vector) -> Any:
    prediction, answers = vector.input["prediction"], vector.input["answers"]
    answer_ids = vector.input.get("answer_id_present", True)
    values = {
        _VQA_NAMES.get(variant, variant): outcome(
            vqa_accuracy, prediction, answers, variant, answer_ids=answer_ids
        )
        for variant in get_args(VqaVariant)
    }
    official = values["official_pct"]
    if isinstance(official, float):
        values["official_pct"] = round(100 * official, 2)
    return values if isinstance(vector.expected, dict) else values["official_pct"]


def _vqa_normalise(vector: Vector) -> Any:
    return {variant: normalise_answer(vector.input["text"], variant) for variant in get_args(VqaVariant)}


def _mcq_extract(vector: Vector) -> Any:
    response = vector.input["response"]
    choices = {label: str(text) for label, text in vector.input["choices"].items()}
    read = {name: reference_choice(response, choices, ours) for name, (ours, _) in _CHOICE_READERS.items()}
    return {name: _CHOICE_READERS[name][1] if label is None else label for name, label in read.items()}


def _mmbench_circular(vector: Vector) -> Any:
    rotations = vector.input["rollings"]
    answers = [reference_choice(str(r["prediction"]), _rotation_choices(r), "vlmevalkit") for r in rotations]
    expected = [rotation["GT"] for rotation in rotations]
    return {
        "hit": circular_correct(answers, expected),
        "hit_exact_matching": circular_correct(answers, expected, unreadable="wrong"),
    }


def _rotation_choices(rotation: dict[str, Any]) -> dict[str, str]:
    return {
        label: str(rotation[label]) for label in ascii_uppercase if rotation.get(label) not in (None, "NaN")
    }


def _mmmu_open_parse(vector: Vector) -> Any:
    return sorted(map(str, parse_open_answer(vector.input["response"])))


def _mmmu_open_correct(vector: Vector) -> Any:
    return open_answer_correct(vector.input["response"], vector.input["gold"])


METRICS: dict[str, Callable[[Vector], Any]] = {
    "mcq_extract": _mcq_extract,
    "mmbench_circular": _mmbench_circular,
    "mmmu_open_correct": _mmmu_open_correct,
    "mmmu_open_parse": _mmmu_open_parse,
    "vqa_accuracy": _vqa_accuracy,
    "vqa_normalise": _vqa_normalise,
}
