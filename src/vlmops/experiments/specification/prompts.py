"""A variant's prompt: as it stands, from a file, or from a platform, where it has a name and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmops.errors import UsageError
from vlmops.experiments.slots import prompt_title

if TYPE_CHECKING:
    from pathlib import Path

    from vlmops.experiments.specification.sections import PromptSpec
    from vlmops.platforms.port import Prompts
    from vlmops.platforms.prompts import PromptVersion


async def found_prompt(prompt: PromptSpec, folder: Path, prompts: Prompts | None) -> str | PromptVersion:
    """What a prompt stands for: its text, or its version on a platform.

    Args:
        prompt: The prompt.
        folder: Where relative paths start.
        prompts: Where names are known.

    Raises:
        UsageError: The file cannot be read, or names are known nowhere.
        PlatformError: There is no such prompt there.
    """
    if prompt.text is not None:
        return prompt.text
    if prompt.file is not None:
        path = folder / prompt.file
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"prompt {path}: cannot be read: {error}") from error
    if prompts is None:
        raise UsageError(
            f"prompt {prompt.name!r} is asked for by name, and none of the platforms keeps prompts: "
            "give text or file"
        )
    version = None if prompt.version is None else str(prompt.version)
    return await prompts.fetch(str(prompt.name), version=version, label=prompt.label)


def title_of(prompt: PromptSpec, folder: Path, found: str | PromptVersion) -> str:
    """What it is called in messages: a file's is its path, which is where it is mended."""
    return prompt_title(found) if prompt.file is None else f"prompt {folder / prompt.file}"
