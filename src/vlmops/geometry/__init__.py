"""Boxes and points: coordinate conventions of models, reading them out of answers, drawing them."""

from __future__ import annotations

from vlmops.geometry.box import Box, Point, Size
from vlmops.geometry.convention import CONVENTIONS, Convention, convention_for, convention_named
from vlmops.geometry.location import Located, gold_boxes, gold_points, locate_boxes, locate_points
from vlmops.geometry.overlay import Overlay, draw_overlay
from vlmops.geometry.resize import RESIZES, claude_fit, seen_size, smart_resize

__all__ = [
    "CONVENTIONS",
    "RESIZES",
    "Box",
    "Convention",
    "Located",
    "Overlay",
    "Point",
    "Size",
    "claude_fit",
    "convention_for",
    "convention_named",
    "draw_overlay",
    "gold_boxes",
    "gold_points",
    "locate_boxes",
    "locate_points",
    "seen_size",
    "smart_resize",
]
