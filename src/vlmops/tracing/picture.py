"""A picture within a span: as it is found, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

HELD_PREFIX = "vlmops-held:"
"""What the placeholder of a payload held in memory begins with; a token of ``A-Z a-z 0-9 _ -`` follows."""

Role = Literal["input", "output"]
"""Whether a picture was sent to the model or came from it."""


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """One picture in a span, before anything was done with it.

    Attributes:
        payload: A data URI, bare base64 (standard or URL-safe alphabet, blanks taken out), a placeholder that
            begins with :data:`HELD_PREFIX`, an http(s) or storage URL, or raw encoded bytes.
        media_type: As claimed beside it; empty when nothing is. The bytes say what it is, not this.
        role: Whether it was sent or answered.
        attribute: The attribute it stands in first; ``events.<name>.<attribute>`` for one in an event.

    Example:
        >>> FoundPicture("https://host/a.png", "", "input", "input.value").is_url
        True
    """

    payload: str | bytes
    media_type: str
    role: Role
    attribute: str

    @property
    def is_held(self) -> bool:
        """Whether the payload is a placeholder of one held in memory."""
        return isinstance(self.payload, str) and self.payload.startswith(HELD_PREFIX)

    @property
    def is_url(self) -> bool:
        """Whether the payload only names a picture: an address, to be recorded and not fetched."""
        return isinstance(self.payload, str) and "://" in self.payload[:16] and not self.is_held


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a picture as it was sent; what is not known is ``None``.

    Attributes:
        width: In pixels, upright.
        height: In pixels, upright.
        byte_length: Of the encoded picture.
        media_type: Found in its bytes.
        sha256: Of its bytes as sent, in hexadecimal, before metadata was stripped.
        orientation: EXIF orientation, 1..8; 1 is upright.
        kept: What is stored of it: ``full``, ``blurred``, ``thumbnail``, ``hash``, ``url`` (an address is
            recorded) or ``none``.
        reason: Why it is not kept as it was; empty when it is.
        warnings: What may explain a poor answer: ``near-blank``, ``too small``, ...
    """

    width: int | None = None
    height: int | None = None
    byte_length: int | None = None
    media_type: str | None = None
    sha256: str | None = None
    orientation: int | None = None
    kept: str = "none"
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """What became of a picture.

    Attributes:
        reference: What to write in its place: a URL, a platform's media reference, or a short readable note
            in brackets: ``[picture not kept: larger than 20 MB]``.
        drawable: Whether the reference is something that the platform draws.
        facts: What is known of it.
        reason: Why it was not kept; empty when it was.
    """

    reference: str
    drawable: bool
    facts: PictureFacts
    reason: str = ""


Keep = Callable[[FoundPicture], KeptPicture]
"""Stores a picture and says what to write in its place; runs on the exporter's thread and never raises."""


def not_kept(reason: str, facts: PictureFacts | None = None) -> KeptPicture:
    """A picture that nothing was stored of, with a readable note in its place.

    Args:
        reason: Why, in few words; it is shown to people and must hold nothing private.
        facts: What is known of it all the same.

    Example:
        >>> not_kept("the store does not answer").reference
        '[picture not kept: the store does not answer]'
    """
    facts = replace(facts or PictureFacts(), kept="none", reason=reason)
    return KeptPicture(f"[picture not kept: {reason}]", drawable=False, facts=facts, reason=reason)
