"""Models as judges: rubrics that see the picture, pairs in both orders, panels, and reading verdicts."""

from __future__ import annotations

from vlmops.judges.calibration import Calibration, Measured, calibrate
from vlmops.judges.cases import AnsweredCases, read_cases, read_labels
from vlmops.judges.deployment import definitions_of, deploy_judge, deploy_judge_async
from vlmops.judges.duel_scores import DuelScores, record_tournament
from vlmops.judges.human import human_labels
from vlmops.judges.instructions import instructions
from vlmops.judges.judge import Judge, JudgedExample
from vlmops.judges.material import Material, View, cut_out, material_of
from vlmops.judges.model_judge import ModelJudge
from vlmops.judges.pairwise import PairJudgment, PairwiseJudge, pairwise_judge
from vlmops.judges.panel import Panel, PanelVote, panel_agreement
from vlmops.judges.prompts import prompt_of, prompts_of, publish_prompt, publish_prompt_async
from vlmops.judges.reading import read_verdict
from vlmops.judges.rubric import CANNOT_TELL, Choice, Criterion, Rubric, Scale, YesNo
from vlmops.judges.rubric_file import ComparisonFile, RubricFile, load_comparison, load_rubric
from vlmops.judges.tournament import (
    Duel,
    JudgedPair,
    Rating,
    Tournament,
    compare_answers,
    compare_answers_async,
)
from vlmops.judges.verdicts import (
    PairVerdict,
    PairwiseResult,
    SwappedJudgment,
    Winner,
    WinRecord,
    fastchat_pair_verdict,
    fastchat_score_verdict,
    pair_verdict,
    pairwise_position_swap,
    score_verdict,
    swapped_judgment,
)

__all__ = [
    "CANNOT_TELL",
    "AnsweredCases",
    "Calibration",
    "Choice",
    "ComparisonFile",
    "Criterion",
    "Duel",
    "DuelScores",
    "Judge",
    "JudgedExample",
    "JudgedPair",
    "Material",
    "Measured",
    "ModelJudge",
    "PairJudgment",
    "PairVerdict",
    "PairwiseJudge",
    "PairwiseResult",
    "Panel",
    "PanelVote",
    "Rating",
    "Rubric",
    "RubricFile",
    "Scale",
    "SwappedJudgment",
    "Tournament",
    "View",
    "WinRecord",
    "Winner",
    "YesNo",
    "calibrate",
    "compare_answers",
    "compare_answers_async",
    "cut_out",
    "definitions_of",
    "deploy_judge",
    "deploy_judge_async",
    "fastchat_pair_verdict",
    "fastchat_score_verdict",
    "human_labels",
    "instructions",
    "load_comparison",
    "load_rubric",
    "material_of",
    "pair_verdict",
    "pairwise_judge",
    "pairwise_position_swap",
    "panel_agreement",
    "prompt_of",
    "prompts_of",
    "publish_prompt",
    "publish_prompt_async",
    "read_cases",
    "read_labels",
    "read_verdict",
    "record_tournament",
    "score_verdict",
    "swapped_judgment",
]
