"""Where pictures live when the platform keeps none: content-addressed stores, their URLs and a server."""

from vlmops.media.address import MediaAddress
from vlmops.media.app import media_app, serve
from vlmops.media.delivery import MediaDelivery
from vlmops.media.folder import FolderStore
from vlmops.media.object_store import ObjectStore
from vlmops.media.store import MediaNotFound, MediaStore, open_store
from vlmops.media.urls import UrlPolicy

__all__ = [
    "FolderStore",
    "MediaAddress",
    "MediaDelivery",
    "MediaNotFound",
    "MediaStore",
    "ObjectStore",
    "UrlPolicy",
    "media_app",
    "open_store",
    "serve",
]
