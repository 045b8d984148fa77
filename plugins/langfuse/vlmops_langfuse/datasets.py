"""Datasets on Langfuse: each changed item written once, many at once, and nothing else."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.datasets import Entry, ImageDataset, Sample
from vlmops.errors import PlatformError, PlatformUnavailable, SampleError
from vlmops.platforms.records import DatasetHeader, DatasetVersion
from vlmops_langfuse.connection import LangfuseConnection, LangfuseRefusal
from vlmops_langfuse.dataset_writer import LangfuseDatasetWriter
from vlmops_langfuse.items import from_item
from vlmops_langfuse.media import resolved, restored
from vlmops_langfuse.versions import newest_version, recorded_versions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from vlmops_langfuse.pool import HttpAnswer

_NOT_FOUND = 404


class LangfuseDatasets:
    """Datasets of one Langfuse project."""

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def writer(self, header: DatasetHeader) -> AsyncIterator[LangfuseDatasetWriter]:
        """Open a push; makes the dataset when there is none, and looks at what it holds."""
        try:
            dataset = await self.find(header.name) or await self._create(header)
            writer = LangfuseDatasetWriter(self._connection, header, dataset)
            await writer.look()
        except LangfuseRefusal as error:
            # The core reads this as: nothing can be pushed there; other platforms go on.
            raise PlatformUnavailable(str(error)) from error
        yield writer

    async def read(self, name: str, version: str | None = None) -> ImageDataset:
        """The dataset with pictures that are read when needed, oldest item first.

        The items' JSON, not their pictures, is in memory at once. Archived items are left out.

        Args:
            name: Its name.
            version: A time, ISO 8601 with zone: the dataset as it stood then.

        Raises:
            PlatformError: There is no such dataset, or the version is no time.
        """
        dataset = await self.require(name)
        items = await self.items(name, version)
        return ImageDataset.from_samples(
            name, partial(self._entries, items), dataset.get("description") or ""
        )

    async def versions(self, name: str) -> Sequence[DatasetVersion]:
        """Every version vlmops has pushed (the last fifty), and the present one; newest first.

        Langfuse keeps every state, and reads it by time, but lists none: any other time may be asked for.
        """
        dataset = await self.require(name)
        known = recorded_versions(dataset)
        newest = newest_version([dataset], await self.items(name, limit=1))
        if newest and (not known or newest > known[0].id):
            known.insert(0, DatasetVersion(newest, datetime.fromisoformat(newest), "changed in Langfuse"))
        return known

    async def find(self, name: str) -> dict[str, Any] | None:
        """The dataset's record, if there is one of that name."""
        try:
            found: dict[str, Any] = await self._connection.get(
                f"/api/public/v2/datasets/{quote(name, safe='')}"
            )
        except LangfuseRefusal as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return found

    async def require(self, name: str) -> dict[str, Any]:
        """The dataset's record.

        Raises:
            PlatformError: There is none of that name.
        """
        found = await self.find(name)
        if found is None:
            raise PlatformError(
                f"Langfuse at {self._connection.settings.url} has no dataset {name!r}: push it first"
            )
        return found

    async def items(
        self, name: str, version: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Active items as Langfuse gives them, newest first, each id once."""
        if version is not None:
            _require_time(version)
        params = {"datasetName": name, "version": version}
        if limit is not None:
            page = await self._connection.get(
                "/api/public/dataset-items", {**params, "page": 1, "limit": limit}
            )
            first: list[dict[str, Any]] = page["data"]
            return first
        found: dict[str, dict[str, Any]] = {}
        async for rows in self._connection.numbered_pages("/api/public/dataset-items", params):
            for row in rows:
                found.setdefault(row["id"], row)
        return list(found.values())

    async def present_version(self, dataset: Mapping[str, Any]) -> str:
        """A version that reads as the dataset stands now: the time of its last known change.

        Archiving or deleting in Langfuse's screens leaves no time behind; then it is the present one.
        """
        params = {"datasetName": dataset["name"], "page": 1, "limit": 1}
        response = await self._connection.request("GET", "/api/public/dataset-items", params=params)
        now = response.json()
        newest = newest_version([dataset], now["data"])
        if not newest:
            return _server_time(response)
        then = await self._connection.get("/api/public/dataset-items", {**params, "version": newest})
        unchanged = then["meta"]["totalItems"] == now["meta"]["totalItems"]
        return newest if unchanged else max(newest, _server_time(response))

    async def remove_items(self, name: str) -> int:
        """Delete a dataset's items, archived ones too, and give how many there were; the dataset stays."""
        versions = [version.id for version in recorded_versions(await self.require(name))]
        states = [await self.items(name, version) for version in (None, *versions)]
        identities = {item["id"] for items in states for item in items}
        return sum([await self._removed(identity) for identity in identities])

    async def name_of(self, dataset_id: str) -> str | None:
        """The name of the dataset with this id, if there is one."""
        async for rows in self._connection.numbered_pages("/api/public/v2/datasets", {}):
            for row in rows:
                if row["id"] == dataset_id:
                    return str(row["name"])
        return None

    def sample(self, item: Mapping[str, Any]) -> Sample:
        """The sample an item stands for.

        Raises:
            SampleError: Its machine data was damaged.
        """
        settings = self._connection.settings
        return from_item(item, partial(restored, settings), partial(resolved, settings))

    async def _removed(self, identity: str) -> bool:
        """Delete an item; whether it was there."""
        try:
            await self._connection.delete(f"/api/public/dataset-items/{quote(identity, safe='')}")
        except LangfuseRefusal as error:
            if error.status != _NOT_FOUND:
                raise
            return False
        return True

    async def _create(self, header: DatasetHeader) -> dict[str, Any]:
        body: dict[str, Any] = {"name": header.name, "description": header.description or None}
        made: dict[str, Any] = await self._connection.post("/api/public/v2/datasets", body)
        return made

    def _entries(self, items: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
        for item in reversed(items):
            try:
                yield self.sample(item)
            except SampleError as error:
                yield error


def _server_time(response: HttpAnswer) -> str:
    """The server's clock, as it stood when it answered, else ours."""
    said = response.headers.get("date")
    moment = parsedate_to_datetime(said) if said else datetime.now(UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _require_time(version: str) -> None:
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PlatformError(
            f"Langfuse has no dataset version {version!r}: a version is a time, like 2026-03-01T12:00:00Z"
        )
