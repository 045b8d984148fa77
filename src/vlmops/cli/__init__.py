"""The command line: one module per command group, each command a thin shell over a Python call."""

from __future__ import annotations

from vlmops.cli.app import main

__all__ = ["main"]
