"""Results in a local folder, without any server."""

from __future__ import annotations

from vlmops.platforms.folder.platform import PLATFORM, FolderPlatform

__all__ = ["PLATFORM", "FolderPlatform"]
