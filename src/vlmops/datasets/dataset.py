"""A dataset of samples with pictures, streamed from its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.characters import is_unicode
from vlmops.datasets import manifest
from vlmops.datasets.source import Entry, SampleSource, Source
from vlmops.errors import SampleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vlmops.datasets.sample import Sample
    from vlmops.datasets.sources.columns import Columns


@dataclass(frozen=True)
class ImageDataset:
    """Named samples with pictures; never held in memory as a whole.

    Iterating gives samples and raises :class:`~vlmops.errors.SampleError` at the first unusable one;
    :meth:`entries` gives all, with the errors in their places.

    Attributes:
        name: Its name on the platforms; ``/`` makes folders where they are supported.
        source: Where the samples come from.
        description: For people.
        metadata: JSON about the whole dataset.

    Raises:
        UsageError: The name is empty, or a file name that is no text.

    Example:
        >>> from vlmops import Sample
        >>> dataset = ImageDataset.from_samples("receipts", [Sample("r1", {"question": "Total?"})])
        >>> [sample.id for sample in dataset]
        ['r1']
        >>> len(dataset.revision())
        64
    """

    name: str
    source: Source
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.strip() or not is_unicode(self.name):
            raise UsageError(f"{self.name!r} is no name for a dataset: give it another (--name)")

    @classmethod
    def from_samples(
        cls, name: str, samples: Iterable[Entry] | Callable[[], Iterable[Entry]], description: str = ""
    ) -> ImageDataset:
        """A dataset of samples made by the caller."""
        return cls(name, SampleSource(samples), description)

    @classmethod
    def from_folder(
        cls, folder: str | Path, *, name: str = "", columns: Columns | None = None, description: str = ""
    ) -> ImageDataset:
        """A dataset from a folder of pictures; see :class:`~vlmops.datasets.FolderSource`."""
        from vlmops.datasets.sources.folder import FolderSource

        path = Path(folder)
        return cls(name or path.resolve().name, FolderSource(path, columns), description)

    @classmethod
    def from_file(
        cls,
        file: str | Path,
        *,
        name: str = "",
        columns: Columns | None = None,
        encoding: str = "utf-8",
        description: str = "",
    ) -> ImageDataset:
        """A dataset from a ``.jsonl``, ``.csv`` or ``.tsv`` table, or from a manifest."""
        from vlmops.datasets.sources.table import TableSource

        path = Path(file)
        return cls(name or path.stem, TableSource(path, columns, encoding=encoding), description)

    @classmethod
    def load(
        cls,
        location: str | Path,
        *,
        name: str = "",
        columns: Columns | None = None,
        encoding: str = "utf-8",
        description: str = "",
    ) -> ImageDataset:
        """A dataset from whatever lies there: a folder, a table, a manifest, or a registered source.

        Raises:
            UsageError: Nothing lies there, or no source knows its kind.
        """
        from vlmops.datasets.sources.registry import open_source

        source = open_source(location, columns, encoding=encoding)
        return cls(name or _name_of(location), source, description)

    def entries(self) -> Iterator[Entry]:
        """All samples, with an error in the place of each unusable one and of each repeated id."""
        seen: set[bytes] = set()
        for entry in self.source.entries():
            if isinstance(entry, SampleError):
                yield entry
                continue
            key = blake2b(entry.id.encode("utf-8", "surrogatepass"), digest_size=12).digest()
            if key in seen:
                yield SampleError(
                    entry.source or f"dataset {self.name}",
                    f"the id {entry.id!r} was used by an earlier sample",
                    "give every sample an id of its own",
                    field="id",
                    sample_id=entry.id,
                )
                continue
            seen.add(key)
            yield entry

    def __iter__(self) -> Iterator[Sample]:
        for entry in self.entries():
            if isinstance(entry, SampleError):
                raise entry
            yield entry

    def revision(self) -> str:
        """Hash of the content (64 hex digits): equal content has equal revision, wherever it lies.

        Reads every picture once. Unusable samples raise :class:`~vlmops.errors.SampleError`.
        """
        return manifest.revision(self)

    def provenance(self) -> Mapping[str, Any]:
        """Where the content comes from, as far as the source knows."""
        return self.source.provenance()

    def save(self, folder: str | Path) -> Path:
        """Write pictures and manifest into a folder that :meth:`from_folder` reads back; see ``pull``."""
        from vlmops.datasets.folder_writer import write_folder

        return write_folder(iter(self), Path(folder))

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.samples import dataset_html

        return dataset_html(self)

    def _repr_markdown_(self) -> str:
        from vlmops.reports.notebook.samples import dataset_markdown

        return dataset_markdown(self)


def _name_of(location: str | Path) -> str:
    """Of a folder its whole name, dots and all; of anything else the name without its ending."""
    path = Path(location).expanduser().resolve()
    return path.name if path.is_dir() else path.stem
