"""Pictures anywhere within JSON-like values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vlmops.images.image import Image
from vlmops.json_values import LEAVES, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def images_in(tree: Any) -> Iterator[Image]:
    """Every picture in nested mappings, lists and tuples, depth first, in the order in which they stand.

    A picture that stands there twice is given twice.

    Example:
        >>> from vlmops.images import Image
        >>> one, two = Image.from_path("1.png"), Image.from_path("2.png")
        >>> [image.source for image in images_in({"question": "Same?", "pair": [one, {"other": two}]})]
        ['1.png', '2.png']
    """
    found: list[Image] = []
    _gather(tree, found)
    return iter(found)


def map_images(tree: Any, fn: Callable[[Image], Any]) -> Any:
    """The same tree with ``fn(image)`` in the place of each picture; ``tree`` itself stays as it is.

    Mappings become dicts, lists lists, tuples tuples; every other value is kept as it is.

    Example:
        >>> from vlmops.images import Image
        >>> map_images({"pair": [Image.from_path("1.png"), "text"]}, lambda image: image.source)
        {'pair': ['1.png', 'text']}
    """
    if type(tree) in LEAVES:
        return tree
    if isinstance(tree, Image):
        return fn(tree)
    if isinstance(tree, OBJECTS):
        return {key: map_images(value, fn) for key, value in tree.items()}
    if isinstance(tree, list):
        return [map_images(value, fn) for value in tree]
    if isinstance(tree, tuple):
        return tuple(map_images(value, fn) for value in tree)
    return tree


def _gather(tree: Any, found: list[Image]) -> None:
    if type(tree) in LEAVES:
        return
    if isinstance(tree, Image):
        found.append(tree)
    elif isinstance(tree, OBJECTS):
        for value in tree.values():
            _gather(value, found)
    elif isinstance(tree, list | tuple):
        for value in tree:
            _gather(value, found)
