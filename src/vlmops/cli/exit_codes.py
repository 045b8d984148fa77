"""What the exit code of a command says."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    GATE_FAILED = 1
    """A check or gate said no, or the platform broke down."""
    USAGE = 2
    SOME_FAILED = 3
    """Everything that could be done was done; some items failed and are listed."""
    STOPPED = 4
    """A budget was spent before every sample was answered; run it again to continue."""
    INTERRUPTED = 130
