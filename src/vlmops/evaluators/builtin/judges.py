"""Models as judges, each with the rubric of its use; ``judge`` takes a rubric of your own."""

from __future__ import annotations

EVALUATORS: dict[str, str] = {
    "judge": "vlmops.judges.judge:Judge",
    "judge_caption": "vlmops.judges.ready.captions:CaptionJudge",
    "judge_defect": "vlmops.judges.ready.inspection:DefectJudge",
    "judge_edit": "vlmops.judges.ready.generation:EditJudge",
    "judge_extraction": "vlmops.judges.ready.documents:ExtractionJudge",
    "judge_grounded": "vlmops.judges.ready.answers:GroundedAnswerJudge",
    "judge_harm": "vlmops.judges.ready.safety:HarmJudge",
    "judge_image_alignment": "vlmops.judges.ready.generation:ImageAlignmentJudge",
    "judge_instruction_followed": "vlmops.judges.ready.answers:InstructionJudge",
    "judge_navigation": "vlmops.judges.ready.rooms:NavigationJudge",
    "judge_no_invented_object": "vlmops.judges.ready.answers:HallucinatedObjectsJudge",
    "judge_step": "vlmops.judges.ready.processes:StepJudge",
    "panel": "vlmops.judges.panel:Panel",
}
