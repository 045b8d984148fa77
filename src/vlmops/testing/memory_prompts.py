"""Prompts of a platform in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmops.errors import PlatformError
from vlmops.platforms.prompts import Prompt, PromptVersion, require_one

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass
class MemoryPrompts:
    """Versions by name, oldest first, and which of them labels point to."""

    versions: dict[str, list[Prompt]] = field(default_factory=dict)
    labels: dict[tuple[str, str], int] = field(default_factory=dict)

    async def publish(self, prompt: Prompt, labels: Collection[str] = ()) -> PromptVersion:
        """Keep it, once."""
        versions = self.versions.setdefault(prompt.name, [])
        same = [number for number, kept in enumerate(versions) if kept.content == prompt.content]
        if not same:
            versions.append(prompt)
        number = same[-1] if same else len(versions) - 1
        self.labels |= {(prompt.name, label): number for label in labels}
        return self._version(prompt.name, number)

    async def fetch(
        self, name: str, *, version: str | None = None, label: str | None = None
    ) -> PromptVersion:
        """The version asked for, else the newest."""
        require_one(name, version, label)
        count = len(self.versions.get(name, []))
        number = count - 1
        if version is not None:
            number = int(version) - 1 if version.isdigit() else -1
        elif label is not None:
            number = self.labels.get((name, label), -1)
        if not 0 <= number < count:
            raise PlatformError(f"there is no prompt {name!r} with {version=} {label=}")
        return self._version(name, number)

    def _version(self, name: str, number: int) -> PromptVersion:
        own = tuple(label for (of, label), which in self.labels.items() if (of, which) == (name, number))
        version = str(number + 1)
        prompt = self.versions[name][number]
        return PromptVersion(prompt, version, f"{name}/{version}", f"memory:prompts/{name}/{version}", own)
