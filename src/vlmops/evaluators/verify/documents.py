"""Adapters of the document metrics."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import documents

if TYPE_CHECKING:
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


def _cer_corpus(vector: Vector) -> float:
    pairs = zip(vector.input["hypothesis"], vector.input["reference"], strict=True)
    return documents.corpus_error_rate(documents.character_edits(*pair) for pair in pairs)


def _wer_corpus(vector: Vector) -> float:
    pairs = zip(vector.input["hypothesis"], vector.input["reference"], strict=True)
    return documents.corpus_error_rate(documents.word_edits(*pair) for pair in pairs)


METRICS: dict[str, Adapter] = {
    "cer": _cer,
    "cer_corpus": _cer_corpus,
    "wer": _wer,
    "wer_corpus": _wer_corpus,
}
