"""Samples as Langfuse dataset items and back, losslessly. Pure functions.

An item shows a person, and Langfuse's trace page, what the sample is; ``metadata.vision`` holds the sample
itself as text, since Langfuse reorders keys, rounds large numbers and drops control characters, and a seal
over each shown part, by which an edit in Langfuse's screens is noticed and wins.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlmops.datasets import Sample, digest
from vlmops.errors import SampleError, UsageError
from vlmops.images import Image, ImageReference, images_in, map_images, restore_images, to_json
from vlmops.platforms.collecting import execution_link
from vlmops_langfuse.references import reference_to

MACHINE_KEY = "vision"
"""Where machine-readable data stands in an item's metadata."""

FIELDS = {"inputs": "input", "expected": "expectedOutput", "metadata": "metadata"}
"""Langfuse's name of each part of a sample that may hold pictures."""

_LONGEST_ID = 255
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SEAL_LENGTH = 16

Restore = Callable[[ImageReference], Image]
"""Gives the picture that a ``$image`` reference stands for."""

Refer = Callable[[Image], str]
"""Gives the reference string that stands for a picture."""

Resolve = Callable[[Any], Any]
"""Gives a JSON tree with pictures in the place of reference strings."""


@dataclass(frozen=True, slots=True)
class ItemState:
    """What is remembered of an item while a push compares.

    Attributes:
        sample_id: The sample it stands for.
        digest: Digest of that sample's content; empty when the item was changed by someone else.
    """

    sample_id: str
    digest: str


def item_id(sample_id: str, dataset_id: str) -> str:
    """The id of the item that stands for a sample; Langfuse wants it unique in the whole project.

    Example:
        >>> item_id("receipt-1", "cm1")
        'receipt-1~cm1'
        >>> len(item_id("a/b", "cm1"))
        36
    """
    plain = f"{sample_id}~{dataset_id}"
    if _PLAIN_ID.fullmatch(sample_id) and len(plain) <= _LONGEST_ID:
        return plain
    hashed = hashlib.sha256(sample_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{hashed}~{dataset_id}"


def to_item(
    sample: Sample,
    dataset_id: str,
    *,
    as_chat: bool = True,
    reference: Refer = reference_to,
    originals: Sequence[str] = (),
) -> dict[str, Any]:
    """The body that creates or updates the sample's item, but for the dataset's name.

    Args:
        sample: The sample, its pictures stored already.
        dataset_id: Langfuse's id of the dataset.
        as_chat: Whether inputs with pictures take the shape of a chat message, which is what the trace page
            draws; otherwise they keep their keys, with references in the place of pictures, as a schema
            wants them.
        reference: Gives what stands for a picture where people see it.
        originals: References of pictures as they were, where others are drawn in their place.
    """
    shown = {
        "input": _shown_inputs(sample, as_chat, reference),
        # An absent value would keep the old one; an empty text clears it.
        "expectedOutput": "" if sample.expected is None else map_images(sample.expected, reference),
        "metadata": _shown_metadata(sample, reference),
    }
    shown = {name: _printable(value) for name, value in shown.items()}
    machine: dict[str, Any] = {
        "id": _escaped(sample.id),
        "digest": digest(sample),
        "seals": {name: seal(value) for name, value in shown.items()},
        "sample": _text_of(sample),
    }
    if originals:
        machine["originals"] = list(originals)
    return {
        "id": item_id(sample.id, dataset_id),
        **shown,
        "metadata": {**shown["metadata"], MACHINE_KEY: machine},
        "status": "ACTIVE",
        **_source(sample),
    }


def state_of(item: Mapping[str, Any]) -> ItemState:
    """Which sample an item stands for, and with which content."""
    metadata, machine = _split(item)
    if machine is None:
        return ItemState(str(item["id"]), "")
    intact = not _edited(item, metadata, machine)
    return ItemState(_unescaped(machine["id"]), str(machine.get("digest", "")) if intact else "")


def from_item(item: Mapping[str, Any], restore: Restore, resolve: Resolve) -> Sample:
    """The sample an item stands for; parts that vlmops did not write are taken as they are shown.

    Raises:
        SampleError: The item's machine data was damaged.
    """
    source = f"item {item['id']}"
    metadata, machine = _split(item)
    shown = {"input": item.get("input"), "expectedOutput": item.get("expectedOutput"), "metadata": metadata}
    if machine is None:
        return _foreign(str(item["id"]), shown, resolve, source)
    edited = _edited(item, metadata, machine)
    try:
        content = json.loads(machine["sample"])
        kept = {key: restore_images(content.get(key), restore) for key in FIELDS}
        changed = _parts(shown, resolve)
        parts = {key: changed[key] if FIELDS[key] in edited else kept[key] for key in FIELDS}
        return Sample(
            id=_unescaped(machine["id"]),
            inputs=parts["inputs"],
            expected=parts["expected"],
            metadata=parts["metadata"] or {},
            split=content.get("split"),
            tags=tuple(content.get("tags", ())),
            source=source,
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise SampleError(
            source,
            f"its machine data cannot be read: {error}",
            "push the dataset again",
            field=f"metadata.{MACHINE_KEY}",
            sample_id=str(machine.get("id", "")),
        ) from error


def seal(value: Any) -> str:
    """A short hash of a value as Langfuse gives it back: blind to order and number types.

    Example:
        >>> seal({"a": 1, "b": 2.0}) == seal({"b": 2, "a": 1.0})
        True
        >>> seal("") == seal(None)
        True
    """
    text = json.dumps(_as_stored(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_SEAL_LENGTH]


def shown_metadata(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's metadata without machine data, for traces."""
    return _split(item)[0]


def _as_stored(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        # JavaScript writes minus zero without its sign.
        return float(value) + 0.0
    if isinstance(value, str):
        return value or None
    if isinstance(value, Mapping):
        return {key: _as_stored(inner) for key, inner in value.items()}
    return [_as_stored(inner) for inner in value]


def _printable(value: Any) -> Any:
    """Without the characters that Langfuse would drop, of which two keys may differ in nothing else."""
    if isinstance(value, str):
        return _CONTROL.sub("", value)
    if isinstance(value, Mapping):
        return {_CONTROL.sub("", key): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value


def _escaped(text: str) -> str:
    """Text in which nothing is left that Langfuse would drop."""
    return json.dumps(text)[1:-1]


def _unescaped(text: Any) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return str(text)


def _text_of(sample: Sample) -> str:
    content: dict[str, Any] = {"inputs": map_images(sample.inputs, to_json)}
    if sample.expected is not None:
        content["expected"] = map_images(sample.expected, to_json)
    if sample.metadata:
        content["metadata"] = map_images(sample.metadata, to_json)
    if sample.split is not None:
        content["split"] = sample.split
    if sample.tags:
        content["tags"] = list(sample.tags)
    return json.dumps(content, ensure_ascii=True, separators=(",", ":"))


def _source(sample: Sample) -> dict[str, str]:
    """The observation the sample was made of, to which the item's page then leads."""
    link = execution_link(sample, "langfuse")
    return {} if link is None else {"sourceTraceId": link.trace_id, "sourceObservationId": link.span_id}


def _shown_inputs(sample: Sample, as_chat: bool, reference: Refer) -> Any:
    if as_chat and any(True for _ in images_in(sample.inputs)):
        return [{"role": "user", "content": chat_content(sample.inputs, reference)}]
    return map_images(dict(sample.inputs), reference)


def chat_content(inputs: Mapping[str, Any], reference: Refer = reference_to) -> list[dict[str, Any]]:
    """The inputs as parts of one chat message: pictures first, since lists show only 200 characters."""
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": reference(image)}} for image in images_in(inputs)
    ]
    text = words(inputs)
    return [*parts, {"type": "text", "text": text}] if text else parts


def words(inputs: Mapping[str, Any]) -> str:
    """What inputs say besides their pictures; of several, each after its name."""
    lines = {}
    for key, value in inputs.items():
        if isinstance(value, Image):
            continue
        lines[key] = value if isinstance(value, str) else _json(value)
    if len(lines) == 1 and next(iter(lines)) in ("question", "prompt", "text", "input"):
        return next(iter(lines.values()))
    return "\n".join(f"{key}: {text}" for key, text in lines.items())


def _json(value: Any) -> str:
    return json.dumps(map_images(value, lambda image: f"<{image.media_type}>"), ensure_ascii=False)


def _shown_metadata(sample: Sample, reference: Refer) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if sample.split is not None:
        shown["split"] = sample.split
    if sample.tags:
        shown["tags"] = list(sample.tags)
    shown |= map_images(dict(sample.metadata), reference)
    shown.pop(MACHINE_KEY, None)
    return shown


def _split(item: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
    """Metadata without machine data, and the machine data if it is ours."""
    found = item.get("metadata")
    metadata = dict(found) if isinstance(found, Mapping) else {} if found is None else {"metadata": found}
    machine = metadata.get(MACHINE_KEY)
    if isinstance(machine, Mapping) and isinstance(machine.get("sample"), str) and "id" in machine:
        del metadata[MACHINE_KEY]
        return metadata, machine
    return metadata, None


def _edited(
    item: Mapping[str, Any], metadata: Mapping[str, Any], machine: Mapping[str, Any]
) -> frozenset[str]:
    """The shown parts that are no longer what vlmops wrote."""
    seals = machine.get("seals")
    written = seals if isinstance(seals, Mapping) else {}
    shown = {"input": item.get("input"), "expectedOutput": item.get("expectedOutput"), "metadata": metadata}
    return frozenset(name for name, value in shown.items() if seal(value) != written.get(name))


def _parts(shown: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
    inputs = resolve(shown["input"])
    return {
        "inputs": inputs if isinstance(inputs, Mapping) else {} if inputs is None else {"input": inputs},
        "expected": resolve(shown["expectedOutput"]),
        "metadata": resolve(shown["metadata"]),
    }


def _foreign(identity: str, shown: Mapping[str, Any], resolve: Resolve, source: str) -> Sample:
    parts = _parts(shown, resolve)
    return Sample(identity, parts["inputs"], parts["expected"], parts["metadata"], source=source)
