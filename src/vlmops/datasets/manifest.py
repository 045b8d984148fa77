"""The manifest: one JSON line per sample, and the revision that names a dataset's content.

A line holds the sample with each picture as a reference ``{"$image": {...}}``. The revision depends on
content alone (ids, values, the pictures' bytes), not on names, places, key order or sample order, so the
same content has the same revision in a folder, in a bucket and pulled back from a platform.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from vlmops.json_values import LEAVES, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vlmops.datasets.sample import Sample
    from vlmops.images import Image

MANIFEST_NAME = "manifest.jsonl"
"""The file name by which a folder is known to hold a manifest."""

_MODULUS = 1 << 256
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Revision:
    """Accumulates the revision of a dataset, one sample at a time, in constant memory.

    Sample digests are added modulo 2**256, so their order does not matter.

    Example:
        >>> from vlmops import Sample
        >>> a, b = Sample("a", {"n": 1}), Sample("b", {"n": 2})
        >>> first, second = Revision(), Revision()
        >>> for sample in (a, b): first.add(digest(sample))
        >>> for sample in (b, a): second.add(digest(sample))
        >>> first.value == second.value
        True
    """

    def __init__(self) -> None:
        self._sum = 0
        self.count = 0

    def add(self, sample_digest: str) -> None:
        """Take in one sample by its digest."""
        self._sum = (self._sum + int(sample_digest, 16)) % _MODULUS
        self.count += 1

    @property
    def value(self) -> str:
        """The revision so far: 64 hexadecimal digits."""
        return hashlib.sha256(f"vlmops-1:{self.count}:{self._sum:064x}".encode()).hexdigest()


def digest(sample: Sample) -> str:
    """SHA-256 (hex) of a sample's content; pictures count by the hash of their bytes.

    Example:
        >>> from vlmops import Sample
        >>> digest(Sample("a", {"n": 1, "m": 2})) == digest(Sample("a", {"m": 2.0, "n": 1.0}))
        True
    """
    content = {
        "id": sample.id,
        "inputs": _canonical(sample.inputs),
        "expected": _canonical(sample.expected),
        "metadata": _canonical(sample.metadata),
        "split": sample.split,
        "tags": sorted(sample.tags),
    }
    return hashlib.sha256(_CANONICAL.encode(content).encode("utf-8", "surrogatepass")).hexdigest()


def to_line(sample: Sample, uris: Mapping[str, str] | None = None) -> str:
    """The manifest line of a sample, without line end.

    Args:
        sample: The sample; its pictures are read for their facts.
        uris: Where each picture lies, by SHA-256; relative paths are relative to the manifest.
    """
    from vlmops.images import map_images, to_json

    def reference(image: Image) -> dict[str, Any]:
        return to_json(image, uri=(uris or {}).get(image.sha256, ""))

    content: dict[str, Any] = {"id": sample.id, "inputs": map_images(sample.inputs, reference)}
    if sample.expected is not None:
        content["expected"] = map_images(sample.expected, reference)
    if sample.metadata:
        content["metadata"] = map_images(sample.metadata, reference)
    if sample.split is not None:
        content["split"] = sample.split
    if sample.tags:
        content["tags"] = list(sample.tags)
    return json.dumps(content, ensure_ascii=False)


def revision(samples: Iterable[Sample]) -> str:
    """The revision of these samples."""
    accumulated = Revision()
    for sample in samples:
        accumulated.add(digest(sample))
    return accumulated.value


def lines(samples: Iterable[Sample], uris: Mapping[str, str] | None = None) -> Iterator[str]:
    """The manifest's lines, streamed."""
    for sample in samples:
        yield to_line(sample, uris)


def _canonical(value: Any) -> Any:
    """JSON in which equal content is equal text: whole floats become integers, as in a JSON round trip."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) in LEAVES:
        return value
    if isinstance(value, OBJECTS):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    return value if isinstance(value, str | int | float) else {"$image": value.sha256}
