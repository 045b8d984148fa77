"""Vision metrics: one module per noun, one registry by name."""

from __future__ import annotations
