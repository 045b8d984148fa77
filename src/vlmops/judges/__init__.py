"""A model as judge: reading its verdicts, and cancelling its biases."""

from __future__ import annotations

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
    "PairVerdict",
    "PairwiseResult",
    "SwappedJudgment",
    "WinRecord",
    "Winner",
    "fastchat_pair_verdict",
    "fastchat_score_verdict",
    "pair_verdict",
    "pairwise_position_swap",
    "score_verdict",
    "swapped_judgment",
]
