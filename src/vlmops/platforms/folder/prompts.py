"""Prompts in a results folder: a file a version, readable beside what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vlmops.errors import PlatformError
from vlmops.platforms.folder.datasets import folder_name
from vlmops.platforms.folder.json_lines import write_whole
from vlmops.platforms.folder.lock import exclusively
from vlmops.platforms.prompts import Prompt, PromptTurn, PromptVersion, require_one

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_LABELS = "labels.json"


class FolderPrompts:
    """Prompts below ``prompts/`` of a results folder.

    Args:
        root: The results folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "prompts"

    async def publish(self, prompt: Prompt, labels: Collection[str] = ()) -> PromptVersion:
        """Keep a prompt under the next number, unless a version says the same.

        Raises:
            PlatformError: Another process publishes it, or a file there is damaged.
        """
        folder = self._root / folder_name(prompt.name)
        with exclusively(folder, f"prompt {prompt.name!r}"):
            versions = _versions(folder)
            file = next((each for each in reversed(versions) if _read(each) == prompt.content), None)
            if file is None:
                number = int(versions[-1].stem) + 1 if versions else 1
                file = folder / f"{number:04d}.json"
                write_whole(file, _json(prompt.content))
            if labels:
                write_whole(
                    folder / _LABELS, _json(_labels(folder) | {label: int(file.stem) for label in labels})
                )
        return _version(prompt.name, file)

    async def fetch(
        self, name: str, *, version: str | None = None, label: str | None = None
    ) -> PromptVersion:
        """The version of this number or with this label, else the newest.

        Raises:
            UsageError: Both are said.
            PlatformError: There is none, or its file is damaged.
        """
        require_one(name, version, label)
        folder = self._root / folder_name(name)
        versions = {str(int(file.stem)): file for file in _versions(folder)}
        if not versions:
            raise PlatformError(f"there is no prompt {name!r} in {self._root.parent}: publish it first")
        wanted = version if label is None else str(_labels(folder).get(label, f"label {label!r}"))
        file = versions.get(wanted or next(reversed(versions)))
        if file is None:
            raise PlatformError(
                f"prompt {name!r} has no {wanted!r}; it has the versions {', '.join(versions)}"
            )
        return _version(name, file)


def _versions(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.json") if file.stem.isdigit())


def _labels(folder: Path) -> dict[str, int]:
    file = folder / _LABELS
    found: dict[str, int] = _read(file) if file.exists() else {}
    return found


def _version(name: str, file: Path) -> PromptVersion:
    content = _read(file)
    try:
        turns = tuple(PromptTurn(turn["role"], turn["text"]) for turn in content["turns"])
        prompt = Prompt(name, turns, content.get("metadata", {}))
    except (KeyError, TypeError) as error:
        raise PlatformError(f"{file}: is no version of a prompt ({error!r}): mend or remove it") from error
    labels = tuple(label for label, number in _labels(file.parent).items() if number == int(file.stem))
    return PromptVersion(prompt, str(int(file.stem)), f"{name}/{file.stem}", file.as_uri(), labels)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise PlatformError(f"{file}: is no JSON ({error}): mend or remove it") from error


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
