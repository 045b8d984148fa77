"""How a platform wants pictures and facts to stand in a span's attributes, so that its screens show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from vlmops.tracing.places import is_exchange, role_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.tracing.picture import FoundPicture, KeptPicture, Role

Attributes = dict[str, Any]
"""A span's attributes: scalars, and sequences of scalars, by name."""


@dataclass(frozen=True, slots=True)
class TracedPicture:
    """One distinct picture of a span.

    Attributes:
        found: As it was found first.
        kept: What became of it.
        attributes: The attributes it stood in, in their order.
        detail: The detail the request asks for (``low``, ``high``, ``original``, ``auto``); empty when it
            asks for none.
    """

    found: FoundPicture
    kept: KeptPicture
    attributes: tuple[str, ...]
    detail: str = ""

    @property
    def reference(self) -> str:
        """What stands in its place; free of quotes, backslashes and line breaks."""
        return self.kept.reference

    def stands_in(self, role: Role) -> bool:
        """Whether it is part of the request (``input``) or of the answer; maybe both, maybe neither."""
        return any(is_exchange(name) and role_of(name) == role for name in self.attributes)


class Dialect(Protocol):
    """Pure rules of one platform; no call to it, no state.

    By the time a dialect sees the attributes, every picture in them is replaced by its reference: values are
    small, and JSON is valid JSON.
    """

    def arrange(self, attributes: Attributes, pictures: Sequence[TracedPicture]) -> Attributes:
        """The attributes with pictures standing where the platform draws them."""
        ...

    def facts(self, facts: Mapping[str, Any]) -> Attributes:
        """The facts (see :mod:`vlmops.tracing.attributes`) under names the platform shows and filters by."""
        ...
