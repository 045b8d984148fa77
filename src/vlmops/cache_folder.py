"""Where vlmops keeps what it can always make anew."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_ENV = "VLMOPS_CACHE_DIR"


def cache_folder() -> Path:
    """``VLMOPS_CACHE_DIR``, or ``vlmops`` in the user's cache folder; created if absent."""
    import platformdirs

    chosen = os.environ.get(CACHE_ENV)
    folder = Path(chosen) if chosen else platformdirs.user_cache_path("vlmops", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
