"""Captions against reference captions, or against the picture itself."""

from __future__ import annotations

from vlmops.evaluators.captions.bleu import Bleu, BleuCounts, bleu_counts, corpus_bleu
from vlmops.evaluators.captions.chrf import Chrf, ChrfCounts, chrf_counts, corpus_chrf
from vlmops.evaluators.captions.cider import Cider, cider_d
from vlmops.evaluators.captions.clip_score import (
    ClipScore,
    RefClipScore,
    clip_scores,
    ref_clip_scores,
    reference_similarities,
)
from vlmops.evaluators.captions.ptb import ptb_tokenize
from vlmops.evaluators.captions.rouge import RougeL, rouge_l
from vlmops.evaluators.captions.sacrebleu import SacreBleu, sacre_bleu, tokenize_13a

__all__ = [
    "Bleu",
    "BleuCounts",
    "Chrf",
    "ChrfCounts",
    "Cider",
    "ClipScore",
    "RefClipScore",
    "RougeL",
    "SacreBleu",
    "bleu_counts",
    "chrf_counts",
    "cider_d",
    "clip_scores",
    "corpus_bleu",
    "corpus_chrf",
    "ptb_tokenize",
    "ref_clip_scores",
    "reference_similarities",
    "rouge_l",
    "sacre_bleu",
    "tokenize_13a",
]
