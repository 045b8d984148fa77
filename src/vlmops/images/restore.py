"""Pictures from the references that stand for them in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vlmops.errors import ImageError
from vlmops.images.image import Image
from vlmops.images.limits import ImageLimits
from vlmops.images.origin import PathOrigin, UrlOrigin
from vlmops.images.reference import ImageReference, from_json, is_reference


def restore_images(tree: Any, restore: Callable[[ImageReference], Image]) -> Any:
    """The JSON tree with ``restore(reference)`` in the place of each picture reference.

    Raises:
        UsageError: A reference is malformed.

    Example:
        >>> restore_images({"question": "How many?", "n": [1, 2]}, restore=lambda reference: None)
        {'question': 'How many?', 'n': [1, 2]}
    """
    if tree is None or isinstance(tree, str | int | float):
        return tree
    if is_reference(tree):
        return restore(from_json(tree))
    if isinstance(tree, Mapping):
        return {key: restore_images(value, restore) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [restore_images(value, restore) for value in tree]
    return tree


def located(reference: ImageReference, base: str | Path) -> Image:
    """The picture at a reference's ``uri``; a relative one starts from ``base``.

    Raises:
        ImageError: The reference has no ``uri``.
    """
    if not reference.uri:
        raise ImageError(
            f"picture {reference.sha256[:12]}",
            "its reference says no place to read it from",
            "give the reference a 'uri', or pull the dataset again",
        )
    limits = ImageLimits.from_environment()
    if "://" in reference.uri:
        return Image.from_reference(reference, UrlOrigin(reference.uri), limits=limits)
    return Image.from_reference(reference, PathOrigin(Path(base, reference.uri), limits), limits=limits)
