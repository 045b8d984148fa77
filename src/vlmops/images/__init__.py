"""Pictures as values: content-addressed, lazy, safe to read, free of private metadata where asked."""

from vlmops.images.facts import ImageFacts
from vlmops.images.image import Image
from vlmops.images.limits import ImageLimits
from vlmops.images.origin import Origin
from vlmops.images.preparation import Preparation
from vlmops.images.reference import ImageReference, from_json, is_reference, to_json
from vlmops.images.restore import located, restore_images
from vlmops.images.sniff import Sniffed, sniff
from vlmops.images.tree import images_in, map_images

__all__ = [
    "Image",
    "ImageFacts",
    "ImageLimits",
    "ImageReference",
    "Origin",
    "Preparation",
    "Sniffed",
    "from_json",
    "images_in",
    "is_reference",
    "located",
    "map_images",
    "restore_images",
    "sniff",
    "to_json",
]
