"""Ready judges, one module per use case; each is an evaluator by the name it carries."""

from __future__ import annotations

from vlmops.judges.ready.answers import GroundedAnswerJudge, HallucinatedObjectsJudge, InstructionJudge
from vlmops.judges.ready.captions import CaptionJudge
from vlmops.judges.ready.documents import ExtractionJudge
from vlmops.judges.ready.generation import EditJudge, ImageAlignmentJudge
from vlmops.judges.ready.inspection import DefectJudge
from vlmops.judges.ready.processes import StepJudge
from vlmops.judges.ready.rooms import NavigationJudge
from vlmops.judges.ready.safety import HarmJudge

__all__ = [
    "CaptionJudge",
    "DefectJudge",
    "EditJudge",
    "ExtractionJudge",
    "GroundedAnswerJudge",
    "HallucinatedObjectsJudge",
    "HarmJudge",
    "ImageAlignmentJudge",
    "InstructionJudge",
    "NavigationJudge",
    "StepJudge",
]
