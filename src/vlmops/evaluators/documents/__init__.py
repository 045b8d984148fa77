"""Transcriptions, answers read from documents, extracted fields, tables and page layout."""

from __future__ import annotations

from vlmops.evaluators.documents.anls import AnlsVariant, AnswerSimilarity, anls, right_answers
from vlmops.evaluators.documents.anls_star import AnlsStar, AnlsStarSimilarity, anls_star, anls_star_detail
from vlmops.evaluators.documents.assignment import best_assignment
from vlmops.evaluators.documents.edit_distance import (
    NormalizedEditDistance,
    edit_distance,
    indel_ratio,
    normalized_edit_distance,
)
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
from vlmops.evaluators.documents.fields import FieldMatch, FieldVariant, field_f1
from vlmops.evaluators.documents.html_table import Element, find_body_table, find_table, parse_html
from vlmops.evaluators.documents.kie import (
    KieVariant,
    TreeEditAccuracy,
    flat_fields,
    normalize_kie_text,
    tree_edit_accuracy,
)
from vlmops.evaluators.documents.ocrbench import (
    OcrBenchV1,
    OcrBenchV2,
    OcrBenchVariant,
    ocrbench_v1,
    ocrbench_v2,
)
from vlmops.evaluators.documents.page import (
    PageEditDistance,
    ReadingOrder,
    match_blocks,
    omnidocbench_edit_distance,
    order_edit_distance,
    order_kendall_tau,
    page_edit_distance,
)
from vlmops.evaluators.documents.rows import Comparison, Difference, compare_fields
from vlmops.evaluators.documents.teds import (
    TableSimilarity,
    TableStructureSimilarity,
    TedsVariant,
    normalize_table,
    teds,
)
from vlmops.evaluators.documents.tree import Node, tree_edit_distance
from vlmops.evaluators.text import Normalization, as_text, fold, to_half_width

__all__ = [
    "AnlsStar",
    "AnlsStarSimilarity",
    "AnlsVariant",
    "AnswerSimilarity",
    "CharacterErrorRate",
    "Comparison",
    "Difference",
    "EditCounts",
    "Element",
    "FieldMatch",
    "FieldVariant",
    "KieVariant",
    "Node",
    "Normalization",
    "NormalizedEditDistance",
    "OcrBenchV1",
    "OcrBenchV2",
    "OcrBenchVariant",
    "PageEditDistance",
    "ReadingOrder",
    "TableSimilarity",
    "TableStructureSimilarity",
    "TedsVariant",
    "TreeEditAccuracy",
    "WordErrorRate",
    "anls",
    "anls_star",
    "anls_star_detail",
    "as_text",
    "best_assignment",
    "character_edits",
    "character_error_rate",
    "compare_fields",
    "corpus_error_rate",
    "edit_distance",
    "field_f1",
    "find_body_table",
    "find_table",
    "flat_fields",
    "fold",
    "indel_ratio",
    "match_blocks",
    "normalize_kie_text",
    "normalize_table",
    "normalized_edit_distance",
    "ocrbench_v1",
    "ocrbench_v2",
    "omnidocbench_edit_distance",
    "order_edit_distance",
    "order_kendall_tau",
    "page_edit_distance",
    "parse_html",
    "right_answers",
    "teds",
    "to_half_width",
    "tree_edit_accuracy",
    "tree_edit_distance",
    "word_edits",
    "word_error_rate",
    "words",
]
