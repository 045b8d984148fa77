"""What may be kept of pictures: by environment, by share of traces, by a word of the application."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

from vlmops.errors import UsageError
from vlmops.images import Image, Preparation
from vlmops.tracing.picture import FoundPicture, KeptPicture, PictureFacts, not_kept
from vlmops.tracing.picture_facts import picture_facts
from vlmops.tracing.redaction import HOOK_TIMEOUT, Redact, Redaction, RedactionHook, blurred

if TYPE_CHECKING:
    from collections.abc import Mapping

Level = Literal["full", "thumbnail", "hash", "none"]
"""All of a picture but its metadata; a small copy; its facts and hash; its size alone."""

_LEVELS: tuple[Level, ...] = get_args(Level)
_FULL = Preparation(animated="keep")


@dataclass(frozen=True, slots=True)
class Treated:
    """A picture after the policy.

    Attributes:
        image: What is to be stored; ``None`` when nothing is.
        kept: What to say of it; final when nothing is stored, else only its facts are of use.
    """

    image: Image | None
    kept: KeptPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePolicy:
    """What may leave the process of the pictures in traces.

    EXIF, GPS, XMP, comments and embedded thumbnails never do, at any level; turned pictures keep their
    orientation and nothing else.

    Attributes:
        level: What is kept.
        environments: What is kept in an environment, by its name, where that differs.
        share: Share of traces, 0 to 1, whose pictures are kept at that level; of the others only the hash is
            (or nothing, at the level ``none``). Which ones is decided by the trace's id alone: all spans of a
            trace, in all processes, agree.
        redact: Looks at each picture whose pixels would be kept, and says what becomes of it. One that
            raises, answers nonsense or takes too long drops the picture.
        redact_timeout: Seconds it has for one picture.
        thumbnail_side: Longest side of thumbnails in pixels.

    Raises:
        UsageError: A setting is out of its range.

    Example:
        >>> policy = PicturePolicy(environments={"production": "thumbnail"}, share=0.5)
        >>> policy.level_for("0" * 32, "production"), policy.level_for("f" * 32, "production")
        ('thumbnail', 'hash')
    """

    level: Level = "full"
    environments: Mapping[str, Level] = field(default_factory=dict)
    share: float = 1.0
    redact: Redact | None = None
    redact_timeout: float = HOOK_TIMEOUT
    thumbnail_side: int = 320
    _hook: RedactionHook | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        for level in (self.level, *self.environments.values()):
            if level not in _LEVELS:
                choices = ", ".join(map(repr, _LEVELS))
                raise UsageError(f"PicturePolicy: {level!r} is no level; it must be one of {choices}")
        if not 0 <= self.share <= 1:
            raise UsageError(f"PicturePolicy.share is {self.share}: must be 0 to 1")
        if not self.redact_timeout > 0:
            raise UsageError(f"PicturePolicy.redact_timeout is {self.redact_timeout}: must be above 0")
        if self.thumbnail_side < 1:
            raise UsageError(f"PicturePolicy.thumbnail_side is {self.thumbnail_side}: must be at least 1")
        if self.redact is not None:
            object.__setattr__(self, "_hook", RedactionHook(self.redact, self.redact_timeout))

    def level_for(self, trace_id: str, environment: str = "") -> Level:
        """What is kept of the pictures of a trace.

        Args:
            trace_id: 32 hexadecimal digits.
            environment: Name of the environment; empty when there is none.
        """
        level = self.environments.get(environment, self.level)
        # The last 56 bits are random by the W3C's Trace Context, level 2; the first ones may be a time.
        is_chosen = int(trace_id[-14:] or "0", 16) < self.share * 16**14
        return level if is_chosen or level in ("hash", "none") else "hash"

    def treat(self, image: Image, found: FoundPicture, level: Level | None = None) -> Treated:
        """What is to be stored of a picture, and what is known of it.

        Args:
            image: As it was sent.
            found: Where it was found.
            level: As :meth:`level_for` gives it; this policy's ``level`` by default.

        Raises:
            ImageError: It cannot be read as a picture.
        """
        level = level or self.level
        facts = picture_facts(image)
        if level == "none":
            return _nothing("by policy", replace(facts, sha256=None))
        if level == "hash":
            short = (facts.sha256 or "")[:12]
            return Treated(None, _noted(f"[picture not kept by policy: sha256 {short}...]", facts, "hash"))
        if self._hook is not None:
            return self._redacted(image, facts, self._hook(image, found), level)
        return self._thumbnail(image, facts) if level == "thumbnail" else _full(image, facts)

    __call__ = treat

    def _redacted(self, image: Image, facts: PictureFacts, redaction: Redaction, level: Level) -> Treated:
        if redaction.action == "drop":
            return _nothing(redaction.reason or "dropped by the redaction hook", replace(facts, sha256=None))
        if redaction.boxes:
            image, facts = blurred(image, redaction.boxes), replace(facts, kept="blurred")
        if redaction.action == "thumbnail" or level == "thumbnail":
            return self._thumbnail(image, facts)
        return _full(image, facts)

    def _thumbnail(self, image: Image, facts: PictureFacts) -> Treated:
        small = Preparation(max_side=self.thumbnail_side, quality=80).prepare(image)
        return _stored(small, replace(facts, kept="thumbnail"))


def _full(image: Image, facts: PictureFacts) -> Treated:
    return _stored(_FULL.prepare(image), facts)


def _stored(image: Image, facts: PictureFacts) -> Treated:
    return Treated(image, KeptPicture("", drawable=True, facts=facts))


def _nothing(reason: str, facts: PictureFacts) -> Treated:
    return Treated(None, not_kept(reason, facts))


def _noted(note: str, facts: PictureFacts, kept: str) -> KeptPicture:
    reason = "by policy"
    return KeptPicture(note, drawable=False, facts=replace(facts, kept=kept, reason=reason), reason=reason)
