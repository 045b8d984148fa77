"""The table of cards: read from the data files, checked, extended by the user's, searched by model name."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.geometry.convention import CONVENTIONS, convention_for
from vlmops.models.cards.card import DetailRule, LongPrice, ModelCard, Price
from vlmops.models.cards.names import spellings
from vlmops.models.cards.rules import RULES

if TYPE_CHECKING:
    from vlmops.models.cards.counted import ImageRule
    from vlmops.models.cards.rows import FamilyRow, ModelRow

ENVIRONMENT_VARIABLE = "VLMOPS_MODEL_CARDS"
"""Names a file whose rows are added to the built-in ones."""

_BUILT_IN = ("families.toml", "models.toml")

Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What a file holds: ``cards`` and ``models``, each with rows by name."""


class CardTable:
    """Rows of families and of single models, and where each was read.

    Rows of later sources are tried first; a row of a known name changes the keys that it gives.

    Example:
        >>> table = CardTable.built_in().extended(
        ...     {"cards": {"ours": {"like": "gpt-4o", "names": ["prod-vision"]}}}, "settings"
        ... )
        >>> table.card_of("prod-vision").image_tokens(1024, 1024).tokens
        765
    """

    def __init__(self, rows: Rows, origins: Mapping[tuple[str, str], str]) -> None:
        self._rows = rows
        self._origins = origins
        self._found: dict[str, ModelCard | None] = {}

    @classmethod
    def built_in(cls) -> CardTable:
        """The table that comes with vlmops."""
        return _built_in()

    @classmethod
    def current(cls) -> CardTable:
        """The built-in table with the rows of the file that ``VLMOPS_MODEL_CARDS`` names, if it names one.

        Raises:
            UsageError: The file cannot be read or a row is wrong; the message names file and key.
        """
        path = os.environ.get(ENVIRONMENT_VARIABLE)
        if not path:
            return _built_in()
        try:
            changed = Path(path).stat().st_mtime_ns
        except OSError as error:
            raise UsageError(f"{ENVIRONMENT_VARIABLE}: {path} cannot be read: {error.strerror}") from error
        return _extended_by(path, changed)

    def extended(self, rows: Rows | str | os.PathLike[str], origin: str = "") -> CardTable:
        """A table with more rows.

        Args:
            rows: A TOML file, or what one would hold.
            origin: What errors call the source; the file's path if it is one.

        Raises:
            UsageError: The file cannot be read or a row is wrong; the message names file and key.
        """
        if isinstance(rows, str | os.PathLike):
            origin = origin or os.fspath(rows)
            rows = _read(Path(rows))
        origin = origin or "cards"
        strange = sorted(rows.keys() - {"cards", "models"})
        if strange:
            raise UsageError(f"{origin}: {strange[0]}: no such table; there are: cards, models")
        merged: dict[str, dict[str, Mapping[str, Any]]] = {}
        for kind in ("cards", "models"):
            known = self._rows.get(kind, {})
            changed = {
                name: row if "like" in row else _merged(known.get(name, {}), row)
                for name, row in _table(rows.get(kind, {}), origin, kind).items()
            }
            merged[kind] = {**changed, **{name: row for name, row in known.items() if name not in changed}}
        # What a row is like is looked up now: a correction of that card later is none of the row's.
        merged["cards"] = {name: _resolved(merged["cards"], name, origin) for name in merged["cards"]}
        added = {(kind, name): origin for kind in merged for name in rows.get(kind, {})}
        table = CardTable(merged, {**self._origins, **added})
        for name in rows.get("cards", {}):
            table.named(name)
        _ = table._models
        return table

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all cards, in the order in which they are tried."""
        return tuple(self._families)

    def card_of(self, model: str) -> ModelCard | None:
        """The card of a model by its name, ``None`` when no row fits; see :func:`card_of`."""
        if model not in self._found:
            self._found[model] = self._search(model)
        return self._found[model]

    def named(self, card: str, model: str = "") -> ModelCard:
        """The card of that name, for a model whose own name says nothing (an Azure deployment).

        Args:
            card: A card's name, or the name of a model that has one.
            model: What the model is called.

        Raises:
            UsageError: There is none; the message lists what there is.

        Example:
            >>> CardTable.built_in().named("gpt-4.1-mini", "eu-deployment-7").model
            'eu-deployment-7'
        """
        from dataclasses import replace

        found = self._card(card, card) if card in self._families else self.card_of(card)
        if found is None:
            raise UsageError(f"no model card is named {card!r}; there are: {', '.join(sorted(self.names))}")
        return replace(found, model=model or card)

    def _search(self, model: str) -> ModelCard | None:
        names = tuple(spellings(model))
        for family, row in self._families.items():
            if any(re.fullmatch(pattern, name) for pattern in row.names for name in names):
                return self._card(family, model)
        return None

    def _card(self, family: str, model: str) -> ModelCard:
        row, single = self._families[family], self._single(model)
        return ModelCard(
            name=family,
            model=model,
            provider=row.provider,
            counting=MappingProxyType(self._counting(family, row)),
            default_detail=str(row.details.get("auto", "")),
            formats=tuple(row.formats),
            max_side=row.max_side,
            max_bytes=row.max_bytes,
            max_images=row.max_images,
            max_request_bytes=row.max_request_bytes,
            delivery=tuple(row.delivery),
            structured_output=row.structured_output,
            context_window=single.context_window if single else None,
            max_output_tokens=single.max_output_tokens if single else None,
            convention=CONVENTIONS[row.convention] if row.convention else convention_for(model),
            price=_price(single) if single else None,
            source=row.source,
            dated=row.dated.isoformat() if row.dated else "",
            certainty=row.certainty,
            note=row.note,
        )

    def _single(self, model: str) -> ModelRow | None:
        for name in spellings(model):
            for key, row in self._models.items():
                if any(re.fullmatch(pattern, name) for pattern in row.names or [re.escape(key.lower())]):
                    return row
        return None

    def _counting(self, family: str, row: FamilyRow) -> dict[str, DetailRule]:
        if not row.rule:
            return {}
        if not row.details:
            return {"": self._rule(family, "parameters", row.rule, row.parameters)}
        return {
            detail: self._detail(family, row, detail, given)
            for detail, given in row.details.items()
            if not isinstance(given, str)
        }

    def _detail(self, family: str, row: FamilyRow, detail: str, given: Mapping[str, Any]) -> DetailRule:
        own = {key: value for key, value in given.items() if key != "rule"}
        parameters = own if "rule" in given else {**row.parameters, **own}
        return self._rule(family, f"details.{detail}", str(given.get("rule", row.rule)), parameters)

    def _rule(self, family: str, key: str, name: str, parameters: Mapping[str, Any]) -> DetailRule:
        from vlmops.models.cards.rows import checked

        place = f"{self._origin('cards', family)}: cards.{family}"
        if name not in RULES:
            raise UsageError(f"{place}.rule: no rule {name!r}; there are: {', '.join(RULES)}")
        rule: ImageRule = checked(RULES[name], parameters, f"{place}.{key}")
        return DetailRule(name, rule)

    @cached_property
    def _families(self) -> dict[str, FamilyRow]:
        from vlmops.models.cards.rows import FamilyRow, checked

        return {
            name: checked(FamilyRow, row, f"{self._origin('cards', name)}: cards.{name}")
            for name, row in self._rows["cards"].items()
        }

    @cached_property
    def _models(self) -> dict[str, ModelRow]:
        from vlmops.models.cards.rows import ModelRow, checked

        return {
            name: checked(ModelRow, row, f"{self._origin('models', name)}: models.{name}")
            for name, row in self._rows["models"].items()
        }

    def _origin(self, kind: str, name: str) -> str:
        return self._origins.get((kind, name), "cards")


def card_of(
    model: str, *, cards: CardTable | Rows | str | os.PathLike[str] | None = None
) -> ModelCard | None:
    """The card of a model by its name, ``None`` when nothing is known of it.

    The name may carry a backend (``openai:``), a provider (``openai/``, ``azure/``,
    ``bedrock/us.anthropic.``), a tag (``:7b``), the date of a snapshot, or a fine-tuning's name.

    Args:
        model: Name of the model.
        cards: A table, or further rows (a TOML file, or what one would hold) for the current one.

    Raises:
        UsageError: A row of ``cards``, or of the file that ``VLMOPS_MODEL_CARDS`` names, is wrong; the
            message names file and key.

    Example:
        >>> card_of("openai/gpt-4.1").name, card_of("anthropic/claude-sonnet-4-5").name
        ('gpt-4o', 'claude')
        >>> card_of("some-model-of-mine") is None
        True
    """
    if isinstance(cards, CardTable):
        return cards.card_of(model)
    table = CardTable.current()
    return (table if cards is None else table.extended(cards)).card_of(model)


@cache
def _built_in() -> CardTable:
    table = CardTable({"cards": {}, "models": {}}, {})
    for name in _BUILT_IN:
        text = (files("vlmops.models.cards") / name).read_text(encoding="utf-8")
        table = table.extended(tomllib.loads(text), name)
    return table


@lru_cache(maxsize=4)
def _extended_by(path: str, _changed: int) -> CardTable:
    return _built_in().extended(path)


def _read(path: Path) -> Rows:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def _table(value: Any, origin: str, key: str) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{origin}: {key}: must be a table with a row for each name")
    for name, row in value.items():
        if not isinstance(row, Mapping):
            raise UsageError(f"{origin}: {key}.{name}: must be a table")
    return value


def _resolved(
    rows: Mapping[str, Mapping[str, Any]], name: str, origin: str, below: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """The row with the keys of the card that it is like, its names aside."""
    row = rows[name]
    parent = row.get("like")
    if parent is None:
        return row
    place = f"{origin}: cards.{name}.like"
    if parent not in rows:
        raise UsageError(f"{place}: no card is named {parent!r}")
    if parent in (*below, name):
        raise UsageError(f"{place}: {' -> '.join((*below, name, parent))} leads back to itself")
    inherited = _resolved(rows, parent, origin, (*below, name))
    merged = _merged({key: value for key, value in inherited.items() if key != "names"}, row)
    return {key: value for key, value in merged.items() if key != "like"}


def _merged(known: Mapping[str, Any], row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row over another: parameters and details by their keys, the rest whole; another rule starts anew."""
    anew = "rule" in row and row["rule"] != known.get("rule")
    if anew:
        known = {key: value for key, value in known.items() if key not in ("parameters", "details")}
    merged = {**known, **row}
    for key in ("parameters", "details"):
        if isinstance(known.get(key), Mapping) and isinstance(row.get(key), Mapping):
            merged[key] = {**known[key], **row[key]}
    return merged


def _price(row: ModelRow) -> Price | None:
    if row.input is None or row.output is None:
        return None
    return Price(
        input=row.input,
        output=row.output,
        cached_input=row.cached_input,
        image=row.image,
        long=LongPrice(**row.long.model_dump()) if row.long else None,
        source=row.source,
        dated=row.dated.isoformat() if row.dated else "",
    )
