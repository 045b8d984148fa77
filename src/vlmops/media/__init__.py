"""Where pictures live when the platform keeps none: content-addressed stores and their URLs."""

from vlmops.media.address import MediaAddress
from vlmops.media.folder import FolderStore
from vlmops.media.object_store import ObjectStore
from vlmops.media.store import MediaNotFound, MediaStore, open_store

__all__ = [
    "FolderStore",
    "MediaAddress",
    "MediaNotFound",
    "MediaStore",
    "ObjectStore",
    "open_store",
]
