"""Draws the demo's documents.

``python -m vlmops.demo.receipts FOLDER`` draws them into ``FOLDER/images`` and writes their lines of
``FOLDER/metadata.jsonl``; lines of pictures that are not drawn are kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vlmops.demo.drawings import DRAWINGS

if TYPE_CHECKING:
    from collections.abc import Sequence


def write(folder: Path) -> list[Path]:
    """Draw every document into ``folder`` and bring its ``metadata.jsonl`` up to date; gives the pictures.

    Lines of ``metadata.jsonl`` whose origin is not ``"drawn"`` stay, ahead of the drawn ones.
    """
    metadata = folder / "metadata.jsonl"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    lines = metadata.read_text("utf-8").splitlines() if metadata.exists() else []
    kept = [line for line in lines if line.strip() and json.loads(line)["origin"] != "drawn"]
    drawn = [json.dumps(drawing.record(), ensure_ascii=False) for drawing in DRAWINGS]
    written = []
    for drawing in DRAWINGS:
        path = folder / drawing.file_name
        path.write_bytes(drawing.picture())
        written.append(path)
    metadata.write_text("\n".join([*kept, *drawn]) + "\n", "utf-8")
    return written


def main(arguments: Sequence[str]) -> int:
    """Command line: one argument, the folder."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m vlmops.demo.receipts FOLDER\n")
        return 2
    written = write(Path(arguments[0]))
    sys.stdout.write(f"{len(written)} pictures in {arguments[0]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
