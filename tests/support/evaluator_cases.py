"""One representative row per evaluator: two answers with what was expected, and the scores they must get.

All evaluators look at the same two samples: the answer of a sample is an object with one part per evaluator,
``{"cer": "tota1", "wer": ...}``, and every evaluator that has a ``key`` is made with its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from judging_models import AnswersDecide

from vlmops.datasets import Sample
from vlmops.evaluators import Case, Usage, create
from vlmops.images import Image
from vlmops.judges import Rubric, YesNo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.evaluators import Value

SAMPLES = ("first", "second")
LATENCY = (0.5, 1.5)
USAGE = (Usage(800, 20, 765, 0.002), Usage(900, 40, 765, 0.004))


@dataclass(frozen=True)
class Row:
    """What one evaluator is shown, and what it must say.

    Attributes:
        answers: Output and expected value of either sample.
        scores: Value of each score of the first sample, by name.
        set_scores: Value of each score of both samples together, by name; empty where there is no set form.
        parameters: Of the evaluator.
    """

    answers: Sequence[tuple[Any, Any]] = ((None, None), (None, None))
    scores: Mapping[str, Value] = field(default_factory=dict)
    set_scores: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)


def evaluator(name: str) -> Any:
    """The evaluator of a row, looking at its own part of the samples."""
    parameters = dict(ROWS[name].parameters)
    made = create(name, **parameters)
    return create(name, **parameters, key=name) if "key" in {f.name for f in fields(made)} else made


def outputs(index: int) -> dict[str, Any]:
    """The answer to a sample: one part per evaluator."""
    return {name: row.answers[index][0] for name, row in ROWS.items() if row.answers[index][0] is not None}


def samples() -> list[Sample]:
    """Both samples."""
    return [
        Sample(
            identity,
            inputs={"scene": scene(index), "rendered": rendered(index), "choices": CHOICES[index]},
            expected={
                name: row.answers[index][1] for name, row in ROWS.items() if row.answers[index][1] is not None
            },
            metadata={"question_id": "q1", "model": "any"},
        )
        for index, identity in enumerate(SAMPLES)
    ]


@cache
def cases() -> list[Case]:
    """Both samples with their answers, as evaluators see them."""
    return [
        Case(outputs(i), s.expected, s.inputs, s.id, s.metadata, USAGE[i], LATENCY[i])
        for i, s in enumerate(samples())
    ]


def embed_image(image: Image) -> list[float]:
    """A stand-in for a model's embedding: red and green on average."""
    return [float(value) for value in image.to_array().mean(axis=(0, 1))[:2]]


def embed_text(text: str) -> list[float]:
    """A stand-in for a model's embedding."""
    return [float(text.count("red")), float(text.count("green"))]


@cache
def scene(index: int) -> Image:
    """A photograph of sorts: stripes with grain, red first and green second."""
    import numpy as np

    grain = np.random.default_rng(index).integers(0, 60, (240, 320, 3), dtype=np.uint8)
    grain[:, :: 8 + index, index] += 190
    return Image.from_array(grain)


@cache
def rendered(index: int) -> Image:
    """A drawing: a bright square on grey."""
    import numpy as np

    pixels = np.full((240, 320, 3), 90, np.uint8)
    pixels[60:180, 80 + 40 * index : 240] = (250, 250, 250 - 100 * index)
    return Image.from_array(pixels)


@cache
def mask() -> Image:
    """White where the square of the first rendering is."""
    import numpy as np

    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[60:180, 80:240] = 255
    return Image.from_array(pixels)


CHOICES = (["dog", "cat", "owl"], ["cat", "owl", "dog"])
PAIR = ((rendered(1), rendered(0)), (rendered(0), rendered(0)))
CAPTIONS = (
    ("a dog runs on the grass", ["a dog runs on grass", "a brown dog runs"]),
    ("a red car on a road", ["a red car drives on a road"]),
)
TABLE = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
CUP, PLATE = [10, 10, 60, 60], [100, 10, 180, 90]
BOXES = (([10, 10, 60, 50], CUP), (PLATE, PLATE))
FOUND = [
    {"bbox": CUP, "label": "cup", "score": 0.9},
    {"bbox": [200, 10, 220, 30], "label": "cup", "score": 0.4},
]
OBJECTS = [{"bbox": CUP, "label": "cup"}, {"bbox": PLATE, "label": "plate"}]
DETECTIONS = ((FOUND, OBJECTS), ([{"bbox": PLATE, "label": "plate", "score": 0.8}], [OBJECTS[1]]))
PIXELS = {"convention": "pixels"}
JUDGED = (("all of it is right", None), ("it is wrong", None))
JUDGE = {"model": AnswersDecide()}
MODEL = {"embed_image": embed_image, "embed_text": embed_text}

ROWS: dict[str, Row] = {
    "accuracy_at_iou": Row(BOXES, scores={"accuracy_at_iou": True}, parameters=PIXELS),
    "anls": Row(
        (("12 Main St.", ["12 Main St", "Main"]), ("nothing", "12 Main St")), scores={"anls": 0.909090909}
    ),
    "anls_star": Row(
        (({"total": "12.5O"}, {"total": "12.50"}), ({"total": "3"}, {"total": "3"})),
        scores={"anls_star": 0.8},
    ),
    "benchmark_count": Row(
        (("There are 12", 10), ("7", 7)),
        scores={"benchmark_count": 0.0},
        set_scores={"benchmark_count.exact": 0.5, "benchmark_count.mae": 1.0},
    ),
    "bleu": Row(
        CAPTIONS, set_scores={"bleu.1": 0.916666667, "bleu.2": 0.801040989}, parameters={"orders": 2}
    ),
    "box_diou": Row(BOXES, scores={"box_diou": 0.795}, parameters=PIXELS),
    "box_f1": Row(DETECTIONS, scores={"box_f1": 0.5}, set_scores={"box_f1": 0.666666667}, parameters=PIXELS),
    "box_giou": Row(BOXES, scores={"box_giou": 0.8}, parameters=PIXELS),
    "box_iou": Row(BOXES, scores={"box_iou": 0.8}, parameters=PIXELS),
    "calibration": Row(
        (({"label": "dent", "confidence": 0.9}, "rust"), ({"label": "ok", "confidence": 0.8}, "ok")),
        scores={"calibration": 0.81},
        set_scores={"calibration.ece": 0.55, "calibration.brier": 0.425},
    ),
    "cer": Row((("tota1", "total"), ("sum", "sum")), scores={"cer": 0.2}, set_scores={"cer": 0.125}),
    "center_accuracy": Row(BOXES, scores={"center_accuracy": True}, parameters=PIXELS),
    "chair": Row(
        (("A dog and a cat on a sofa", ["dog", "couch"]), ("A cup.", ["cup", "dog"])),
        scores={"chair": 0.333333333},
        set_scores={"chair.i": 0.25, "chair.s": 0.5, "chair.recall": 0.75},
    ),
    "chrf": Row(CAPTIONS, scores={"chrf": 74.1789347}, set_scores={"chrf": 62.756153}),
    "cider": Row(CAPTIONS, set_scores={"cider": 4.567967}),
    "circular_accuracy": Row((("B", "B"), ("A", "A")), set_scores={"circular_accuracy": 1.0}),
    "classification": Row(
        (("a dent", "dent"), ("ok", "dent")),
        scores={"classification": True},
        set_scores={
            "classification.accuracy": 0.5,
            "classification.balanced_accuracy": 0.5,
            "classification.precision": 0.5,
            "classification.recall": 0.25,
            "classification.f1": 0.333333333,
            "classification.mcc": 0.0,
        },
        parameters={"labels": ["ok", "dent"]},
    ),
    "clip_score": Row(
        (("a red car", None), ("a green car", None)), scores={"clip_score": 2.1866254}, parameters=MODEL
    ),
    "cost": Row(
        scores={"cost": 0.002},
        set_scores={
            "cost.mean": 0.003,
            "cost.p50": 0.003,
            "cost.p90": 0.0038,
            "cost.p95": 0.0039,
            "cost.p99": 0.00398,
        },
    ),
    "currency_match": Row((("12.50 euros", "EUR 12.50"), ("$ 3", "EUR 3")), scores={"currency_match": True}),
    "error_rate": Row(scores={"error_rate": 0.0}, set_scores={"error_rate": 0.0}),
    "field_match": Row(
        (({"total": "1", "tax": "2"}, {"total": "1", "tax": "3"}), ({"total": "4"}, {"total": "4"})),
        scores={"field_match": 0.5},
        set_scores={"field_match": 0.666666667},
    ),
    "image_quality": Row(scores={"image_quality": False}),
    "image_tokens": Row(
        scores={"image_tokens": 765.0},
        set_scores={
            "image_tokens.mean": 765.0,
            "image_tokens.p50": 765.0,
            "image_tokens.p90": 765.0,
            "image_tokens.p95": 765.0,
            "image_tokens.p99": 765.0,
        },
    ),
    "judge": Row(
        JUDGED,
        scores={"judge": True},
        parameters={**JUDGE, "rubric": Rubric("Judge answers.", (YesNo("right", "Is it right?"),))},
    ),
    "judge_caption": Row(
        JUDGED,
        scores={"judge_caption": True, "judge_caption.correct": 5.0, "judge_caption.complete": 5.0},
        parameters=JUDGE,
    ),
    "judge_defect": Row(
        JUDGED,
        scores={
            "judge_defect": True,
            "judge_defect.kind": True,
            "judge_defect.place": True,
            "judge_defect.severity": True,
        },
        parameters=JUDGE,
    ),
    "judge_edit": Row(
        JUDGED,
        scores={
            "judge_edit": True,
            "judge_edit.done": True,
            "judge_edit.rest_kept": True,
            "judge_edit.clean": True,
        },
        parameters=JUDGE,
    ),
    "judge_extraction": Row(
        JUDGED,
        scores={
            "judge_extraction": True,
            "judge_extraction.faithful": True,
            "judge_extraction.complete": True,
        },
        parameters=JUDGE,
    ),
    "judge_grounded": Row(JUDGED, scores={"judge_grounded": True}, parameters=JUDGE),
    "judge_harm": Row(JUDGED, scores={"judge_harm": "none", "judge_harm.pass": True}, parameters=JUDGE),
    "judge_image_alignment": Row(
        JUDGED,
        scores={
            "judge_image_alignment": True,
            "judge_image_alignment.alignment": 5.0,
            "judge_image_alignment.sound": True,
        },
        parameters=JUDGE,
    ),
    "judge_instruction_followed": Row(
        JUDGED,
        scores={"judge_instruction_followed": 5.0, "judge_instruction_followed.pass": True},
        parameters=JUDGE,
    ),
    "judge_navigation": Row(
        JUDGED,
        scores={
            "judge_navigation": True,
            "judge_navigation.layout": True,
            "judge_navigation.reaches": True,
            "judge_navigation.safe": True,
        },
        parameters=JUDGE,
    ),
    "judge_no_invented_object": Row(JUDGED, scores={"judge_no_invented_object": True}, parameters=JUDGE),
    "judge_step": Row(
        JUDGED, scores={"judge_step.state": "completed", "judge_step.right": True}, parameters=JUDGE
    ),
    "json_parse": Row(
        (('{"total": 12.5,}', None), ("[1]", None)),
        scores={"json_parse.strict": False, "json_parse.repaired": True},
        set_scores={"json_parse.strict": 0.5, "json_parse.repaired": 1.0, "json_parse.repair_rate": 0.5},
    ),
    "label_match": Row((("rust", "rust"), ("dent", "rust")), scores={"label_match": True}),
    "label_set_match": Row(
        ((["rust", "dent"], ["rust"]), ([], [])),
        scores={"label_set_match": 0.5},
        set_scores={
            "label_set_match.exact": 0.5,
            "label_set_match.hamming_loss": 0.25,
            "label_set_match.jaccard": 0.75,
            "label_set_match.samples_f1": 0.833333333,
            "label_set_match.micro_f1": 0.666666667,
        },
    ),
    "latency": Row(
        scores={"latency": 0.5},
        set_scores={
            "latency.mean": 1.0,
            "latency.p50": 1.0,
            "latency.p90": 1.4,
            "latency.p95": 1.45,
            "latency.p99": 1.49,
        },
    ),
    "mean_average_precision": Row(
        DETECTIONS,
        scores={"mean_average_precision.f1": 0.5},
        set_scores={"mean_average_precision": 0.752475248},
        parameters=PIXELS,
    ),
    "mean_relative_accuracy": Row(
        (("about 12 m", "10 m"), ("10", "10")), scores={"mean_relative_accuracy": 0.6}
    ),
    "mse": Row(PAIR, scores={"mse": 2225.0}),
    "multiple_choice": Row((("The answer is (B).", "B"), ("C", "A")), scores={"multiple_choice": True}),
    "near_duplicates": Row(set_scores={"near_duplicates": 0.5}),
    "normalized_edit_distance": Row(
        (("cafe", "café"), ("a", "a")), scores={"normalized_edit_distance": 0.25}
    ),
    "nted": Row(
        (({"total": "12"}, {"total": "13"}), ({"total": "3"}, {"total": "3"})), scores={"nted": 0.666666667}
    ),
    "ocrbench_v1": Row((("the total is 12", "12"), ("13", "12")), scores={"ocrbench_v1": True}),
    "ocrbench_v2": Row((("7 apples", [7]), ("none", [7])), scores={"ocrbench_v2": 1.0}),
    "open_answer": Row((("So x = 3.5", "3.50"), ("It is red", "blue")), scores={"open_answer": True}),
    "page_edit_distance": Row(
        ((["total", "hello word"], ["hello world", "total"]), ("a", "a")),
        scores={"page_edit_distance": 0.0625},
    ),
    "phash_distance": Row(PAIR, scores={"phash_distance": 7.0}),
    "panel": Row(
        JUDGED,
        scores={"panel": True},
        parameters={"judges": [{**JUDGE, "use": "judge_grounded", "name": name} for name in ("a", "b")]},
    ),
    "pixel_difference": Row(PAIR, scores={"pixel_difference": 0.25}),
    "point_accuracy": Row(
        (("(100, 100) and (5, 5)", mask()), ("(120, 120)", mask())),
        scores={"point_accuracy": 0.5},
        parameters=PIXELS,
    ),
    "pope": Row(
        (("Yes, a dog.", "no"), ("Yes.", "yes")),
        scores={"pope": False},
        set_scores={
            "pope.accuracy": 0.5,
            "pope.precision": 0.5,
            "pope.recall": 1.0,
            "pope.f1": 0.666666667,
            "pope.yes_ratio": 1.0,
        },
    ),
    "probabilities": Row(
        (({"ok": 0.8, "dent": 0.2}, "ok"), ({"ok": 0.4, "dent": 0.6}, "dent")),
        scores={"probabilities": 0.223143551},
        set_scores={
            "probabilities.log_loss": 0.366984588,
            "probabilities.brier": 0.1,
            "probabilities.roc_auc": 1.0,
            "probabilities.average_precision": 1.0,
        },
    ),
    "psnr": Row(PAIR, scores={"psnr": 14.6575035}),
    "quantity_error": Row(
        (("two dozen", 25), ("10", 10)),
        scores={"quantity_error": 1.0},
        set_scores={
            "quantity_error.mae": 0.5,
            "quantity_error.rmse": 0.707106781,
            "quantity_error.median_ae": 0.5,
            "quantity_error.mape": 0.02,
            "quantity_error.r2": 0.991111111,
            "quantity_error.relaxed_accuracy": 1.0,
        },
    ),
    "reading_order": Row(
        ((["one", "three", "two"], ["one", "two", "three"]), (["a"], ["a"])),
        scores={"reading_order": 0.666666667},
    ),
    "ref_clip_score": Row(
        (("a red car", ["red"]), ("a green car", ["green"])),
        scores={"ref_clip_score": 1.37237681},
        parameters=MODEL,
    ),
    "refusal": Row(
        (("I'm unable to assist with this request.", None), ("A cat.", None)),
        scores={"refusal": 1.0},
        set_scores={"refusal": 0.5},
    ),
    "relative_error": Row((("$ 9", 10), ("5", 5)), scores={"relative_error": 0.1}),
    "relaxed_accuracy": Row((("1,020", "1000"), ("90", "100")), scores={"relaxed_accuracy": True}),
    "rouge_l": Row(CAPTIONS, scores={"rouge_l": 0.924242424}),
    "sacrebleu": Row(CAPTIONS, set_scores={"sacrebleu": 48.0874844}),
    "schema_valid": Row(
        (('{"count": -1}', None), ('{"count": 1}', None)),
        scores={"schema_valid": False},
        set_scores={"schema_valid": 0.5},
        parameters={"schema": {"properties": {"count": {"minimum": 0}}}},
    ),
    "spatial_layout": Row(
        (
            ({"cup": CUP, "plate": PLATE}, [{"subject": "cup", "relation": "left of", "object": "plate"}]),
            ({"cup": CUP, "plate": PLATE}, [{"subject": "cup", "relation": "right of", "object": "plate"}]),
        ),
        scores={"spatial_layout": 1.0},
        parameters=PIXELS,
    ),
    "spatial_relation": Row(
        (("It is to the left of the plate.", "left of"), ("above it", "below")),
        scores={"spatial_relation": True},
    ),
    "ssim": Row(PAIR, scores={"ssim": 0.935551308}),
    "step_completeness": Row(
        ((["open", "close", "wipe"], ["open", "swap fuse", "close"]), (["open"], ["open"])),
        scores={
            "step_completeness.recall": 0.666666667,
            "step_completeness.precision": 0.666666667,
            "step_completeness.f1": 0.666666667,
            "step_completeness.order": 1.0,
        },
        set_scores={
            "step_completeness.recall": 0.75,
            "step_completeness.precision": 0.75,
            "step_completeness.f1": 0.75,
        },
    ),
    "step_similarity": Row(
        ((["b", "a", "c", "d"], ["a", "b", "c", "d"]), (["a"], ["a"])), scores={"step_similarity": 0.5}
    ),
    "step_verdicts": Row(
        (
            ({"open": "done", "swap": "done"}, {"open": "done", "swap": "missing"}),
            ({"open": "missing"}, {"open": "missing"}),
        ),
        scores={"step_verdicts": 0.5},
        set_scores={"step_verdicts.accuracy": 0.666666667, "step_verdicts.kappa": 0.4},
    ),
    "teds": Row(((TABLE.replace("d</td>", "x</td>"), TABLE), (TABLE, TABLE)), scores={"teds": 0.833333333}),
    "teds_struct": Row(
        ((TABLE.replace("d</td>", "x</td>"), TABLE), (TABLE, TABLE)), scores={"teds_struct": 1.0}
    ),
    "tokens": Row(
        scores={"tokens": 820.0},
        set_scores={
            "tokens.mean": 880.0,
            "tokens.p50": 880.0,
            "tokens.p90": 928.0,
            "tokens.p95": 934.0,
            "tokens.p99": 938.8,
        },
    ),
    "vqa_accuracy": Row(
        (("Red.", ["red"] * 2 + ["dark red"] * 8), ("two", ["2"] * 10)), scores={"vqa_accuracy": 0.6}
    ),
    "wer": Row(
        (("due 3 May", "due 8 May"), ("a", "a")), scores={"wer": 0.333333333}, set_scores={"wer": 0.25}
    ),
    "within_tolerance": Row(
        (("13 bolts", 12), ("12", 12)), scores={"within_tolerance": True}, parameters={"absolute": 1}
    ),
    "yes_no": Row((("No, there is none.", "no"), ("Yes", "no")), scores={"yes_no": True}),
}
