"""``python -m vlmops`` is the ``vlmops`` command."""

from __future__ import annotations

from vlmops.cli import main

if __name__ == "__main__":
    main()
