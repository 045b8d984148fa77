"""Rules from the ``[gate]`` table of ``vlmops.toml``, and from the command line."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vlmops.gate.rules import GateRules

TABLE = "gate"


def gate_table(path: Path) -> dict[str, Any]:
    """The ``[gate]`` table of a file as it stands there.

    Raises:
        UsageError: There is no such file or table, or it is not TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
    found = content.get(TABLE)
    if not isinstance(found, dict):
        raise UsageError(
            f"{path}: has no [{TABLE}] table: add one, or give rules as options (--min, --max-drop)"
        )
    return found


def made_rules(table: Mapping[str, Any], source: str) -> GateRules:
    """Rules from a table.

    Args:
        table: What stands in the ``[gate]`` table.
        source: Where it comes from, for messages.

    Raises:
        UsageError: A key or value is wrong; the message names each.

    Example:
        >>> made_rules({"metrics": {"cer": {"max": 0.1}}}, "vlmops.toml").metrics["cer"].max
        0.1
        >>> made_rules({"metrics": {"cer": {"maximum": 0.1}}}, "vlmops.toml")
        Traceback (most recent call last):
            ...
        vlmops.errors.UsageError: vlmops.toml: gate.metrics.cer.maximum: Extra inputs are not permitted
    """
    from pydantic import ValidationError

    from vlmops.gate.rules import GateRules

    try:
        return GateRules.model_validate(dict(table))
    except ValidationError as error:
        problems = [
            f"{'.'.join([TABLE, *map(str, each['loc'])])}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False)
        ]
        raise UsageError(f"{source}: {'; '.join(problems)}") from error
