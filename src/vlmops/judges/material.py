"""Material: what a judge is shown of a case, each piece under a label of its own.

What an application or its users wrote stands between marks that carry a code which depends on all of it, so
that no text within can close them; the standing instructions say that nothing between the marks, and no
writing in a picture, is an instruction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.evaluators.selection import MISSING, select
from vlmops.images import Image, images_in, map_images

if TYPE_CHECKING:
    from vlmops.evaluators.case import Case

_QUESTION_KEYS = ("prompt", "question", "instruction", "instructions")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which parts of a case a judge is shown, and at which size.

    Attributes:
        pictures: Whether the pictures of the inputs are shown. A case that has none, or one that cannot be
            read, is then a failure: a judge is never asked blindly.
        question: Whether the question is shown: the inputs without their pictures.
        answer: Whether the answer is shown; its pictures (a generated or edited picture) are shown as such.
        expected: Whether the expected answer is shown, with its pictures as reference pictures.
        reference: Dotted key of a reference picture, in ``expected``, else in the inputs or the metadata.
        regions: Dotted key of boxes in pixels of the first picture (``[x1, y1, x2, y2]``, alone or as
            ``{"box": [...], "label": ...}``), in ``expected``, else in the output or the metadata: each is
            cut out, with a margin, and shown after the picture, where small things can be made out.
        region_margin: Share of a region's size that is shown around it.
        max_side: Greatest width and height in pixels of a shown picture; larger ones are scaled, on record.
        max_pictures: More pictures than that are a failure, not a selection.
        max_text: Greatest number of characters shown of one text; what is cut is marked and on record.
    """

    pictures: bool = True
    question: bool = True
    answer: bool = True
    expected: bool = False
    reference: str | None = None
    regions: str | None = None
    region_margin: float = 0.15
    max_side: int = 1568
    max_pictures: int = 16
    max_text: int = 20_000


@dataclass(slots=True)
class Material:
    """Labelled texts and pictures, in the order in which a judge sees them.

    Attributes:
        parts: Label and piece; a text is what somebody wrote, a picture is shown as it is here.
        record: JSON: how each picture was shown and which texts were cut, for the score's metadata.
    """

    parts: list[tuple[str, str | Image]] = field(default_factory=list)
    record: list[dict[str, Any]] = field(default_factory=list)

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures."""
        return tuple(piece for _, piece in self.parts if isinstance(piece, Image))

    def text(self, label: str, written: str, limit: int) -> None:
        """Add what somebody wrote."""
        if len(written) > limit:
            self.record.append({"label": label, "characters": len(written), "shown_characters": limit})
            written = f"{written[:limit]} [... {len(written) - limit} more characters are not shown]"
        self.parts.append((label, written))

    def picture(self, label: str, image: Image, max_side: int) -> None:
        """Add a picture, upright and no larger than ``max_side``.

        Raises:
            ImageError: It cannot be read.
        """
        from vlmops.images import Preparation

        shown = Preparation(max_side=max_side, orient="pixels").prepare(image)
        self.parts.append((label, shown))
        entry: dict[str, Any] = {"label": label, "sha256": image.sha256, "size": list(image.size)}
        if shown.size != image.size:
            entry["shown_size"] = list(shown.size)
        self.record.append(entry)

    def content(self) -> tuple[str | Image, ...]:
        """The pieces as they go into a turn: every picture behind its label, every text between marks."""
        code = self._code()
        shown: list[str | Image] = []
        for label, piece in self.parts:
            if isinstance(piece, Image):
                shown += [f"{label}:", piece]
            else:
                shown.append(f"{label}:\n<<<material {code}\n{piece}\nmaterial {code}>>>")
        return tuple(shown)

    def _code(self) -> str:
        whole = hashlib.sha256()
        for label, piece in self.parts:
            whole.update(f"{label}\0{piece if isinstance(piece, str) else piece.sha256}\0".encode())
        return whole.hexdigest()[:12]


def material_of(case: Case, answer: Any, view: View, *, with_answer: bool = True) -> Material | Failure:
    """What the judge is shown of a case.

    Args:
        case: The case.
        answer: The part of its output that is judged.
        view: What of it is shown.
        with_answer: Whether the answer is part of it, if the view shows answers.

    Example:
        >>> from vlmops.evaluators import Case
        >>> case = Case(output="A red circle.", inputs={"question": "What is it?"})
        >>> [label for label, _ in material_of(case, case.output, View(pictures=False)).parts]
        ['QUESTION', 'ANSWER']
        >>> material_of(case, case.output, View()).kind.value
        'bad_image'
    """
    material = Material()
    try:
        problem = _add_pictures(material, case, view) or _add_regions(material, case, view)
        if problem:
            return problem
        if view.question and (asked := _question(case.inputs)):
            material.text("QUESTION", asked, view.max_text)
        if view.expected and case.expected is not None:
            known = {entry.get("sha256") for entry in material.record}
            reference = [image for image in images_in(case.expected) if image.sha256 not in known]
            _add_side(material, ("EXPECTED ANSWER", "REFERENCE PICTURE"), case.expected, reference, view)
        if view.answer and with_answer:
            add_answer(material, "ANSWER", answer, view)
    except ImageError as error:
        return Failure(FailureKind.BAD_IMAGE, f"a picture cannot be shown to the judge: {error}")
    if len(material.images) > view.max_pictures:
        return Failure(
            FailureKind.BAD_IMAGE,
            f"{len(material.images)} pictures are more than the {view.max_pictures} a judge is shown "
            "(View.max_pictures)",
        )
    return material


def _add_pictures(material: Material, case: Case, view: View) -> Failure | None:
    reference = _reference(case, view)
    if isinstance(reference, Failure):
        return reference
    if view.pictures:
        pictures = [image for image in case.images if image not in reference]
        if not pictures:
            return Failure(FailureKind.BAD_IMAGE, "the case has no picture that the judge could see")
        for number, image in enumerate(pictures, 1):
            material.picture(_numbered("PICTURE", number, len(pictures)), image, view.max_side)
    for number, image in enumerate(reference, 1):
        material.picture(_numbered("REFERENCE PICTURE", number, len(reference)), image, view.max_side)
    return None


def _reference(case: Case, view: View) -> Sequence[Image] | Failure:
    if view.reference is None:
        return ()
    found = _selected(view.reference, case.expected, case.inputs, case.metadata)
    pictures = tuple(images_in(found))
    if pictures:
        return pictures
    return Failure(FailureKind.BAD_IMAGE, f"the case has no reference picture under {view.reference!r}")


def _add_regions(material: Material, case: Case, view: View) -> Failure | None:
    if view.regions is None:
        return None
    found = _selected(view.regions, case.expected, case.output, case.metadata)
    if found is MISSING:
        return Failure(FailureKind.MISSING_EXPECTED, f"the case has no regions under {view.regions!r}")
    if not case.images:
        return Failure(FailureKind.BAD_IMAGE, "the case has no picture that regions could be cut out of")
    boxes = [found] if _is_box(found) or isinstance(found, Mapping) else found
    if not isinstance(boxes, Sequence) or isinstance(boxes, str):
        return Failure(FailureKind.MISSING_EXPECTED, f"{view.regions!r} is no list of boxes [x1, y1, x2, y2]")
    for number, entry in enumerate(boxes, 1):
        box = entry.get("box") if isinstance(entry, Mapping) else entry
        label = str(entry.get("label") or "") if isinstance(entry, Mapping) else ""
        if box is None or not _is_box(box):
            return Failure(
                FailureKind.MISSING_EXPECTED,
                f"{view.regions!r}[{number - 1}] is no box [x1, y1, x2, y2]: {box!r}",
            )
        named = f"REGION {number} OF PICTURE 1" + (f" ({label})" if label else "")
        material.picture(named, cut_out(case.images[0], box, view.region_margin), view.max_side)
    return None


def cut_out(image: Image, box: Sequence[float], margin: float = 0.0) -> Image:
    """The part of a picture within a box, as a PNG.

    Args:
        image: The picture.
        box: ``x1, y1, x2, y2`` in pixels of the upright picture.
        margin: Share of the box's size that is kept around it.

    Raises:
        ImageError: Nothing of the box lies within the picture.

    Example:
        >>> import numpy as np
        >>> cut_out(Image.from_array(np.zeros((40, 60, 3), np.uint8)), [10, 10, 30, 20]).size
        (20, 10)
    """
    left, top, right, bottom = (float(number) for number in box)
    wider, higher = (right - left) * margin, (bottom - top) * margin
    width, height = image.size
    edges = (
        max(0, int(left - wider)),
        max(0, int(top - higher)),
        min(width, int(-(-(right + wider) // 1))),
        min(height, int(-(-(bottom + higher) // 1))),
    )
    if edges[0] >= edges[2] or edges[1] >= edges[3]:
        raise ImageError(image.source, f"holds nothing of the box {list(box)}: it is {width} x {height}", "")
    return Image.from_pil(image.to_pil().crop(edges))


def add_answer(material: Material, label: str, answer: Any, view: View) -> None:
    """Add an answer under a label; pictures in it (generated, edited) are shown as such.

    Raises:
        ImageError: A picture cannot be read.
    """
    labels = (label, f"PICTURE THAT IS {'THE ' if label == 'ANSWER' else ''}{label}")
    _add_side(material, labels, answer, list(images_in(answer)), view)


def _add_side(
    material: Material, labels: tuple[str, str], value: Any, pictures: Sequence[Image], view: View
) -> None:
    """A value that is text, JSON or pictures: pictures first, the rest as text."""
    for number, image in enumerate(pictures, 1):
        material.picture(_numbered(labels[1], number, len(pictures)), image, view.max_side)
    if not isinstance(value, Image):
        material.text(labels[0], _as_text(value), view.max_text)


def _question(inputs: Any) -> str:
    if isinstance(inputs, Mapping):
        words = {key: value for key, value in inputs.items() if not _only_pictures(value)}
        if len(words) == 1 and next(iter(words)) in _QUESTION_KEYS:
            return _as_text(next(iter(words.values())))
        return _as_text(words) if words else ""
    return "" if inputs is None or _only_pictures(inputs) else _as_text(inputs)


def _only_pictures(value: Any) -> bool:
    if isinstance(value, Image):
        return True
    return isinstance(value, list | tuple) and bool(value) and all(map(_only_pictures, value))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(map_images(value, lambda _: "(picture)"), ensure_ascii=False, default=str)


def _selected(key: str, *sides: Any) -> Any:
    return next((found for side in sides if (found := select(side, key)) is not MISSING), MISSING)


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 4
        and all(isinstance(number, int | float) and not isinstance(number, bool) for number in value)
    )


def _numbered(label: str, number: int, of: int) -> str:
    return label if of == 1 else f"{label} {number} OF {of}"
