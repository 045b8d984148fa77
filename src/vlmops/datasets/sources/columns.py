"""Which columns of a table are pictures, expected values, inputs, and the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vlmops.datasets.sample import Sample
from vlmops.errors import ImageError, SampleError, UsageError
from vlmops.json_values import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Set

    from vlmops.images.limits import ImageLimits

IMAGE_COLUMNS = ("file_name", "image", "images", "image_path", "image_file", "image_url", "picture", "photo")
"""Taken as pictures, with any column that ends in ``_file_name``, ``_file_names`` or ``_image``."""

EXPECTED_COLUMNS = (
    "expected",
    "expected_output",
    "label",
    "labels",
    "answer",
    "answers",
    "ground_truth",
    "target",
    "text",
    "fields",
    "caption",
    "captions",
    "objects",
    "boxes",
)

INPUT_COLUMNS = ("prompt", "question", "instruction", "instructions", "choices", "options")


@dataclass(frozen=True)
class Columns:
    """How the columns of a table become a sample.

    What is not named here is found by its usual name (:data:`IMAGE_COLUMNS`, :data:`EXPECTED_COLUMNS`,
    :data:`INPUT_COLUMNS`); every other column becomes metadata.

    Attributes:
        images: Columns with pictures: paths relative to the table, URLs, data URIs, or lists of these.
        expected: Columns with the expected value; one named ``expected`` is the value itself, others are
            gathered as an object.
        inputs: Further columns that go to the model.
        id: Column with the id; without one, the first picture's path is the id.
        split: Column with the split.
        tags: Column with tags: a list, or text separated by commas.
    """

    images: Sequence[str] = ()
    expected: Sequence[str] = ()
    inputs: Sequence[str] = ()
    id: str = "id"
    split: str = "split"
    tags: str = "tags"

    def __post_init__(self) -> None:
        for name in ("images", "expected", "inputs"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def sample(
        self, row: Mapping[str, Any], base: str, source: str, limits: ImageLimits | None = None
    ) -> Sample:
        """Make a sample of a row.

        Args:
            row: Column to value; empty text counts as absent.
            base: Folder or URL that relative picture paths start from.
            source: The row's place, for messages (``labels.csv:3``).
            limits: What pictures are refused; as the environment says when ``None``.

        Raises:
            SampleError: A named column is missing, there is no picture, or a value is unusable.
        """
        try:
            return self._sample(row, base, source, limits)
        except SampleError as error:
            error.sample_id = error.sample_id or str(_as_text(row.get(self.id)) or "")
            raise

    def _sample(self, row: Mapping[str, Any], base: str, source: str, limits: ImageLimits | None) -> Sample:
        present = {key: value for key, value in row.items() if value is not None and value != ""}
        for name in (*self.images, *self.expected, *self.inputs):
            if name not in row:
                fix = f"the columns are: {', '.join(row)}"
                raise SampleError(source, f"there is no column {name!r}", fix, field=name)
        roles = _roles(self, tuple(present))
        if all(present[name] == [] for name in roles.images):
            raise SampleError(
                source,
                "there is no picture in this row",
                f"fill one of: {', '.join(self.images or IMAGE_COLUMNS)}; or name the image column",
                field=next(iter(self.images or roles.images), "image"),
            )
        inputs: dict[str, Any] = {
            _image_key(name): _pictures(present[name], base, source, name, limits) for name in roles.images
        }
        inputs |= {name: present[name] for name in roles.inputs}
        expected = {name: present[name] for name in roles.expected}
        return Sample(
            id=_as_text(present[self.id] if self.id in present else _first_path(present, roles.images)),
            inputs=inputs,
            expected=expected["expected"] if roles.expected == ("expected",) else expected or None,
            metadata={name: present[name] for name in roles.metadata},
            split=str(present.get(self.split, "")).strip() or None,
            tags=_tags(present.get(self.tags), source, self.tags),
            source=source,
        )


@dataclass(frozen=True, slots=True)
class _Roles:
    """What the columns that a row fills are for."""

    images: tuple[str, ...]
    inputs: tuple[str, ...]
    expected: tuple[str, ...]
    metadata: tuple[str, ...]


@lru_cache(maxsize=64)
def _roles(columns: Columns, filled: tuple[str, ...]) -> _Roles:
    """Asked for every row, and the same for most rows of a table."""
    named = columns.images or [name for name in filled if _is_image_column(name)]
    images = tuple(name for name in named if name in filled)
    taken = {*images, columns.id, columns.split, columns.tags}
    inputs = _among(columns.inputs or INPUT_COLUMNS, filled, taken)
    taken.update(inputs)
    expected = _among(columns.expected or EXPECTED_COLUMNS, filled, taken)
    taken.update(expected)
    return _Roles(images, inputs, expected, tuple(name for name in filled if name not in taken))


def _among(wanted: Sequence[str], filled: Sequence[str], taken: Set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in wanted if name in filled and name not in taken))


def parsed(cell: str) -> Any:
    """A CSV cell as JSON when it is an object or a list, else as the text it is."""
    text = cell.strip()
    if text[:1] + text[-1:] in ("{}", "[]"):
        try:
            return json.loads(text)
        except ValueError:
            return cell
    return cell


def _as_text(value: Any) -> Any:
    """Numbers are ids as well; of anything else the sample says that it is none."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_image_column(name: str) -> bool:
    return name in IMAGE_COLUMNS or name.endswith(("_file_name", "_file_names", "_image"))


def _image_key(column: str) -> str:
    """``file_name`` is where a picture lies, not what it is: the model is given an ``image``."""
    if column in ("file_name", "image_path", "image_file", "image_url"):
        return "image"
    return column.removesuffix("_file_name").removesuffix("_file_names")


def _pictures(value: Any, base: str, source: str, column: str, limits: ImageLimits | None) -> Any:
    if isinstance(value, list):
        return [_pictures(item, base, source, column, limits) for item in value]
    from vlmops.images.image import Image

    try:
        if isinstance(value, OBJECTS):
            from vlmops.images.reference import from_json, is_reference
            from vlmops.images.restore import located

            if is_reference(value):
                return located(from_json(value), base, limits)
            value = value.get("path") or value.get("url") or value.get("uri")
        if not isinstance(value, str):
            raise SampleError(
                source, f"{value!r} is no picture", "give a path, a URL or a data URI", field=column
            )
        if value.startswith("data:"):
            return Image.from_data_uri(value, limits=limits)
        if "://" in value:
            return Image.from_url(value, limits=limits)
        return Image.from_path(os.path.join(base, value), limits=limits)  # noqa: PTH118 - a path is dear
    except (ImageError, UsageError) as error:
        raise SampleError(source, str(error), field=column) from error


def _first_path(row: Mapping[str, Any], images: Sequence[str]) -> str:
    first = next(row[name] for name in images if name in row)
    while isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, Mapping):
        first = first.get("path") or first.get("url") or first.get("$image", {}).get("sha256", "")
    text = str(first)
    return "" if text.startswith("data:") else text.replace("\\", "/")


def _tags(value: Any, source: str, column: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, str | list):
        fix = "give a list, or text separated by commas"
        raise SampleError(source, f"{value!r} is no list of tags", fix, field=column)
    items = value.split(",") if isinstance(value, str) else value
    return tuple(str(item).strip() for item in items if str(item).strip())
