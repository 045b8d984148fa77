"""One sample of a dataset."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from vlmops.characters import is_unicode
from vlmops.errors import SampleError
from vlmops.field_names import field_names
from vlmops.json_values import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vlmops.images import Image

ImageField = Literal["inputs", "expected", "metadata"]
"""The fields of a sample that may hold pictures."""

IMAGE_FIELDS: tuple[ImageField, ...] = get_args(ImageField)

MAX_ID_LENGTH = 255

MAX_DEPTH = 100
"""Lists and objects within each other; more is no data but an accident, and breaks what reads it."""

_INTEGER_LIMIT = 1 << 63
"""Platforms' databases fail on larger ones, or round them."""

_TOO_DEEP = f"is nested more than {MAX_DEPTH} levels deep"


@dataclass(frozen=True, slots=True)
class Sample:
    """What goes into a model, and what should come out.

    Attributes:
        id: Unique in its dataset and stable over time: pushing a sample again updates the one with this id.
            1 to 255 characters.
        inputs: An object (JSON) with :class:`~vlmops.Image` values anywhere in it.
        expected: JSON, pictures allowed; ``None`` when unknown.
        metadata: JSON for people and slices, never shown to the model.
        split: Name of its split (``"train"``, ``"test"``, ...), if it has one.
        tags: Free labels.
        source: Where it was read from (``labels.jsonl:12``), for messages; not part of its content.

    Raises:
        SampleError: The id is not text, empty or too long, or a value cannot be written as JSON.

    Example:
        >>> sample = Sample("r1", {"question": "What is the total?"}, expected="12.50", split="test")
        >>> sample.images
        ()
    """

    id: str
    inputs: Mapping[str, Any]
    expected: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    split: str | None = None
    tags: tuple[str, ...] = ()
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        place = self.source or f"sample {self.id!r}"
        if problem := _id_problem(self.id):
            what, fix = problem
            raise SampleError(place, what, fix, field="id")
        for name in ("inputs", "metadata"):
            if not isinstance(getattr(self, name), OBJECTS):
                raise SampleError(place, "is not an object", "give a mapping", field=name, sample_id=self.id)
        if not (self.split is None or (isinstance(self.split, str) and self.split.strip())):
            fix = "give one name, or leave it out"
            raise SampleError(place, "is not a name", fix, field="split", sample_id=self.id)
        if not all(isinstance(tag, str) for tag in self.tags):
            raise SampleError(place, "are not all text", "give texts", field="tags", sample_id=self.id)
        for name in ("inputs", "expected", "metadata", "split", "tags"):
            if found := _json_problem(getattr(self, name)):
                keys, what = found
                path = name if what is _TOO_DEEP else ".".join((name, *keys))
                raise SampleError(place, what, "use JSON values and images", field=path, sample_id=self.id)

    @property
    def images(self) -> tuple[Image, ...]:
        """Every picture, in the order of :meth:`image_fields`."""
        from vlmops.images.tree import images_in

        return tuple(images_in([getattr(self, name) for name in IMAGE_FIELDS]))

    def image_fields(self) -> Iterator[tuple[ImageField, Image]]:
        """Every picture with the field it stands in."""
        from vlmops.images.tree import images_in

        for name in IMAGE_FIELDS:
            for image in images_in(getattr(self, name)):
                yield name, image

    def with_images(self, change: Callable[[Image], Image]) -> Sample:
        """The same sample with ``change(image)`` in the place of each picture.

        Example:
            >>> from vlmops import Image
            >>> sample = Sample("r1", {"image": Image.from_path("r1.png"), "question": "Total?"})
            >>> sample.with_images(lambda image: Image.from_path(f"copy/{image.source}")).inputs
            {'image': Image('copy/r1.png'), 'question': 'Total?'}
        """
        from vlmops.images.tree import map_images

        # Not made anew: what was found to be sound stays so, and looking again takes longer than the rest.
        changed = object.__new__(type(self))
        for name in field_names(type(self)):
            value = getattr(self, name)
            object.__setattr__(changed, name, map_images(value, change) if name in IMAGE_FIELDS else value)
        return changed

    def _repr_html_(self) -> str:
        from vlmops.reports.notebook.samples import sample_html

        return sample_html(self)

    def _repr_markdown_(self) -> str:
        from vlmops.reports.notebook.samples import sample_markdown

        return sample_markdown(self)


def _id_problem(sample_id: Any) -> tuple[str, str] | None:
    """What is wrong with an id, and the fix."""
    if not isinstance(sample_id, str):
        return f"the id {sample_id!r} is not text", "give every sample a unique text id"
    if not sample_id.strip():
        return "the id is empty", "give every sample a unique text id"
    if len(sample_id) > MAX_ID_LENGTH:
        return f"the id has {len(sample_id)} characters", f"use at most {MAX_ID_LENGTH}"
    if not is_unicode(sample_id):
        return f"the id {sample_id!r} holds half a character", "write the file as UTF-8 text"
    return None


def _json_problem(value: Any, depth: int = 0) -> tuple[tuple[str, ...], str] | None:
    """The keys that lead to the first value that JSON cannot hold, pictures apart, and what is wrong."""
    if isinstance(value, str):
        return None if is_unicode(value) else ((), "holds half a character (a lone surrogate)")
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if abs(value) < _INTEGER_LIMIT else ((), "is a whole number of more than 64 bits")
    if isinstance(value, float):
        return None if math.isfinite(value) else ((), f"{value} is not a JSON number")
    if depth > MAX_DEPTH:
        return (), _TOO_DEEP
    if isinstance(value, OBJECTS):
        for key, inner in value.items():
            if not isinstance(key, str) or not is_unicode(key):
                return (), f"the key {key!r} is not text"
            if problem := _json_problem(inner, depth + 1):
                return _within(key, problem)
        return None
    if isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            if problem := _json_problem(inner, depth + 1):
                return _within(str(index), problem)
        return None
    from vlmops.images.image import Image

    return None if isinstance(value, Image) else ((), f"a {type(value).__name__} is not JSON")


def _within(key: str, problem: tuple[tuple[str, ...], str]) -> tuple[tuple[str, ...], str]:
    keys, what = problem
    return (key, *keys), what
