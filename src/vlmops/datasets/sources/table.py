"""Tables: JSON lines, CSV, TSV and manifests, read as a stream of rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vlmops.datasets.sample import Sample
from vlmops.datasets.sources.columns import Columns, parsed
from vlmops.errors import ImageError, SampleError, UsageError
from vlmops.json_values import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vlmops.datasets.source import Entry
    from vlmops.images.limits import ImageLimits

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv")

_CSV_FIELD_LIMIT = 100_000_000

Row = tuple[str, Mapping[str, Any]]
"""A row's place (``file:line``) and its columns."""


@dataclass(frozen=True)
class TableSource:
    """Samples from a ``.jsonl``, ``.csv`` or ``.tsv`` file; a manifest written by vlmops is one too.

    A bad row (broken JSON, bytes that are not in the encoding, missing column) is an error in its place and
    costs no other row.

    Attributes:
        file: The table.
        columns: How columns become a sample; the usual names when ``None``.
        encoding: Of the file; a byte-order mark is accepted.

    Raises:
        UsageError: The file is missing, unreadable or of another kind.
    """

    file: Path
    columns: Columns | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if not self.file.is_file():
            raise UsageError(f"{self.file}: there is no such file")
        if self.file.suffix.lower() not in SUFFIXES:
            raise UsageError(f"{self.file}: not a table; it must end in {', '.join(SUFFIXES)}")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise UsageError(
                f"{self.encoding!r} is no known text encoding; try 'utf-8' or 'cp1252'"
            ) from None

    def entries(self) -> Iterator[Entry]:
        """One entry a row, in the file's order."""
        from vlmops.images.limits import ImageLimits

        columns, base = self.columns or Columns(), str(self.file.parent)
        limits = ImageLimits.from_environment()
        for row in self.rows():
            if isinstance(row, SampleError):
                yield row
                continue
            place, values = row
            try:
                yield _sample(values, columns, base, place, limits)
            except SampleError as error:
                yield error

    def rows(self) -> Iterator[Row | SampleError]:
        """The rows as mappings, with an error in the place of each that cannot be read.

        Raises:
            UsageError: There is none, or the file cannot be read at all.
        """
        reader = _json_rows if self.file.suffix.lower() in (".jsonl", ".ndjson") else _csv_rows
        found = False
        try:
            for row in reader(self.file, self.encoding):
                found = True
                yield row
        except OSError as error:
            raise UsageError(f"{self.file}: cannot be read: {error.strerror}") from error
        if not found:
            raise UsageError(f"{self.file}: there are no rows in it")

    def provenance(self) -> Mapping[str, Any]:
        """The file's absolute path."""
        return {"path": str(self.file.resolve())}


def _sample(
    values: Mapping[str, Any], columns: Columns, base: str, place: str, limits: ImageLimits
) -> Sample:
    """A manifest line says itself what is what; any other row is read by its columns."""
    if "id" in values and isinstance(values.get("inputs"), OBJECTS):
        return _manifest_sample(values, base, place, limits)
    return columns.sample(values, base, place, limits)


def _manifest_sample(values: Mapping[str, Any], base: str, place: str, limits: ImageLimits) -> Sample:
    from vlmops.images.restore import located, restore_images

    restore = partial(located, base=base, limits=limits)
    try:
        return Sample(
            id=values["id"],
            inputs=restore_images(values["inputs"], restore),
            expected=restore_images(values.get("expected"), restore),
            metadata=restore_images(values.get("metadata") or {}, restore),
            split=values.get("split"),
            tags=_tags(values, place),
            source=place,
        )
    except (ImageError, UsageError) as error:
        raise SampleError(place, str(error), sample_id=str(values["id"])) from error
    except RecursionError:
        raise SampleError(place, "is nested too deeply", "flatten it", sample_id=str(values["id"])) from None


def _tags(values: Mapping[str, Any], place: str) -> tuple[str, ...]:
    tags = values.get("tags")
    if not isinstance(tags, list | None):
        fix = "give a list of texts"
        raise SampleError(place, f"{tags!r} is no list", fix, field="tags", sample_id=str(values["id"]))
    return tuple(tags or ())


def _decoded(line: bytes, encoding: str, place: str) -> str | SampleError:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        return SampleError(
            place,
            f"byte {error.start + 1} (0x{line[error.start]:02x}) is not {encoding}",
            "save the file as UTF-8, or name its encoding (--encoding cp1252)",
        )


def _json_rows(file: Path, encoding: str) -> Iterator[Row | SampleError]:
    with file.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            place = f"{file}:{number}"
            text = _decoded(raw, encoding, place)
            if isinstance(text, SampleError):
                yield text
                continue
            text = text.removeprefix("\ufeff").strip()
            if not text:
                continue
            yield _json_row(text, place)


def _json_row(text: str, place: str) -> Row | SampleError:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return SampleError(place, f"not JSON: {error}", "put one JSON object on each line")
    if not isinstance(value, dict):
        return SampleError(place, f"a JSON {type(value).__name__}", "put one JSON object on each line")
    return place, value


def _csv_rows(file: Path, encoding: str) -> Iterator[Row | SampleError]:
    """Rows of a CSV; undecodable bytes are carried through the parser so that only their row fails."""
    csv.field_size_limit(_CSV_FIELD_LIMIT)
    delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
    with file.open(encoding=encoding, errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        while True:
            line = reader.line_num + 1
            place = f"{file}:{line}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield SampleError(place, f"not CSV: {error}", "check the quotes in this row")
                continue
            if not cells:
                continue
            if header is None:
                header = _header(cells, place)
                continue
            yield _csv_row(cells, header, place, encoding)


def _header(cells: list[str], place: str) -> list[str]:
    names = [cell.removeprefix("\ufeff").strip() for cell in cells]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise UsageError(f"{place}: the columns {', '.join(sorted(repeated))} appear twice; rename one")
    return names


def _csv_row(cells: list[str], header: list[str], place: str, encoding: str) -> Row | SampleError:
    if len(cells) != len(header):
        return SampleError(
            place,
            f"{len(cells)} cells under {len(header)} columns",
            "quote cells that hold the separator",
        )
    for name, cell in zip(header, cells, strict=True):
        if any("\udc80" <= character <= "\udcff" for character in cell):
            return SampleError(
                place,
                f"bytes that are not {encoding}",
                "save the file as UTF-8, or name its encoding (--encoding cp1252)",
                field=name,
            )
    return place, {name: parsed(cell) for name, cell in zip(header, cells, strict=True)}
