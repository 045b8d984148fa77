"""Adapters of the document metrics."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import documents
from vlmops.evaluators.verify.comparison import outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vlmops.evaluators.verify.tables import Adapter
    from vlmops.evaluators.verify.vector import Vector


def _cer(vector: Vector) -> Any:
    output, expected = vector.input["hypothesis"], vector.input["reference"]
    rate = documents.character_error_rate(output, expected)
    if not isinstance(vector.expected, dict):
        return rate
    return {"cer": rate, **asdict(documents.character_edits(output, expected))}


def _wer(vector: Vector) -> Any:
    output, expected = vector.input["hypothesis"], vector.input["reference"]
    rate = documents.word_error_rate(output, expected)
    if not isinstance(vector.expected, dict):
        return rate
    counts = documents.word_edits(output, expected)
    return {
        "wer": rate,
        "mer": counts.match_error_rate,
        "wil": counts.information_lost,
        "wip": counts.information_preserved,
        **asdict(counts),
    }


def _corpus(vector: Vector) -> Iterable[tuple[str, str]]:
    return zip(vector.input["hypothesis"], vector.input["reference"], strict=True)


def _cer_corpus(vector: Vector) -> float:
    return documents.corpus_error_rate(documents.character_edits(*pair) for pair in _corpus(vector))


def _wer_corpus(vector: Vector) -> float:
    return documents.corpus_error_rate(documents.word_edits(*pair) for pair in _corpus(vector))


_ANLS_VARIANTS: dict[str, documents.AnlsVariant] = {
    "anls_pypi": "anls",
    "anls_star": "anls_star",
    "vlmevalkit": "docvqa",
    "lmms_eval": "docvqa",
}


def _anls(vector: Vector) -> Any:
    output, expected = vector.input["prediction"], vector.input["gold"]
    threshold = vector.input.get("threshold", 0.5)
    return {
        implementation: outcome(documents.anls, output, expected, threshold=threshold, variant=variant)
        for implementation, variant in _ANLS_VARIANTS.items()
    }


def _anls_star(vector: Vector) -> float:
    return documents.anls_star(vector.input["prediction"], _any_of(vector.input["gold"]))


def _any_of(value: Any) -> Any:
    """The vectors' spelling of several right answers as a tuple, as the reference takes it."""
    if isinstance(value, dict) and set(value) == {"__one_of__"}:
        return tuple(map(_any_of, value["__one_of__"]))
    if isinstance(value, dict):
        return {key: _any_of(part) for key, part in value.items()}
    return [_any_of(part) for part in value] if isinstance(value, list) else value


def _levenshtein(vector: Vector) -> Any:
    pair = vector.input["s1"], vector.input["s2"]
    return {
        "distance": documents.edit_distance(*pair),
        "normalized_distance": documents.normalized_edit_distance(*pair),
        "indel_ratio": documents.indel_ratio(*pair),
    }


def _kie(vector: Vector) -> Any:
    pair = vector.input["prediction"], vector.input["gold"]
    return {
        "donut_f1": outcome(documents.field_f1, *pair, variant="donut"),
        "donut_nted_acc": outcome(documents.tree_edit_accuracy, *pair, variant="donut"),
        "ccocr_f1": outcome(documents.field_f1, *pair, variant="cc_ocr"),
        "ccocr_nted_acc": outcome(documents.tree_edit_accuracy, *pair, variant="cc_ocr"),
    }


def _kie_normalise(vector: Vector) -> str:
    return documents.normalize_kie_text(str(vector.input["text"]))


def _ocrbench_v1(vector: Vector) -> Any:
    output, answers = vector.input["prediction"], vector.input["answers"]
    formula = bool(vector.input.get("hme100k"))
    return {
        "official": outcome(documents.ocrbench_v1, output, answers, formula=formula),
        "lmms_eval": outcome(documents.ocrbench_v1, output, answers, formula=formula, variant="lmms_eval"),
    }


def _ocrbench_v2(vector: Vector) -> float:
    return documents.ocrbench_v2(vector.input["prediction"], vector.input["answers"])


def _omnidocbench(vector: Vector) -> float:
    pages: dict[str, list[tuple[str, str]]] = {}
    for sample in vector.input["samples"]:
        name = sample["img_id"]
        # A block of a page is named after it: "p1.jpg_3".
        page = name if name.endswith(".jpg") else name.rpartition("_")[0]
        output, expected = (sample.get(f"norm_{side}") or sample[side] for side in ("pred", "gt"))
        pages.setdefault(page, []).append((output, expected))
    return documents.omnidocbench_edit_distance(pages)


_TEDS_VARIANTS: dict[str, documents.TedsVariant] = {
    "pubtabnet": "pubtabnet",
    # VLMEvalKit runs the normalisation before the score, not in it.
    "omnidocbench_vlmevalkit": "pubtabnet",
    "table_recognition_metric": "table_recognition_metric",
}


def _teds(vector: Vector) -> Any:
    return {
        implementation: outcome(
            documents.teds,
            vector.input["pred_html"],
            vector.input["gold_html"],
            structure_only=bool(vector.input.get("structure_only")),
            variant=variant,
            anywhere=False,
        )
        for implementation, variant in _TEDS_VARIANTS.items()
    }


METRICS: dict[str, Adapter] = {
    "anls": _anls,
    "anls_star": _anls_star,
    "cer": _cer,
    "cer_corpus": _cer_corpus,
    "kie_field_f1_and_nted": _kie,
    "kie_normalise": _kie_normalise,
    "levenshtein": _levenshtein,
    "ocrbench_v1": _ocrbench_v1,
    "ocrbench_v2_vqa": _ocrbench_v2,
    "omnidocbench_edit_distance": _omnidocbench,
    "teds": _teds,
    "teds_struct": _teds,
    "wer": _wer,
    "wer_corpus": _wer_corpus,
}
