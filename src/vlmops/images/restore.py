"""Pictures from the references that stand for them in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.images.image import Image
from vlmops.images.limits import ImageLimits
from vlmops.images.origin import PathOrigin, UrlOrigin
from vlmops.images.reference import ImageReference, from_json, is_reference
from vlmops.json_values import LEAVES, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable


def restore_images(tree: Any, restore: Callable[[ImageReference], Image]) -> Any:
    """The JSON tree with ``restore(reference)`` in the place of each picture reference.

    Raises:
        UsageError: A reference is malformed.

    Example:
        >>> restore_images({"question": "How many?", "n": [1, 2]}, restore=lambda reference: None)
        {'question': 'How many?', 'n': [1, 2]}
    """
    if type(tree) in LEAVES:
        return tree
    if is_reference(tree):
        return restore(from_json(tree))
    if isinstance(tree, OBJECTS):
        return {key: restore_images(value, restore) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [restore_images(value, restore) for value in tree]
    return tree


def located(reference: ImageReference, base: str | Path, limits: ImageLimits | None = None) -> Image:
    """The picture at a reference's ``uri``; a relative one starts from ``base``.

    Args:
        reference: Names it.
        base: A folder.
        limits: What is refused; as the environment says when ``None``, which many readers ask once for all.

    Raises:
        ImageError: The reference has no ``uri``.
    """
    if not reference.uri:
        raise ImageError(
            f"picture {reference.sha256[:12]}",
            "its reference says no place to read it from",
            "give the reference a 'uri', or pull the dataset again",
        )
    limits = limits or ImageLimits.from_environment()
    if "://" in reference.uri:
        return Image.from_reference(reference, UrlOrigin(reference.uri, limits=limits), limits=limits)
    return Image.from_reference(reference, PathOrigin(Path(base, reference.uri), limits), limits=limits)
