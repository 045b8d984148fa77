"""Pictures of a results folder: files by content, and the references that stand for them in JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vlmops.errors import MediaError
from vlmops.images import images_in, map_images, restore_images, to_json
from vlmops.images.restore import located
from vlmops.media.address import MediaAddress
from vlmops.media.folder import FolderStore

if TYPE_CHECKING:
    from pathlib import Path

    from vlmops.images import Image


class FolderPictures:
    """Keeps pictures once, whatever names them.

    Args:
        root: The results folder; pictures lie in ``media`` below it.
    """

    def __init__(self, root: Path) -> None:
        self._store = FolderStore(root / "media", durable=False)

    def keep(self, image: Image) -> None:
        """Make sure the picture is there.

        Raises:
            ImageError: It cannot be read.
            MediaError: It cannot be written, or is of a type that browsers and models do not show.
        """
        if not self.has(image):
            self._store.put(image.read(), image.media_type)

    def has(self, image: Image) -> bool:
        """Whether the picture is there.

        Raises:
            ImageError: It cannot be read.
            MediaError: The folder cannot be looked into, or it is of a type that is not kept.
        """
        return self._store.has(MediaAddress(image.sha256, image.media_type))

    def path_of(self, image: Image) -> Path:
        """Where it lies."""
        address = MediaAddress(image.sha256, image.media_type)
        return self._store.root / address.sha256[:2] / address.sha256[2:4] / address.name

    def to_plain(self, tree: Any, base: Path) -> Any:
        """The tree with references in the place of pictures, with paths relative to ``base``."""
        return map_images(tree, lambda image: to_json(image, self.uri_of(image, base)))

    def kept_plain(self, tree: Any, base: Path) -> Any:
        """As :meth:`to_plain`, with every picture made sure to be there."""
        for image in images_in(tree):
            self.keep(image)
        return self.to_plain(tree, base)

    def restored(self, tree: Any, base: Path) -> Any:
        """The tree with pictures in the place of references."""
        return restore_images(tree, lambda reference: located(reference, base))

    def uri_of(self, image: Image, base: Path) -> str:
        """Its path relative to ``base``, with ``/``."""
        try:
            return os.path.relpath(self.path_of(image), base).replace(os.sep, "/")
        except ValueError as error:
            raise MediaError(f"{image.source}: {error}") from error
