"""Transcriptions, answers read from documents, extracted fields, tables and page layout."""

from __future__ import annotations

from vlmops.evaluators.documents.error_rate import (
    CharacterErrorRate,
    EditCounts,
    WordErrorRate,
    character_edits,
    character_error_rate,
    corpus_error_rate,
    word_edits,
    word_error_rate,
    words,
)
from vlmops.evaluators.documents.text import Normalization, as_text, fold

__all__ = [
    "CharacterErrorRate",
    "EditCounts",
    "Normalization",
    "WordErrorRate",
    "as_text",
    "character_edits",
    "character_error_rate",
    "corpus_error_rate",
    "fold",
    "word_edits",
    "word_error_rate",
    "words",
]
