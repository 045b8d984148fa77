"""For authors of adapters: the contract an adapter must pass, and a complete small platform."""

from __future__ import annotations

from vlmops.testing.memory import MemoryPlatform
from vlmops.testing.pictures import picture

__all__ = ["MemoryPlatform", "picture"]
