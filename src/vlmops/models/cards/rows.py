"""The form of rows in the table of cards, and errors that name the key at fault."""

from __future__ import annotations

import re
from datetime import date  # noqa: TC003 - read by pydantic, as the three below
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from vlmops.errors import UsageError
from vlmops.geometry.convention import CONVENTIONS
from vlmops.models.cards.card import Certainty, Delivery, StructuredOutput  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping

Checked = TypeVar("Checked")


def checked(form: type[Checked], given: Mapping[str, Any], place: str) -> Checked:
    """What is given, as that form.

    Raises:
        UsageError: It has another form; the message names the place and the key.
    """
    try:
        return TypeAdapter(form).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{place}{'.' if key else ''}{key}: {problem}") from error


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    names: list[str] = []
    source: str = ""
    dated: date | None = None

    @field_validator("names")
    @classmethod
    def _patterns(cls, names: list[str]) -> list[str]:
        for pattern in names:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return names


class FamilyRow(_Row):
    """A row of ``[cards]``; see :class:`~vlmops.models.cards.ModelCard` for what the keys mean."""

    provider: str = ""
    rule: str = ""
    parameters: dict[str, Any] = {}
    details: dict[str, dict[str, Any] | str] = {}
    formats: list[str] = ["image/jpeg", "image/png", "image/webp"]
    max_side: PositiveInt | None = None
    max_bytes: PositiveInt | None = None
    max_images: PositiveInt | None = None
    max_request_bytes: PositiveInt | None = None
    delivery: list[Delivery] = ["data_uri", "url"]
    structured_output: StructuredOutput = "json_schema"
    convention: str = ""
    certainty: Certainty = "documented"
    note: str = ""

    @field_validator("convention")
    @classmethod
    def _known(cls, name: str) -> str:
        if name and name not in CONVENTIONS:
            raise ValueError(f"no convention is named {name!r}; there are: {', '.join(CONVENTIONS)}")
        return name

    @model_validator(mode="after")
    def _auto(self) -> FamilyRow:
        auto = self.details.get("auto")
        if self.details and not (isinstance(auto, str) and isinstance(self.details.get(auto), dict)):
            raise ValueError("details.auto must name one of the other details")
        return self


class LongRow(BaseModel):
    """Prices of long requests; see :class:`~vlmops.models.cards.LongPrice`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    over: PositiveInt
    input: NonNegativeFloat
    output: NonNegativeFloat
    cached_input: NonNegativeFloat | None = None


class ModelRow(_Row):
    """A row of ``[models]``; see :class:`~vlmops.models.cards.Price` for what the keys mean."""

    context_window: PositiveInt | None = None
    max_output_tokens: PositiveInt | None = None
    input: NonNegativeFloat | None = None
    cached_input: NonNegativeFloat | None = None
    output: NonNegativeFloat | None = None
    image: NonNegativeFloat | None = None
    long: LongRow | None = None
