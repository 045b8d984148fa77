"""The text of a prompt: as it stands, from a file, or from where prompts have names and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from vlmops.experiments.specification.sections import PromptSpec


@runtime_checkable
class PromptSource(Protocol):
    """Where prompts have names: a platform, or a registry of one's own."""

    async def prompt_text(self, name: str, version: str | None, label: str | None) -> str:
        """The text of a prompt; the newest version without version and label.

        Raises:
            PlatformError: There is no such prompt.
        """
        ...


async def text_of(prompt: PromptSpec, folder: Path, source: PromptSource | None) -> str:
    """The text that a prompt stands for.

    Args:
        prompt: The prompt.
        folder: Where relative paths start.
        source: Where names are known.

    Raises:
        UsageError: The file cannot be read, or names are known nowhere.
        PlatformError: The source has no such prompt.
    """
    if prompt.text is not None:
        return prompt.text
    if prompt.file is not None:
        path = folder / prompt.file
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"prompt {path}: cannot be read: {error}") from error
    if source is None:
        raise UsageError(
            f"prompt {prompt.name!r} is asked for by name, and none of the platforms offers prompts: "
            "give text or file"
        )
    version = None if prompt.version is None else str(prompt.version)
    return await source.prompt_text(str(prompt.name), version, prompt.label)
