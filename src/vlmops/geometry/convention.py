"""Which coordinates a model answers in: dated data, one row per convention.

Vendors change these monthly; a row says where it was read and when. To correct one, edit its row; to use your
own, make a :class:`Convention` and pass it where a name is accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vlmops.errors import UsageError
from vlmops.geometry.resize import seen_size

if TYPE_CHECKING:
    from vlmops.geometry.box import Size

Order = Literal["xyxy", "yxyx", "xywh"]
"""How the four numbers follow each other; points follow as x, y, or as y, x under ``yxyx``."""

Unit = Literal["px", "seen_px", "relative"]
"""Pixels of the original, pixels of the picture the model saw, or a share of each side."""

Syntax = Literal["json", "det", "box", "loc", "points"]
"""How the answer is written, see :mod:`vlmops.geometry.syntax`."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How a family of models writes places in a picture.

    Attributes:
        name: What it is asked for by.
        models: Regular expressions, searched without regard to case in a model's name.
        order: Order of the four numbers.
        unit: What the numbers measure.
        full: With unit ``relative``, the number that stands for a whole side (1, 100, 999, 1000, 1024).
        syntax: How the answer is written; JSON and bracketed numbers are read in any case.
        resize: With unit ``seen_px``, what the model does before it looks (a key of ``RESIZES``).
        source: Where this was read.
        seen: When it was read, ISO date.

    Example:
        >>> CONVENTIONS["gemini"].order, CONVENTIONS["gemini"].full
        ('yxyx', 1000)
    """

    name: str
    models: tuple[str, ...] = ()
    order: Order = "xyxy"
    unit: Unit = "relative"
    full: float = 1.0
    syntax: Syntax = "json"
    resize: str = ""
    source: str = ""
    seen: str = ""

    def to_pixels(self, size: Size | None, seen: Size | None = None) -> tuple[float, float]:
        """Factors that turn x and y of an answer into pixels of the original.

        Args:
            size: Width and height of the oriented original; not needed with unit ``px``.
            seen: Width and height of the picture the model saw, where they were measured.

        Raises:
            UsageError: The size is needed and not given, or what the model saw is not known.

        Example:
            >>> CONVENTIONS["gemini"].to_pixels((640, 480))
            (0.64, 0.48)
        """
        if self.unit == "px":
            return 1.0, 1.0
        if size is None:
            raise UsageError(
                f"convention {self.name!r} needs the picture's size; put the picture into the case's inputs"
            )
        if self.unit == "relative":
            return size[0] / self.full, size[1] / self.full
        width, height = seen if seen is not None else self._seen(size)
        return size[0] / width, size[1] / height

    def _seen(self, size: Size) -> Size:
        if not self.resize:
            raise UsageError(f"convention {self.name!r} needs seen_size: the size the model saw is not known")
        return seen_size(self.resize, size)

    def seen_size(self, size: Size | None) -> Size | None:
        """The size the model saw, ``None`` where the convention does not depend on it.

        Example:
            >>> CONVENTIONS["claude"].seen_size((1920, 1080))
            (1456, 819)
        """
        return self._seen(size) if self.unit == "seen_px" and size is not None else None


def _row(name: str, *models: str, source: str, seen: str, **how: object) -> Convention:
    return Convention(name, models, source=source, seen=seen, **how)  # type: ignore[arg-type]


_SUPERVISION = "roboflow/supervision detection/vlm.py"
_READ = "2026-11-22"

CONVENTIONS: dict[str, Convention] = {
    row.name: row
    for row in (
        _row("pixels", unit="px", source="by definition: pixels of the oriented original", seen=_READ),
        _row("pixels-xywh", unit="px", order="xywh", source="by definition (COCO)", seen=_READ),
        _row("fraction", full=1, source="by definition: 0..1 of each side", seen=_READ),
        _row("fraction-xywh", full=1, order="xywh", source="by definition: 0..1, size last", seen=_READ),
        _row("percent", full=100, source="by definition: 0..100 of each side", seen=_READ),
        _row("thousandths", full=1000, source="by definition: 0..1000 of each side", seen=_READ),
        _row(
            "qwen2-vl",
            r"qwen[-_]?2[-_]?vl",
            full=1000,
            syntax="box",
            source="github.com/QwenLM/Qwen3-VL issue 866",
            seen=_READ,
        ),
        _row(
            "qwen2.5-vl",
            r"qwen[-_]?2[._-]?5[-_]?vl",
            unit="seen_px",
            resize="qwen-28",
            source="github.com/QwenLM/Qwen3-VL issues 676, 721, 947",
            seen=_READ,
        ),
        _row(
            "qwen3-vl",
            r"qwen[-_]?3([._]\d+)?[-_]?vl",
            r"qwen[-_]?3\.5",
            full=1000,
            source=_SUPERVISION,
            seen=_READ,
        ),
        _row(
            "gemini",
            r"gemini",
            order="yxyx",
            full=1000,
            source=f"ai.google.dev/gemini-api/docs/image-understanding; {_SUPERVISION}",
            seen=_READ,
        ),
        _row(
            "claude-high",
            r"claude-((opus|sonnet|haiku|fable|mythos)-)?(4[.-]([7-9]|\d\d)|[5-9]|\d\d)(?!\d)|claude-mythos-preview",
            unit="seen_px",
            resize="claude-high",
            source="platform.claude.com/docs/en/build-with-claude/vision-coordinates",
            seen=_READ,
        ),
        _row(
            "claude",
            r"claude",
            unit="seen_px",
            resize="claude-standard",
            source="platform.claude.com/docs/en/build-with-claude/vision-coordinates",
            seen=_READ,
        ),
        _row("deepseek-vl2", r"deepseek-?vl-?2", full=999, syntax="det", source=_SUPERVISION, seen=_READ),
        _row(
            "paligemma", r"paligemma", order="yxyx", full=1024, syntax="loc", source=_SUPERVISION, seen=_READ
        ),
        _row("florence-2", r"florence-?2", full=1000, syntax="loc", source=_SUPERVISION, seen=_READ),
        _row("kosmos-2", r"kosmos-?2", full=1, source=_SUPERVISION, seen=_READ),
        _row("moondream", r"moondream", full=1, source=_SUPERVISION, seen=_READ),
        _row("internvl", r"internvl", full=1000, syntax="box", source="general knowledge", seen=_READ),
        _row("molmo", r"molmo", full=100, syntax="points", source="general knowledge", seen=_READ),
    )
}
"""Conventions by name. GPT models have none that is documented: state one in the prompt and declare it."""


def convention_for(model: str) -> Convention | None:
    """The convention of a model by its name, ``None`` when no row is known for it.

    Where several rows fit, the first in :data:`CONVENTIONS` holds. It is never guessed from the numbers: a
    box in thousandths and one in pixels look alike.

    Example:
        >>> convention_for("Qwen/Qwen2.5-VL-7B-Instruct").name
        'qwen2.5-vl'
        >>> convention_for("gpt-5.6") is None
        True
    """
    for convention in CONVENTIONS.values():
        if any(re.search(pattern, model, re.IGNORECASE) for pattern in convention.models):
            return convention
    return None


def convention_named(name: str | Convention) -> Convention:
    """The convention of that name; a :class:`Convention` is given back as it is.

    Raises:
        UsageError: No row has the name; the message lists them.

    Example:
        >>> convention_named("percent").full
        100
    """
    if isinstance(name, Convention):
        return name
    if name not in CONVENTIONS:
        raise UsageError(f"no convention is named {name!r}; there are: {', '.join(sorted(CONVENTIONS))}")
    return CONVENTIONS[name]
