"""Evaluators of transcriptions, answers read from documents, extracted fields, tables and pages."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "anls": "vlmops.evaluators.documents.anls:AnswerSimilarity",
    "anls_star": "vlmops.evaluators.documents.anls_star:AnlsStarSimilarity",
    "cer": "vlmops.evaluators.documents.error_rate:CharacterErrorRate",
    "field_match": "vlmops.evaluators.documents.fields:FieldMatch",
    "normalized_edit_distance": "vlmops.evaluators.documents.edit_distance:NormalizedEditDistance",
    "nted": "vlmops.evaluators.documents.kie:TreeEditAccuracy",
    "ocrbench_v1": "vlmops.evaluators.documents.ocrbench:OcrBenchV1",
    "ocrbench_v2": "vlmops.evaluators.documents.ocrbench:OcrBenchV2",
    "page_edit_distance": "vlmops.evaluators.documents.page:PageEditDistance",
    "reading_order": "vlmops.evaluators.documents.page:ReadingOrder",
    "teds": "vlmops.evaluators.documents.teds:TableSimilarity",
    "teds_struct": "vlmops.evaluators.documents.teds:TableStructureSimilarity",
    "wer": "vlmops.evaluators.documents.error_rate:WordErrorRate",
}
