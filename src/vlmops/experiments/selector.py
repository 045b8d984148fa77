"""Naming an experiment on a platform: by id, name, tag, git branch or git commit."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, cast, get_args

from vlmops.errors import PlatformError, PlatformUnavailable, UsageError
from vlmops.experiments.git_state import BRANCH, COMMIT
from vlmops.experiments.tags import TAGS

if TYPE_CHECKING:
    from collections.abc import Collection

    from vlmops.platforms.port import Platform
    from vlmops.platforms.records import ExperimentRecord

SelectorKind = Literal["id", "name", "tag", "branch", "commit"]

_KEYS = {"tag": TAGS, "branch": BRANCH, "commit": COMMIT}


_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ExperimentSelector:
    """Which experiment is meant; of several it is the newest.

    Attributes:
        kind: What ``value`` is.
        value: The id, name, tag, branch or commit.

    Example:
        >>> ExperimentSelector.parse("branch:main")
        ExperimentSelector(kind='branch', value='main')
        >>> ExperimentSelector.parse("RXhwZXJpbWVudDo3").kind
        'id'
    """

    kind: SelectorKind
    value: str

    @classmethod
    def parse(cls, text: str) -> ExperimentSelector:
        """From ``kind:value``; a text without one of the kinds is an id.

        Raises:
            UsageError: There is nothing to find it by.
        """
        kind, separator, value = text.partition(":")
        if not separator or kind not in get_args(SelectorKind):
            kind, value = "id", text
        if not value.strip():
            raise UsageError(
                f"{text!r} names no experiment: give an id, name:NAME, tag:TAG, branch:BRANCH or commit:SHA"
            )
        return cls(cast("SelectorKind", kind), value.strip())

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    async def find(self, platform: Platform, dataset: str | None, exclude: Collection[str] = ()) -> str:
        """Id of the newest such experiment in the dataset.

        Args:
            platform: Where to look.
            dataset: Name of the dataset; not needed for an id.
            exclude: Ids that are not meant, e.g. of the experiment that is to be compared.

        Raises:
            UsageError: The dataset is needed and not given.
            PlatformError: There is none.
        """
        if self.kind == "id":
            return self.value
        if not dataset:
            raise UsageError(f"to find an experiment by {self.kind}, say in which dataset (--dataset NAME)")
        found = await platform.experiments.find(
            dataset,
            name=self.value if self.kind == "name" else None,
            metadata={_KEYS[self.kind]: self.value} if self.kind in _KEYS else None,
        )
        for header in found:
            if header.id not in exclude:
                return header.id
        said = f"{platform.name} has no experiment on {dataset!r} with {self.kind} {self.value!r}"
        if found:
            raise PlatformError(f"{said} but the one to be compared")
        raise PlatformError(f"{said}; {await self._others(platform, dataset)}")

    async def read(
        self, platform: Platform, dataset: str | None, exclude: Collection[str] = ()
    ) -> ExperimentRecord:
        """The newest such experiment in full; arguments as of :meth:`find`.

        Raises:
            UsageError: The dataset is needed and not given.
            PlatformError: There is none.
        """
        identity = await self.find(platform, dataset, exclude)
        try:
            return await platform.experiments.read(identity)
        except PlatformUnavailable:
            raise
        except PlatformError as error:
            if self.kind != "id":
                raise
            raise PlatformError(
                f"{error} ({identity!r} was taken for an id: to find an experiment otherwise, write "
                "name:NAME, tag:TAG, branch:BRANCH or commit:SHA, with --dataset)"
            ) from error

    async def _others(self, platform: Platform, dataset: str) -> str:
        """What there is in its place."""
        values: dict[str, None] = {}
        for header in await platform.experiments.find(dataset):
            said = header.name if self.kind == "name" else header.metadata.get(_KEYS[self.kind], [])
            values |= dict.fromkeys(map(str, said if isinstance(said, list | tuple) else [said]))
        if not values:
            return f"none there has a {self.kind}"
        shown = get_close_matches(self.value, values, n=_SHOWN, cutoff=0.4) or list(values)[:_SHOWN]
        more = f", and {len(values) - len(shown)} more" if len(values) > len(shown) else ""
        return f"there are: {', '.join(map(repr, shown))}{more}"
