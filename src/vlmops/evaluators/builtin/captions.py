"""Evaluators of captions against reference captions or against the picture."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "bleu": "vlmops.evaluators.captions.bleu:Bleu",
    "chrf": "vlmops.evaluators.captions.chrf:Chrf",
    "cider": "vlmops.evaluators.captions.cider:Cider",
    "clip_score": "vlmops.evaluators.captions.clip_score:ClipScore",
    "ref_clip_score": "vlmops.evaluators.captions.clip_score:RefClipScore",
    "rouge_l": "vlmops.evaluators.captions.rouge:RougeL",
    "sacrebleu": "vlmops.evaluators.captions.sacrebleu:SacreBleu",
}
