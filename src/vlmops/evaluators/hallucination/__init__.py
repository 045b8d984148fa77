"""Objects that a model sees and the picture does not show: POPE and CHAIR."""

from __future__ import annotations

from vlmops.evaluators.hallucination.chair import Chair, ChairCounts, chair_counts
from vlmops.evaluators.hallucination.coco import coco_vocabulary
from vlmops.evaluators.hallucination.pope import Pope, PopeScores, pope_scores
from vlmops.evaluators.hallucination.vocabulary import Mention, ObjectVocabulary

__all__ = [
    "Chair",
    "ChairCounts",
    "Mention",
    "ObjectVocabulary",
    "Pope",
    "PopeScores",
    "chair_counts",
    "coco_vocabulary",
    "pope_scores",
]
