"""Vision metrics: one package per use case, one module per noun, one registry by name.

The shared types are imported at once; an evaluator class is imported when it is first asked for, so that
``import vlmops.evaluators`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.evaluators.bases import (
    ComparisonEvaluator,
    NamedEvaluator,
    OutputEvaluator,
    OutputReader,
    PairReader,
    Readings,
)
from vlmops.evaluators.builtin import builtin_evaluators, load_class
from vlmops.evaluators.case import Case, Usage
from vlmops.evaluators.clusters import picture_clusters
from vlmops.evaluators.evaluator import (
    Annotator,
    Evaluator,
    Result,
    SetEvaluator,
    SetResult,
    annotator_of,
    applies,
    evaluate,
    evaluate_each,
    evaluate_in_thread,
)
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.model_use import AsksModels, asked_through, models_of
from vlmops.evaluators.registry import EvaluatorEntry, create, entries, register
from vlmops.evaluators.score import Direction, Interval, Range, Score, SetScore, Value
from vlmops.evaluators.selection import MISSING, select
from vlmops.evaluators.slices import Slice, SliceBy, slices_of

if TYPE_CHECKING:
    from vlmops.evaluators.captions.bleu import Bleu as Bleu
    from vlmops.evaluators.captions.chrf import Chrf as Chrf
    from vlmops.evaluators.captions.cider import Cider as Cider
    from vlmops.evaluators.captions.clip_score import ClipScore as ClipScore
    from vlmops.evaluators.captions.clip_score import RefClipScore as RefClipScore
    from vlmops.evaluators.captions.rouge import RougeL as RougeL
    from vlmops.evaluators.captions.sacrebleu import SacreBleu as SacreBleu
    from vlmops.evaluators.classification.confidence import Calibration as Calibration
    from vlmops.evaluators.classification.confidence import Probabilities as Probabilities
    from vlmops.evaluators.classification.label_sets import LabelSetMatch as LabelSetMatch
    from vlmops.evaluators.classification.single_label import Classification as Classification
    from vlmops.evaluators.classification.single_label import LabelMatch as LabelMatch
    from vlmops.evaluators.documents.anls import AnswerSimilarity as AnswerSimilarity
    from vlmops.evaluators.documents.anls_star import AnlsStarSimilarity as AnlsStarSimilarity
    from vlmops.evaluators.documents.edit_distance import NormalizedEditDistance as NormalizedEditDistance
    from vlmops.evaluators.documents.error_rate import CharacterErrorRate as CharacterErrorRate
    from vlmops.evaluators.documents.error_rate import WordErrorRate as WordErrorRate
    from vlmops.evaluators.documents.fields import FieldMatch as FieldMatch
    from vlmops.evaluators.documents.kie import TreeEditAccuracy as TreeEditAccuracy
    from vlmops.evaluators.documents.ocrbench import OcrBenchV1 as OcrBenchV1
    from vlmops.evaluators.documents.ocrbench import OcrBenchV2 as OcrBenchV2
    from vlmops.evaluators.documents.page import PageEditDistance as PageEditDistance
    from vlmops.evaluators.documents.page import ReadingOrder as ReadingOrder
    from vlmops.evaluators.documents.teds import TableSimilarity as TableSimilarity
    from vlmops.evaluators.documents.teds import TableStructureSimilarity as TableStructureSimilarity
    from vlmops.evaluators.grounding.f1 import BoxF1 as BoxF1
    from vlmops.evaluators.grounding.mean_average_precision import (
        MeanAveragePrecision as MeanAveragePrecision,
    )
    from vlmops.evaluators.grounding.points import PointAccuracy as PointAccuracy
    from vlmops.evaluators.grounding.single_box import AccuracyAtIou as AccuracyAtIou
    from vlmops.evaluators.grounding.single_box import BoxDiou as BoxDiou
    from vlmops.evaluators.grounding.single_box import BoxGiou as BoxGiou
    from vlmops.evaluators.grounding.single_box import BoxIou as BoxIou
    from vlmops.evaluators.grounding.single_box import CenterAccuracy as CenterAccuracy
    from vlmops.evaluators.grounding.spatial import SpatialLayout as SpatialLayout
    from vlmops.evaluators.grounding.spatial import SpatialRelation as SpatialRelation
    from vlmops.evaluators.hallucination.chair import Chair as Chair
    from vlmops.evaluators.hallucination.pope import Pope as Pope
    from vlmops.evaluators.image_quality.issues import ImageQuality as ImageQuality
    from vlmops.evaluators.image_quality.near_duplicates import NearDuplicates as NearDuplicates
    from vlmops.evaluators.operations.error_rate import ErrorRate as ErrorRate
    from vlmops.evaluators.operations.usage import Cost as Cost
    from vlmops.evaluators.operations.usage import ImageTokens as ImageTokens
    from vlmops.evaluators.operations.usage import Latency as Latency
    from vlmops.evaluators.operations.usage import Tokens as Tokens
    from vlmops.evaluators.pictures.difference import PixelDifference as PixelDifference
    from vlmops.evaluators.pictures.hashing import PerceptualHashDistance as PerceptualHashDistance
    from vlmops.evaluators.pictures.pixel_error import MeanSquaredError as MeanSquaredError
    from vlmops.evaluators.pictures.pixel_error import PeakSignalToNoiseRatio as PeakSignalToNoiseRatio
    from vlmops.evaluators.pictures.ssim import StructuralSimilarity as StructuralSimilarity
    from vlmops.evaluators.quantities.error_evaluators import MeanRelativeAccuracy as MeanRelativeAccuracy
    from vlmops.evaluators.quantities.error_evaluators import QuantityError as QuantityError
    from vlmops.evaluators.quantities.error_evaluators import RelativeError as RelativeError
    from vlmops.evaluators.quantities.match_evaluators import BenchmarkCount as BenchmarkCount
    from vlmops.evaluators.quantities.match_evaluators import CurrencyMatch as CurrencyMatch
    from vlmops.evaluators.quantities.match_evaluators import RelaxedAccuracy as RelaxedAccuracy
    from vlmops.evaluators.quantities.match_evaluators import WithinTolerance as WithinTolerance
    from vlmops.evaluators.questions.multiple_choice import CircularAccuracy as CircularAccuracy
    from vlmops.evaluators.questions.multiple_choice import MultipleChoice as MultipleChoice
    from vlmops.evaluators.questions.open_answer import OpenAnswer as OpenAnswer
    from vlmops.evaluators.questions.vqa_accuracy import VqaAccuracy as VqaAccuracy
    from vlmops.evaluators.questions.yes_no import YesNo as YesNo
    from vlmops.evaluators.steps.sequence_evaluators import StepCompleteness as StepCompleteness
    from vlmops.evaluators.steps.sequence_evaluators import StepSimilarity as StepSimilarity
    from vlmops.evaluators.steps.verdict_evaluators import StepVerdicts as StepVerdicts
    from vlmops.evaluators.structure.json_text import JsonParse as JsonParse
    from vlmops.evaluators.structure.refusal import Refusal as Refusal
    from vlmops.evaluators.structure.schema import SchemaValidity as SchemaValidity
    from vlmops.judges.judge import Judge as Judge
    from vlmops.judges.panel import Panel as Panel
    from vlmops.judges.ready.answers import GroundedAnswerJudge as GroundedAnswerJudge
    from vlmops.judges.ready.answers import HallucinatedObjectsJudge as HallucinatedObjectsJudge
    from vlmops.judges.ready.answers import InstructionJudge as InstructionJudge
    from vlmops.judges.ready.captions import CaptionJudge as CaptionJudge
    from vlmops.judges.ready.documents import ExtractionJudge as ExtractionJudge
    from vlmops.judges.ready.generation import EditJudge as EditJudge
    from vlmops.judges.ready.generation import ImageAlignmentJudge as ImageAlignmentJudge
    from vlmops.judges.ready.inspection import DefectJudge as DefectJudge
    from vlmops.judges.ready.processes import StepJudge as StepJudge
    from vlmops.judges.ready.rooms import NavigationJudge as NavigationJudge
    from vlmops.judges.ready.safety import HarmJudge as HarmJudge

_CLASSES = {origin.rpartition(":")[2]: origin for origin in builtin_evaluators().values()}

__all__ = [
    "MISSING",
    "Annotator",
    "AsksModels",
    "Case",
    "ComparisonEvaluator",
    "Direction",
    "Evaluator",
    "EvaluatorEntry",
    "Failure",
    "FailureKind",
    "Interval",
    "NamedEvaluator",
    "OutputEvaluator",
    "OutputReader",
    "PairReader",
    "Range",
    "Readings",
    "Result",
    "Score",
    "SetEvaluator",
    "SetResult",
    "SetScore",
    "Slice",
    "SliceBy",
    "Usage",
    "Value",
    "annotator_of",
    "applies",
    "asked_through",
    "create",
    "entries",
    "evaluate",
    "evaluate_each",
    "evaluate_in_thread",
    "models_of",
    "picture_clusters",
    "register",
    "select",
    "slices_of",
]
__all__ += _CLASSES
__all__.sort()


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    cls = load_class(_CLASSES[name])
    globals()[name] = cls
    return cls


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
