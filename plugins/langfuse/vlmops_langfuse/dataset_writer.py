"""One push to one Langfuse dataset."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vlmops.concurrency import for_each, map_each
from vlmops.datasets import ImageField, Sample, digest
from vlmops.errors import ImageError, MediaError, PlatformUnavailable
from vlmops.platforms.outcome import BatchOutcome, ItemFailure
from vlmops.platforms.records import DatasetHeader, DatasetState
from vlmops_langfuse.connection import LangfuseConnection, LangfuseRefusal
from vlmops_langfuse.items import FIELDS, item_id, state_of, to_item
from vlmops_langfuse.media import LangfuseMedia
from vlmops_langfuse.media_upload import TAKEN, MediaTarget
from vlmops_langfuse.references import media_id, reference_to
from vlmops_langfuse.versions import RECORD_KEY, newest_version, push_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.images import Image

_BATCH = 100
_TOO_LARGE = 413
_SCHEMAS = {"input_schema": "inputSchema", "expected_output_schema": "expectedOutputSchema"}

Link = tuple[str, str]
"""Field and media id of a picture that an item holds."""

Outcome = Literal["created", "updated", "unchanged"] | ItemFailure


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """What is remembered of an item that is there.

    Attributes:
        sample_id: The sample it stands for.
        digest: Digest of that sample's content; empty when the item was edited by someone else.
        links: The pictures it holds.
    """

    sample_id: str
    digest: str
    links: frozenset[Link]


@dataclass(frozen=True, slots=True)
class _Replaced:
    """References of a picture that Langfuse does not take: of the one drawn in its place, and of itself."""

    drawn: str
    original: str


class LangfuseDatasetWriter:
    """Writes what differs from the items that are there, which it looks at once, before the first write.

    Attributes:
        batch_size: How many samples a write takes at most; they are written concurrently.
    """

    batch_size = _BATCH

    def __init__(
        self, connection: LangfuseConnection, header: DatasetHeader, dataset: Mapping[str, Any]
    ) -> None:
        self._connection = connection
        self._header = header
        self._dataset = dataset
        self._media = LangfuseMedia(connection)
        self._gate = asyncio.Semaphore(connection.settings.concurrency)
        self._linked: dict[str, set[Link]] = {}
        self._replaced: dict[str, _Replaced] = {}
        self._remote: dict[str, RemoteItem] = {}
        self._version = ""
        self._pushed_id = str(dataset["id"])

    @property
    def state_token(self) -> str | None:
        """``None``: Langfuse names no state of a dataset; each item's own digest decides instead."""
        return None

    async def look(self) -> None:
        """Remember content and pictures of every item that is there; set the schemas the header declares."""
        await self._declare_schemas()
        params = {"datasetName": self._header.name}
        self._version = newest_version([self._dataset], [])
        async for rows in self._connection.numbered_pages("/api/public/dataset-items", params):
            self._version = max(self._version, newest_version([], rows))
            self._remote |= {row["id"]: _remembered(row) for row in rows}

    def has_image(self, sample_id: str, field: ImageField, image: Image) -> bool:
        """Whether the item that is there holds the picture."""
        return image.is_known and self._holds(item_id(sample_id, self._pushed_id), _link(field, image))

    async def put_image(self, sample_id: str, field: ImageField, image: Image) -> None:
        """Store the picture for the sample's item; nothing is sent for one the item holds already."""
        identity, link = item_id(sample_id, self._pushed_id), _link(field, image)
        if self._holds(identity, link):
            return
        known = self._linked.setdefault(identity, set())
        if link in known:
            return
        known.add(link)
        try:
            await self._store(identity, FIELDS[field], image)
        except BaseException:
            known.discard(link)
            raise

    async def write(self, samples: Sequence[Sample]) -> BatchOutcome:
        """Create or update these samples; each stands or fails alone."""
        outcomes = await map_each(samples, self._write)
        return BatchOutcome(
            outcomes.count("created"),
            outcomes.count("updated"),
            outcomes.count("unchanged"),
            [outcome for outcome in outcomes if isinstance(outcome, ItemFailure)],
        )

    async def finish(self, revision: str, keep: Callable[[str], bool] | None) -> DatasetState:
        """Record what the dataset holds; with ``keep``, archive the rest.

        Archived items are in no list and no later experiment; experiments that used them still show them.
        """
        archived = await self._archive_except(keep) if keep is not None else 0
        await self._describe(revision)
        page = f"{await self._connection.project_url()}/datasets/{self._pushed_id}/items"
        return DatasetState(self._version, page, archived)

    def _holds(self, identity: str, link: Link) -> bool:
        remote = self._remote.get(identity)
        return remote is not None and link in remote.links

    async def _store(self, identity: str, field: str, image: Image) -> None:
        async with self._gate:
            reference = await self._media.store(image, self._place(identity, field))
            if image.media_type not in TAKEN:
                original = await self._media.store_file(image, self._place(identity, FIELDS["metadata"]))
                self._replaced[image.sha256] = _Replaced(reference, original)

    def _place(self, identity: str, field: str) -> MediaTarget:
        return MediaTarget(field, dataset_id=self._pushed_id, item_id=identity)

    async def _body(self, sample: Sample, identity: str) -> dict[str, Any]:
        foreign = [(field, i) for field, i in sample.image_fields() if i.media_type not in TAKEN]
        for field, image in foreign:
            if image.sha256 not in self._replaced:
                await self._store(identity, FIELDS[field], image)
        replaced = {image.sha256: self._replaced[image.sha256] for _, image in foreign}

        def reference(image: Image) -> str:
            return replaced[image.sha256].drawn if image.sha256 in replaced else reference_to(image)

        return to_item(
            sample,
            self._pushed_id,
            as_chat="input_schema" not in self._header.metadata,
            reference=reference,
            originals=[each.original for each in replaced.values()],
        )

    async def _write(self, sample: Sample) -> Outcome:
        identity = item_id(sample.id, self._pushed_id)
        remote = self._remote.get(identity)
        if remote is not None and remote.digest == digest(sample):
            return "unchanged"
        try:
            body = await self._body(sample, identity)
            async with self._gate:
                await self._post({"datasetName": self._header.name, **body})
        except PlatformUnavailable:
            raise
        except (ImageError, MediaError) as error:
            return ItemFailure(sample.id, str(error), source=sample.source)
        except LangfuseRefusal as error:
            return ItemFailure(sample.id, _explained(error), source=sample.source)
        self._linked.pop(identity, None)
        self._remote[identity] = RemoteItem(sample.id, body["metadata"]["vision"]["digest"], frozenset())
        return "created" if remote is None else "updated"

    async def _post(self, body: Mapping[str, Any]) -> None:
        written = await self._connection.post("/api/public/dataset-items", body)
        self._version = max(self._version, str(written["updatedAt"]), str(written["createdAt"]))

    async def _archive_except(self, keep: Callable[[str], bool]) -> int:
        gone = [identity for identity, item in self._remote.items() if not keep(item.sample_id)]

        async def archive(identity: str) -> None:
            body = {"datasetName": self._header.name, "id": identity, "status": "ARCHIVED"}
            await self._post(body)

        await for_each(gone, archive, limit=self._connection.settings.concurrency)
        return len(gone)

    async def _declare_schemas(self) -> None:
        """Set schemas that differ, before any item is checked against them."""
        declared = {theirs: self._header.metadata.get(ours) for ours, theirs in _SCHEMAS.items()}
        wanted = {key: schema for key, schema in declared.items() if schema is not None}
        if any(self._dataset.get(key) != schema for key, schema in wanted.items()):
            self._dataset = await self._connection.post(
                "/api/public/v2/datasets", {"name": self._header.name, **wanted}
            )

    async def _describe(self, revision: str) -> None:
        """Write description and metadata of the dataset, if they say something new; others' keys stay."""
        record = push_record(self._dataset, revision, self._header.provenance, self._version)
        own = {key: value for key, value in self._header.metadata.items() if key not in _SCHEMAS}
        present = self._dataset.get("metadata")
        metadata = {**(present if isinstance(present, Mapping) else {}), **own, RECORD_KEY: record}
        description = self._header.description or self._dataset.get("description") or None
        same = self._dataset.get("metadata") == metadata and self._dataset.get("description") == description
        if not same:
            body = {"name": self._header.name, "description": description, "metadata": metadata}
            self._dataset = await self._connection.post("/api/public/v2/datasets", body)


def _link(field: ImageField, image: Image) -> Link:
    # Of a picture that is drawn as another one, the original is what does not depend on the encoder.
    place = FIELDS[field] if image.media_type in TAKEN else FIELDS["metadata"]
    return place, media_id(image.sha256)


def _remembered(row: Mapping[str, Any]) -> RemoteItem:
    state = state_of(row)
    links = frozenset(
        (str(entry["field"]), str(entry["media"]["mediaId"])) for entry in row.get("mediaReferences") or ()
    )
    return RemoteItem(state.sample_id, state.digest, links)


def _explained(error: LangfuseRefusal) -> str:
    if error.status == _TOO_LARGE:
        return f"{error} (keep long texts out of the sample, or split it)"
    return str(error)
