"""Platforms by name: the results folder, and those of the entry points ``vlmops.platforms``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, cast

from vlmops.entry_points import entry_points
from vlmops.errors import PrerequisiteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vlmops.platforms.port import Platform, PlatformPlugin

ENTRY_POINT_GROUP = "vlmops.platforms"

_BUILT_IN = {"folder": "vlmops.platforms.folder:PLATFORM"}


@dataclass(frozen=True, slots=True)
class PlatformEntry:
    """One platform that an installed package offers.

    Attributes:
        name: The name to ask for it by.
        origin: ``module:attribute`` of its plugin.
        missing: Why it cannot be used and how to mend that; empty when it can.
    """

    name: str
    origin: str
    missing: str = ""


def plugin(name: str) -> PlatformPlugin:
    """The plugin of that name.

    Raises:
        UsageError: No such platform; the message lists what there is.
    """
    points = _points()
    if name not in points:
        raise UsageError(f"no platform is named {name!r}; there are: {', '.join(sorted(points)) or 'none'}")
    return cast("PlatformPlugin", points[name].load())


def connect(name: str, **options: Any) -> Platform:
    """Connect to a platform by name; options are the adapter's own (address, key, ...).

    What follows a ``:`` says where: ``folder:results``, ``phoenix:http://localhost:6006``.

    Raises:
        UsageError: No such platform.
        PrerequisiteError: Its SDK is not installed.

    Example:
        >>> connect("folder:results").name
        'folder'
    """
    name, separator, place = name.partition(":")
    found = plugin(name)
    if separator and place:
        options = {"url": place, **options}
    try:
        return found.connect(**options)
    except ModuleNotFoundError as error:
        raise PrerequisiteError(
            f"{name} is unavailable ({error.name} is not installed): pip install 'vlmops[{found.requires}]'"
        ) from error


def platforms() -> Iterator[PlatformEntry]:
    """Every platform on offer, the unusable ones with the reason."""
    for _, point in sorted(_points().items()):
        try:
            found = cast("PlatformPlugin", point.load())
        except Exception as error:  # noqa: BLE001 - a broken adapter must not hide the others
            yield PlatformEntry(point.name, point.value, f"cannot be loaded: {error}")
            continue
        yield PlatformEntry(point.name, point.value, _missing(found))


def _points() -> dict[str, EntryPoint]:
    built_in = {name: EntryPoint(name, value, ENTRY_POINT_GROUP) for name, value in _BUILT_IN.items()}
    return built_in | {point.name: point for point in entry_points(ENTRY_POINT_GROUP)}


def _missing(found: PlatformPlugin) -> str:
    from importlib.util import find_spec

    absent = [module for module in found.modules if find_spec(module) is None]
    return f"unavailable: pip install 'vlmops[{found.requires}]'" if absent else ""
