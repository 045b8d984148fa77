"""Samples as Phoenix examples and back; pure functions.

The shape is chosen for what Phoenix's screens draw: a picture shows in the example dialog when the input is
an object with exactly one key that holds text, and in the compare grid when the output is a message. What
vlmops needs to give a sample back without loss is under ``metadata.vision`` and ``output.expected``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any, Protocol

from vlmops.datasets import Sample
from vlmops.errors import SampleError, UsageError
from vlmops.images import Image, ImageReference, images_in, map_images, restore_images, to_json

MACHINE_KEY = "vision"
"""Where machine-readable data stands in an example's metadata and in a run's output."""

_INPUT_WIDTH = 480
_GRID_WIDTH = 120


class UrlOf(Protocol):
    """Where a browser finds a stored picture."""

    def __call__(self, image: Image, width: int | None = None) -> str:
        """The URL of the picture, or of a thumbnail at least that many pixels wide."""
        ...


Restore = Callable[[ImageReference], Image]
"""Gives the picture that a ``$image`` reference stands for."""


def to_example(sample: Sample, url_of: UrlOf) -> dict[str, Any]:
    """``input``, ``output``, ``metadata``, ``splits`` and ``id`` of the example that stands for a sample."""

    def reference(image: Image) -> dict[str, Any]:
        return to_json(image)

    machine: dict[str, Any] = {"id": sample.id, "inputs": map_images(sample.inputs, reference)}
    if sample.split is not None:
        machine["split"] = sample.split
    if sample.tags:
        machine["tags"] = list(sample.tags)
    metadata = map_images(dict(sample.metadata), reference)
    if MACHINE_KEY in metadata:
        machine["metadata"] = metadata
    output: dict[str, Any] = {}
    if sample.expected is not None:
        expected = map_images(sample.expected, reference)
        output = {**message(sample.expected, sample.inputs, url_of), "expected": expected}
    return {
        "id": sample.id,
        "input": {"input": _drawn(sample.inputs, images_in(sample.inputs), url_of, _INPUT_WIDTH)},
        "output": output,
        "metadata": {**metadata, MACHINE_KEY: machine},
        "splits": [sample.split] if sample.split is not None else [],
    }


def from_example(example: Mapping[str, Any], restore: Restore) -> Sample:
    """The sample an example stands for; one that vlmops did not write is taken as it is.

    Raises:
        SampleError: The example's machine data was damaged.
    """
    metadata = dict(example.get("metadata") or {})
    output = example.get("output") or {}
    machine = metadata.pop(MACHINE_KEY, None)
    if not isinstance(machine, Mapping) or "inputs" not in machine:
        if machine is not None:
            metadata[MACHINE_KEY] = machine
        return Sample(str(example["id"]), example.get("input") or {}, output or None, metadata)
    try:
        return Sample(
            # Some of Phoenix's answers name examples by a number of its own.
            id=str(machine.get("id", example["id"])),
            inputs=restore_images(machine["inputs"], restore),
            expected=restore_images(output.get("expected"), restore),
            metadata=restore_images(machine.get("metadata", metadata), restore),
            split=machine.get("split"),
            tags=tuple(machine.get("tags", ())),
            source=f"example {example['id']}",
        )
    except (KeyError, TypeError, AttributeError, UsageError) as error:
        raise SampleError(
            f"example {example['id']}",
            f"its machine data cannot be read: {error}",
            "push the dataset again",
            field=f"metadata.{MACHINE_KEY}",
        ) from error


def message(value: Any, inputs: Any, url_of: UrlOf) -> dict[str, Any]:
    """An output of the shape that the compare grid draws.

    The grid never draws inputs, so the pictures that were looked at stand before the answer, small.
    """
    images = [*images_in(inputs), *images_in(value)]
    return {"messages": [{"role": "assistant", "content": _drawn(value, images, url_of, _GRID_WIDTH)}]}


def _drawn(value: Any, images: Iterable[Image], url_of: UrlOf, width: int) -> str:
    """Markdown that shows a JSON tree to a person: pictures first, then text."""
    pictures = [_tag(image, url_of, width) for image in images]
    return "\n\n".join(part for part in (" ".join(pictures), _text(value)) if part)


def _tag(image: Image, url_of: UrlOf, width: int) -> str:
    """An image element; the thumbnail has twice the pixels shown, for sharp screens."""
    url = url_of(image, 2 * width if image.width > 2 * width else None)
    return f'<img src="{escape(url, quote=True)}" width="{min(width, image.width)}">'


def _text(value: Any) -> str:
    if isinstance(value, Image) or value is None:
        return ""
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, Mapping):
        return _mapping_text(value)
    if isinstance(value, list | tuple):
        return "\n".join(f"- {line}" for line in (_inline(item) for item in value) if line)
    return str(value)


def _mapping_text(value: Mapping[str, Any]) -> str:
    lines = {key: text for key, inner in value.items() if (text := _inline(inner))}
    if len(lines) == 1 and len(value) <= 2 and next(iter(lines)) in ("question", "prompt", "text", "input"):
        return next(iter(lines.values()))
    return "\n\n".join(f"**{escape(key, quote=False)}**: {text}" for key, text in lines.items())


def _inline(value: Any) -> str:
    """A value inside a line; structure that holds no picture is shown as JSON."""
    if isinstance(value, Mapping | list | tuple):
        import json

        if not value or any(True for _ in images_in(value)):
            return _text(value)
        return f"`{json.dumps(value, ensure_ascii=False)}`"
    return _text(value)
