"""Judges that a platform's own server runs: what defines one, and where a platform takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from vlmops.platforms.prompts import PromptTurn

Source = Literal["input", "output", "expected"]


@dataclass(frozen=True, slots=True)
class JudgeSlot:
    """What the server fills in a definition's turns.

    Attributes:
        name: The slot: ``{{name}}``.
        source: The side of what was recorded that is put there, its pictures included.
        key: Dotted path of the part of it; all of it when ``None``.
    """

    name: str
    source: Source
    key: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictForm:
    """What a judge on a server may answer: one of the labels, a number of the range, else yes or no.

    Attributes:
        labels: The labels; empty for a number, and for yes or no.
        range: Least and greatest number.
        reason: What its reason is to say.
        value: What its verdict is to say.
    """

    labels: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    reason: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class JudgeModel:
    """A model that a server asks.

    Attributes:
        provider: The connection of the platform by which it is asked.
        name: Its name there.
    """

    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class JudgeDefinition:
    """One judge with one verdict, as a server runs it.

    Attributes:
        name: Of its scores.
        turns: What the model is told: standing instructions in a ``"system"`` turn, what is recorded in a
            ``"user"`` turn.
        slots: What is filled in.
        verdict: In which form it answers.
        pictures: Whether it can judge only what it sees.
        model: Who judges; the platform's own choice when ``None``.
    """

    name: str
    turns: tuple[PromptTurn, ...]
    slots: tuple[JudgeSlot, ...]
    verdict: VerdictForm
    pictures: bool
    model: JudgeModel | None = None


@dataclass(frozen=True, slots=True)
class DeployedJudge:
    """A definition on a platform.

    Attributes:
        name: Its name.
        id: The platform's id of it, the same for all versions.
        version: The version that holds what was asked for.
        url: Its page in the platform's own screens.
        written: Whether anything had to be written; ``False`` where it was there already.
        problem: Why it does not judge yet, in the platform's words; empty where it says nothing.
    """

    name: str
    id: str
    version: str
    url: str
    written: bool
    problem: str = ""


class JudgeDefinitions(Protocol):
    """Judges that the platform's server runs."""

    async def obstacle(self, definition: JudgeDefinition) -> str | None:
        """Why this server cannot judge so (it shows judges no pictures, ...); ``None`` where it can.

        Raises:
            PlatformError: The platform does not answer.
        """
        ...

    async def deploy(self, definition: JudgeDefinition) -> DeployedJudge:
        """Have the server know a judge by its name; one that is the same stays as it is.

        Raises:
            UsageError: There is an obstacle, or the server knows no such model.
            PlatformError: The platform did not keep it.
        """
        ...


@runtime_checkable
class RunsJudges(Protocol):
    """What a platform adds whose server can judge by itself, or says why it cannot."""

    @property
    def judge_definitions(self) -> JudgeDefinitions:
        """Judges on the server."""
        ...
