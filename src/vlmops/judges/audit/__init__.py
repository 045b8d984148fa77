"""Audits: does a judge see the picture, and does it keep to what it is asked?"""

from __future__ import annotations

from vlmops.judges.audit.alterations import (
    blank_pictures,
    injected_answer,
    injected_pictures,
    padded_answer,
    perturbed_pictures,
    swapped_pictures,
)
from vlmops.judges.audit.control import AuditLimits, AuditReport, Control
from vlmops.judges.audit.pairs import (
    audit_pairwise,
    audit_pairwise_async,
    audit_pairwise_calls,
    place_controls,
)
from vlmops.judges.audit.points import audit, audit_async, audit_calls

__all__ = [
    "AuditLimits",
    "AuditReport",
    "Control",
    "audit",
    "audit_async",
    "audit_calls",
    "audit_pairwise",
    "audit_pairwise_async",
    "audit_pairwise_calls",
    "blank_pictures",
    "injected_answer",
    "injected_pictures",
    "padded_answer",
    "perturbed_pictures",
    "place_controls",
    "swapped_pictures",
]
