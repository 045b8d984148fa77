"""Reference vectors of captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.captions import (
    bleu_counts,
    cider_d,
    clip_scores,
    corpus_bleu,
    corpus_chrf,
    ptb_tokenize,
    ref_clip_scores,
    reference_similarities,
    rouge_l,
    sacre_bleu,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vlmops.evaluators.verify.vector import Vector

_BLEU_ORDERS = 4


def _captions(vector: Vector) -> tuple[list[str], list[list[str]]]:
    if vector.input["gts"].keys() != vector.input["res"].keys():
        raise ValueError("captions and references are of different pictures")
    candidates = [_only(captions) for captions in vector.input["res"].values()]
    return candidates, [vector.input["gts"][picture] for picture in vector.input["res"]]


def _only(captions: list[str]) -> str:
    (caption,) = captions
    return caption


def _bleu(vector: Vector) -> Any:
    candidates, references = _captions(vector)
    counts = [bleu_counts(c, r, _BLEU_ORDERS) for c, r in zip(candidates, references, strict=True)]
    scores = corpus_bleu(candidates, references, _BLEU_ORDERS)
    values: dict[str, Any] = {f"Bleu_{order}": score for order, score in enumerate(scores, start=1)}
    for order in range(_BLEU_ORDERS):
        values[f"per_image_Bleu_{order + 1}"] = [count.scores[order] for count in counts]
    return values


def _rouge_l(vector: Vector) -> Any:
    scores = [
        rouge_l(candidate, references) for candidate, references in zip(*_captions(vector), strict=True)
    ]
    return {"ROUGE_L": _mean(scores), "per_image": scores}


def _cider(vector: Vector) -> Any:
    scores = cider_d(*_captions(vector))
    return {"CIDEr": _mean(scores), "per_image": scores}


def _sacrebleu(vector: Vector) -> Any:
    candidates = vector.input["hypotheses"]
    # sacreBLEU takes one list per set of references, with None where a text has no further one.
    references = [
        [text for text in texts if text is not None]
        for texts in zip(*vector.input["references"], strict=False)
    ]
    return {"bleu": sacre_bleu(candidates, references), "chrf": corpus_chrf(candidates, references)}


def _clipscore_formula(vector: Vector) -> Any:
    captions = vector.input["caption_embeddings"]
    scores = clip_scores(vector.input["image_embeddings"], captions)
    values: dict[str, Any] = {"CLIPScore": scores.tolist(), "mean": float(scores.mean())}
    references = vector.input.get("reference_embeddings")
    if references is not None:
        similarities = reference_similarities(captions, references)
        values["ref_max_cos"] = similarities.tolist()
        values["RefCLIPScore"] = ref_clip_scores(scores, similarities).tolist()
    return values


def _ptb_tokenize(vector: Vector) -> Any:
    return {
        picture: [ptb_tokenize(caption["caption"]) for caption in captions]
        for picture, captions in vector.input.items()
    }


def _mean(scores: list[float]) -> float:
    return sum(scores) / len(scores)


METRICS: dict[str, Callable[[Vector], Any]] = {
    "bleu": _bleu,
    "cider": _cider,
    "clipscore_formula": _clipscore_formula,
    "ptb_tokenize": _ptb_tokenize,
    "rouge_l": _rouge_l,
    "sacrebleu": _sacrebleu,
}

NOT_OFFERED: dict[str, str] = {
    "meteor": "its reference is a Java program with 60 MB of paraphrase tables; no exact Python port exists",
}
