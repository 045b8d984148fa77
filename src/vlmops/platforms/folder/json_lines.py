"""Files of JSON lines that may end in the middle of one, since the writer was killed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from vlmops.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Every whole line; nothing where there is no file.

    Raises:
        PlatformError: A line is damaged.
    """
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith("\n"):
                return
            try:
                yield json.loads(line)
            except ValueError as error:
                raise PlatformError(
                    f"{file}:{number}: is no JSON ({error}): mend or remove the line"
                ) from error


class LineWriter:
    """Appends lines; a torn line at the end is removed first.

    Args:
        file: Made if absent.
    """

    def __init__(self, file: Path) -> None:
        _remove_torn_line(file)
        self._out = file.open("ab")

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._out.close()

    def write(self, contents: Sequence[Mapping[str, Any]]) -> None:
        """Append a line for each; they are with the operating system when this returns."""
        try:
            lines = "".join(f"{_ENCODER.encode(content)}\n" for content in contents).encode()
        except UnicodeEncodeError:
            lines = b"".join(map(_escaped, contents))
        self._out.write(lines)
        self._out.flush()


def _escaped(content: Mapping[str, Any]) -> bytes:
    """A line in ASCII, in which half a character, where an answer broke off within one, has a place."""
    return json.dumps(content, allow_nan=False).encode() + b"\n"


def write_whole(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def _remove_torn_line(file: Path) -> None:
    if not file.exists():
        return
    with file.open("rb+") as lines:
        end = lines.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - (1 << 16))
            lines.seek(start)
            found = lines.read(end - start).rfind(b"\n")
            if found >= 0:
                lines.truncate(start + found + 1)
                return
            end = start
        lines.truncate(0)
