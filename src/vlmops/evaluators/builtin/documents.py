"""Evaluators of transcriptions, answers read from documents, extracted fields, tables and pages."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "cer": "vlmops.evaluators.documents.error_rate:CharacterErrorRate",
    "wer": "vlmops.evaluators.documents.error_rate:WordErrorRate",
}
