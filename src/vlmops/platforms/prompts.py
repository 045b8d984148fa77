"""Prompts as platforms keep them: turns of text, in versions that never change."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """One turn of a prompt; platforms keep no pictures in prompts.

    Attributes:
        role: Who speaks; a ``"system"`` turn gives standing instructions.
        text: What is said; ``{{name}}`` is a slot on every platform.
    """

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked, in words.

    Attributes:
        name: Its name on the platform.
        turns: What is said, in order.
        metadata: JSON that belongs to the words: an answer's schema, how pictures are shown, ...

    Example:
        >>> prompt = Prompt("count", (PromptTurn("user", "How many coins are there?"),))
        >>> prompt.content["turns"]
        [{'role': 'user', 'text': 'How many coins are there?'}]
    """

    name: str
    turns: tuple[PromptTurn, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """JSON of turns and metadata: what tells one version from another."""
        turns = [{"role": turn.role, "text": turn.text} for turn in self.turns]
        content: dict[str, Any] = json.loads(json.dumps({"turns": turns, "metadata": dict(self.metadata)}))
        return content


def require_one(name: str, version: str | None, label: str | None) -> None:
    """Refuse to look for a version by its name and by a label at once.

    Raises:
        UsageError: Both are said.

    Example:
        >>> require_one("count", "3", None)
    """
    if version is not None and label is not None:
        raise UsageError(f"prompt {name!r}: name a version or a label, not both")


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """One version of a prompt on a platform.

    Attributes:
        prompt: What it says.
        version: The platform's name for the version, accepted wherever a version is asked for: a number where
            it counts them, else an id.
        id: The platform's id of the version.
        url: Its page in the platform's own screens.
        labels: What points to this version at present (``"production"``, ...).
    """

    prompt: Prompt
    version: str
    id: str
    url: str
    labels: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What it says as one text: that of an only turn as it is, else each with its role.

        Example:
            >>> turns = (PromptTurn("system", "Be brief."), PromptTurn("user", "Read it."))
            >>> print(PromptVersion(Prompt("read", turns), "3", "p3", "").text)
            system: Be brief.
            <BLANKLINE>
            user: Read it.
        """
        turns = self.prompt.turns
        if len(turns) == 1:
            return turns[0].text
        return "\n\n".join(f"{turn.role}: {turn.text}" for turn in turns)

    @property
    def reference(self) -> dict[str, str]:
        """Name and version, for the metadata of what came of it.

        Example:
            >>> PromptVersion(Prompt("count", ()), "3", "p3", "").reference
            {'name': 'count', 'version': '3'}
        """
        return {"name": self.prompt.name, "version": self.version}
