"""Reference vectors of object hallucination."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.hallucination import ChairCounts, chair_counts, coco_vocabulary, pope_scores
from vlmops.evaluators.questions import extract_yes_no
from vlmops.evaluators.verify.comparison import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.evaluators.questions import YesNoVariant
    from vlmops.evaluators.verify.vector import Vector


def _pope(vector: Vector) -> Any:
    variants: dict[str, YesNoVariant] = {
        "official": "pope",
        "lmms_eval": "lmms_eval",
        "vlmevalkit": "vlmevalkit",
    }
    return {name: outcome(_pope_variant, vector, variant) for name, variant in variants.items()}


def _pope_variant(vector: Vector, variant: YesNoVariant) -> dict[str, Any]:
    answers = [extract_yes_no(answer, variant) for answer in vector.input["answers"]]
    scores = pope_scores(answers, vector.input["labels"], variant)
    values: dict[str, Any] = {
        "TP": scores.true_positives,
        "FP": scores.false_positives,
        "TN": scores.true_negatives,
        "FN": scores.false_negatives,
        "accuracy": scores.accuracy,
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "yes_ratio": scores.yes_ratio,
        "parsed": [extract_yes_no(answer, "pope") for answer in vector.input["answers"]],
        "extracted": [_vlmevalkit_word(answer) for answer in vector.input["answers"]],
    }
    if math.isnan(scores.f1):
        # The original code stops here; ours gives NaN for the ratio.
        values["raises"] = "ZeroDivisionError"
    return values


def _vlmevalkit_word(answer: str) -> str:
    read = extract_yes_no(answer, "vlmevalkit")
    return read.capitalize() if read else "Unknown"


def _yes_no_extract(vector: Vector) -> Any:
    return _vlmevalkit_word(vector.input["text"])


def _chair(vector: Vector) -> Any:
    vocabulary = coco_vocabulary()
    counts, per_caption = [], []
    for caption, gold in zip(vector.input["captions"], vector.input["gold_objects"], strict=True):
        mentions = vocabulary.mentions(caption)
        count = chair_counts([mention.object for mention in mentions], gold)
        counts.append(count)
        per_caption.append(
            {
                "generated": [mention.object for mention in mentions],
                "hallucinated": [[m.words, m.object] for m in mentions if m.object not in gold],
                "CHAIRi": count.chair_i if count.mentions else 0.0,
                "CHAIRs": count.hallucinating,
            }
        )
    total = sum(counts, ChairCounts())
    if not total.mentions:
        return math.nan
    return {"CHAIRs": total.chair_s, "CHAIRi": total.chair_i, "per": per_caption}


def _chair_aggregate(vector: Vector) -> Any:
    samples = vector.input["samples"]
    total = sum((chair_counts(sample["mentioned"], sample["gold"]) for sample in samples), ChairCounts())
    return {"chair_i": 100 * total.chair_i, "chair_s": 100 * total.chair_s, "recall": 100 * total.recall}


METRICS: dict[str, Callable[[Vector], Any]] = {
    "chair": _chair,
    "chair_aggregate": _chair_aggregate,
    "pope": _pope,
    "yes_no_extract": _yes_no_extract,
}
