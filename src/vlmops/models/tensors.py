"""Tensors of KServe's open inference protocol: pictures and texts in, numbers and texts out."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from vlmops.models.model import SentPicture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vlmops.images import Image


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input of a request.

    Attributes:
        name: Name of the input.
        datatype: ``BYTES``, ``UINT8`` or ``FP32``.
        shape: Its dimensions.
        data: Its elements in row order, little-endian; those of ``BYTES`` after their lengths.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes = field(repr=False)

    def described(self) -> dict[str, Any]:
        """As the JSON part of a request names it."""
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": list(self.shape),
            "parameters": {"binary_data_size": len(self.data)},
        }


def bytes_tensor(name: str, value: bytes, *, batched: bool) -> Tensor:
    r"""One string of bytes; with a batch dimension before it where the model has one.

    Example:
        >>> bytes_tensor("prompt", b"Hi", batched=True)
        Tensor(name='prompt', datatype='BYTES', shape=(1, 1))
        >>> bytes_tensor("prompt", b"Hi", batched=False).data
        b'\x02\x00\x00\x00Hi'
    """
    shape = (1, 1) if batched else (1,)
    return Tensor(name, "BYTES", shape, len(value).to_bytes(4, "little") + value)


def picture_tensor(
    name: str,
    image: Image,
    pixels: Literal["encoded", "hwc", "chw"],
    size: tuple[int, int] | None,
    *,
    batched: bool,
) -> tuple[Tensor, SentPicture]:
    """A picture as a tensor, upright, with the record of it.

    Args:
        name: Name of the input.
        image: The picture.
        pixels: ``"encoded"`` bytes, ``"hwc"`` uint8 or ``"chw"`` float32 from 0 to 1; see
            :class:`~vlmops.models.triton.TritonModel`.
        size: Width and height to resize to; ``None`` leaves it.
        batched: Whether there is a batch dimension.

    Raises:
        ImageError: It cannot be read or decoded.

    Example:
        >>> import numpy as np
        >>> from vlmops import Image
        >>> picture = Image.from_array(np.zeros((2, 3, 3), np.uint8))
        >>> tensor, sent = picture_tensor("image", picture, "chw", (4, 4), batched=True)
        >>> tensor.shape, sent.changes
        ((1, 3, 4, 4), ('resized',))
    """
    import numpy as np

    if pixels == "encoded":
        return _encoded(name, image, size, batched=batched)
    shown = image.to_pil("RGB")
    changed = size is not None and shown.size != size
    if size is not None and changed:
        shown = shown.resize(size)
    array = np.asarray(shown, dtype=np.uint8)
    if pixels == "chw":
        array = np.ascontiguousarray(array.transpose(2, 0, 1).astype("<f4") / np.float32(255))
    shape = (1, *array.shape) if batched else array.shape
    sent = SentPicture(
        shown.width,
        shown.height,
        image.width,
        image.height,
        array.nbytes,
        "application/octet-stream",
        "tensor",
        changes=("resized",) if changed else (),
    )
    image.release()
    return Tensor(name, "FP32" if pixels == "chw" else "UINT8", shape, array.tobytes()), sent


def _encoded(
    name: str, image: Image, size: tuple[int, int] | None, *, batched: bool
) -> tuple[Tensor, SentPicture]:
    from vlmops.images import Image as Picture
    from vlmops.images import Preparation

    prepared = Preparation(orient="pixels").prepare(image)
    changed = size is not None and prepared.size != size
    if size is not None and changed:
        prepared = Picture.from_pil(prepared.to_pil("RGB").resize(size))
    data = prepared.read()
    sent = SentPicture(
        prepared.width,
        prepared.height,
        image.width,
        image.height,
        len(data),
        prepared.media_type,
        "tensor",
        changes=("resized",) if changed else (),
    )
    prepared.release()
    image.release()
    return bytes_tensor(name, data, batched=batched), sent


def read_outputs(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of an answer by name, as nested lists of their shapes.

    Raises:
        KeyError: It holds no outputs, or one lacks its data.
        ValueError: Data and shape of one do not match.

    Example:
        >>> read_outputs({"outputs": [{"name": "boxes", "shape": [1, 2], "data": [3, 4]}]})
        {'boxes': [[3, 4]]}
    """
    return {output["name"]: _shaped(output["data"], output["shape"]) for output in answer["outputs"]}


def _shaped(data: list[Any], shape: list[int]) -> Any:
    if data and isinstance(data[0], list):
        return data  # The protocol allows nested lists as well.
    if prod(shape) != len(data):
        raise ValueError(f"{len(data)} elements do not fill the shape {shape}")
    for side in reversed(shape[1:]):
        data = [data[at : at + side] for at in range(0, len(data), side)] if side else [[]] * shape[0]
    return data
