"""Where the bundled document-reading set lies."""

from __future__ import annotations

from pathlib import Path


def demo_folder() -> Path:
    """The bundled set, an image folder: ``images/`` and ``metadata.jsonl``.

    Each line of ``metadata.jsonl`` has ``file_name`` (relative to the folder), ``id``, ``text`` (what stands
    in the picture, in reading order, a line each), ``fields`` (``merchant``, ``date`` as YYYY-MM-DD,
    ``total`` and ``items``, each with ``name``, ``quantity`` and ``price``, the amount at the line's end;
    ``null`` for pictures that are neither receipt nor invoice), ``split``, ``origin`` (``"photograph"``,
    ``"scan"`` or ``"drawn"``), ``language``, ``difficulty`` (``"easy"``, ``"medium"`` or ``"hard"``) and
    ``licence``. ``LICENSES.md`` beside it names source and author of every picture.

    Example:
        >>> sorted(path.name for path in demo_folder().iterdir())
        ['LICENSES.md', 'fonts', 'images', 'metadata.jsonl']
    """
    return Path(__file__).parent / "data"
