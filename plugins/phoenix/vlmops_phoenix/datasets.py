"""Datasets on Phoenix: chunked appends with stable ids, so that nothing is ever deleted unasked."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vlmops.datasets import ImageDataset, Sample
from vlmops.errors import PlatformError, PlatformUnavailable, SampleError
from vlmops.platforms.collecting import execution_link
from vlmops.platforms.outcome import BatchOutcome
from vlmops.platforms.records import DatasetHeader, DatasetState, DatasetVersion
from vlmops_phoenix.examples import from_example, to_example

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from vlmops.datasets import ImageField
    from vlmops.images import Image
    from vlmops_phoenix.connection import PhoenixConnection
    from vlmops_phoenix.pictures import PhoenixPictures

_BATCH = 200
_DELETE_BATCH = 500

_DESCRIBE = """
mutation ($id: ID!, $description: String!, $metadata: JSON!) {
  patchDataset(input: {datasetId: $id, description: $description, metadata: $metadata}) { dataset { id } }
}
"""

_DELETE = """
mutation ($dataset: ID!, $examples: [ID!]!, $why: String!) {
  deleteDatasetExamples(
    input: {datasetId: $dataset, exampleIds: $examples, datasetVersionDescription: $why}
  ) { dataset { id } }
}
"""


class PhoenixDatasets:
    """Datasets of one Phoenix."""

    def __init__(self, connection: PhoenixConnection, pictures: PhoenixPictures) -> None:
        self._connection = connection
        self._pictures = pictures

    @asynccontextmanager
    async def writer(self, header: DatasetHeader) -> AsyncIterator[PhoenixDatasetWriter]:
        """Open a push; Phoenix makes the dataset with the first batch."""
        writer = PhoenixDatasetWriter(self._connection, self._pictures, header)
        await writer.locate()
        yield writer

    async def read(self, name: str, version: str | None = None) -> ImageDataset:
        """The dataset with pictures that are read when needed.

        Phoenix gives all examples in one answer, so their JSON (not their pictures) is in memory at once.
        """
        found = await self.require(name)
        examples = await self.examples(found["id"], version)
        splits_of = await self._splits(found["id"])

        def entries() -> Any:
            for example in examples:
                try:
                    sample = from_example(example, self._pictures.restore)
                    yield _with_split(sample, splits_of.get(example["node_id"], []))
                except SampleError as error:
                    yield error

        return ImageDataset.from_samples(name, entries, found.get("description") or "")

    async def versions(self, name: str) -> Sequence[DatasetVersion]:
        """All versions, newest first."""
        found = await self.require(name)
        return [
            DatasetVersion(
                version["version_id"],
                datetime.fromisoformat(version["created_at"]),
                version.get("description") or "",
            )
            async for version in self._connection.pages(
                f"/v1/datasets/{found['id']}/versions", {"limit": 100}
            )
        ]

    async def require(self, name: str) -> dict[str, Any]:
        """The dataset's record.

        Raises:
            PlatformError: There is none of that name.
        """
        found = await self.find(name)
        if found is None:
            raise PlatformError(
                f"Phoenix at {self._connection.settings.url} has no dataset {name!r}: push it first"
            )
        return found

    async def find(self, name: str) -> dict[str, Any] | None:
        """The dataset's record, if there is one of that name."""
        page = await self._connection.get("/v1/datasets", {"name": name, "limit": 1})
        return page["data"][0] if page["data"] else None

    async def examples(self, dataset_id: str, version: str | None = None) -> list[dict[str, Any]]:
        """All examples of a version."""
        answer = await self._connection.get(
            f"/v1/datasets/{dataset_id}/examples", {"version_id": version} if version else None
        )
        examples: list[dict[str, Any]] = answer["data"]["examples"]
        return examples

    async def _splits(self, dataset_id: str) -> dict[str, list[str]]:
        """Splits by example node id, as people may have set them in Phoenix's screens."""
        splits_of: dict[str, list[str]] = {}
        async for split in self._connection.pages(f"/v1/datasets/{dataset_id}/splits"):
            page = await self._connection.get(f"/v1/datasets/{dataset_id}/examples", {"split": split["name"]})
            for example in page["data"]["examples"]:
                splits_of.setdefault(example["node_id"], []).append(split["name"])
        return splits_of


class PhoenixDatasetWriter:
    """One push to one dataset."""

    batch_size = _BATCH

    def __init__(
        self, connection: PhoenixConnection, pictures: PhoenixPictures, header: DatasetHeader
    ) -> None:
        self._connection = connection
        self._pictures = pictures
        self._header = header
        self._id = ""
        self._created_at = ""
        self._version = ""
        self._said: tuple[str, dict[str, Any]] | None = None
        self._alone = True

    @property
    def state_token(self) -> str | None:
        """Dataset, its birth, and its newest version: ids alone repeat when a database is made anew.

        Examples hold the URLs of their pictures, so where pictures are served belongs to it too. ``None``
        once others changed the dataset during this push: what was found unchanged may be stale.
        """
        if not (self._version and self._alone):
            return None
        return f"{self._id} {self._created_at} {self._version} {self._pictures.urls.prefix}"

    async def locate(self) -> None:
        """Find the dataset and its newest version, if it is there."""
        page = await self._connection.get("/v1/datasets", {"name": self._header.name, "limit": 1})
        if not page["data"]:
            return
        found = page["data"][0]
        self._id = found["id"]
        self._created_at = found["created_at"]
        self._said = (found.get("description") or "", found.get("metadata") or {})
        self._version = next(iter(await self._newest(1)), "")

    def has_image(self, sample_id: str, field: ImageField, image: Image) -> bool:  # noqa: ARG002
        """Whether the picture lies in the store, where a look into it is cheap."""
        return self._pictures.has_at_hand(image)

    async def put_image(self, sample_id: str, field: ImageField, image: Image) -> None:  # noqa: ARG002
        """Store the picture; Phoenix itself keeps none, so sample and field do not matter."""
        await self._pictures.keep(image)

    async def write(self, samples: Sequence[Sample]) -> BatchOutcome:
        """Append or update these samples in one request."""
        examples = [to_example(sample, self._pictures.url_of) for sample in samples]
        body: dict[str, Any] = {
            "action": "append",
            "name": self._header.name,
            "description": self._header.description,
            "inputs": [example["input"] for example in examples],
            "outputs": [example["output"] for example in examples],
            "metadata": [example["metadata"] for example in examples],
            "splits": [example["splits"] for example in examples],
            "example_ids": [example["id"] for example in examples],
        }
        links = [execution_link(sample, "phoenix") for sample in samples]
        if any(links):
            body["span_ids"] = [link.span_id if link else None for link in links]
        answer = await self._connection.post("/v1/datasets/upload", body, {"sync": "true"})
        data = answer["data"]
        created, updated = data["num_created_examples"], data["num_updated_examples"]
        before = self._version
        if data["dataset_id"] != self._id:
            await self.locate()
        if data["version_id"] != before:
            await self._advance(before, steps=1 if created or updated else 0)
        return BatchOutcome(created, updated, len(samples) - created - updated)

    async def finish(self, revision: str, keep: Callable[[str], bool] | None) -> DatasetState:
        """Say in the dataset's description and metadata what it holds; with ``keep``, remove the rest."""
        if not self._id:
            return DatasetState("", f"{self._connection.settings.url}/datasets")
        deleted = await self._delete_except(keep) if keep is not None else 0
        description = _description(self._header, revision)
        facts = {"revision": revision, "provenance": dict(self._header.provenance)}
        metadata = {**self._header.metadata, "vlmops": facts}
        if self._said != (description, metadata):
            variables = {"id": self._id, "description": description, "metadata": metadata}
            await self._connection.graphql(_DESCRIBE, variables)
        return DatasetState(self._version, dataset_url(self._connection.settings.url, self._id), deleted)

    async def _delete_except(self, keep: Callable[[str], bool]) -> int:
        answer = await self._connection.get(f"/v1/datasets/{self._id}/examples")
        examples = answer["data"]["examples"]
        gone = [example["node_id"] for example in examples if not keep(example["id"])]
        batches = [gone[start : start + _DELETE_BATCH] for start in range(0, len(gone), _DELETE_BATCH)]
        for done, batch in enumerate(batches):
            variables = {"dataset": self._id, "examples": batch, "why": "no longer in the pushed dataset"}
            try:
                await self._connection.graphql(_DELETE, variables)
            except PlatformUnavailable:
                raise
            except PlatformError:
                await self._replace_by([example for example in examples if keep(example["id"])])
                await self._advance(self._version, steps=done + 1)
                return len(gone)
        if gone:
            await self._advance(self._version, steps=len(batches))
        return len(gone)

    async def _replace_by(self, examples: Sequence[Mapping[str, Any]]) -> None:
        """Leave only these: Phoenix's mutation refuses examples that were deleted once and came back."""
        body = {
            "action": "update",
            "name": self._header.name,
            "inputs": [example["input"] for example in examples],
            "outputs": [example["output"] for example in examples],
            "metadata": [example["metadata"] for example in examples],
            "example_ids": [example["node_id"] for example in examples],
        }
        await self._connection.post("/v1/datasets/upload", body, {"sync": "true"})

    async def _newest(self, count: int) -> list[str]:
        page = await self._connection.get(f"/v1/datasets/{self._id}/versions", {"limit": count})
        return [version["version_id"] for version in page["data"]]

    async def _advance(self, before: str, steps: int) -> None:
        """Take note of the newest version; unless it is ``steps`` after the one before, others wrote too."""
        versions = await self._newest(steps + 1)
        self._alone = self._alone and versions[steps:] == ([before] if before else [])
        self._version = versions[0]


def dataset_url(base: str, dataset_id: str) -> str:
    """The dataset's page of examples."""
    return f"{base}/datasets/{quote(dataset_id, safe='')}/examples"


def _description(header: DatasetHeader, revision: str) -> str:
    origin = header.provenance.get("path") or header.provenance.get("url") or ""
    facts = f"revision {revision[:12]}" + (f", from {origin}" if origin else "")
    return f"{header.description} ({facts})" if header.description else facts


def _with_split(sample: Sample, splits: Sequence[str]) -> Sample:
    """The split as Phoenix has it now, which people may have changed in its screens."""
    return sample if sample.split in splits else replace(sample, split=splits[0] if splits else None)
