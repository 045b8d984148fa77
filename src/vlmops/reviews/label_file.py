"""A file of people's labels that grows with each collection and loses nothing."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError
from vlmops.judges.cases import label_rows
from vlmops.platforms.folder.json_lines import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vlmops.evaluators.score import Value
    from vlmops.reviews.collecting import HumanLabel

_COLUMNS = ("id", "label", "people", "at", "rules", "comment")
_FORMS = (".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """What a collection changed in a file.

    Attributes:
        added: Cases that had no label.
        changed: Cases of which people said something else or more since.
        unchanged: Cases of which nothing new was said; their rows are as they were.
        own: Cases whose row was not written by a collection: they are left as they are.
        total: Rows of the file now.
    """

    added: int
    changed: int
    unchanged: int
    own: int
    total: int


def update_labels(path: Path, labels: Sequence[HumanLabel]) -> LabelChanges:
    """Write labels to a ``.jsonl`` or ``.csv`` file as ``vlmops judges calibrate --labels`` reads it.

    A row is replaced when what people said has changed since it was written; a label that was mended in the
    file stays until then. Rows of other cases, rows of one's own (without ``at``) and further columns stay.
    The file is replaced as a whole: an interruption leaves the old one.

    Raises:
        UsageError: The file is of another type, cannot be read or written, or has an id twice.

    Example:
        >>> import tempfile
        >>> from datetime import UTC, datetime
        >>> from pathlib import Path
        >>> from vlmops.judges import read_labels
        >>> from vlmops.reviews import HumanLabel
        >>> path = Path(tempfile.mkdtemp(), "labels.csv")
        >>> label = HumanLabel("a", True, 1, datetime(2026, 1, 1, tzinfo=UTC), rules=("random",))
        >>> update_labels(path, [label]).added, update_labels(path, [label]).unchanged, read_labels(path)
        (1, 1, {'a': True})
    """
    require_form(path)
    rows = _read(path)
    added = changed = unchanged = own = 0
    for label in labels:
        row, before = _row(label), rows.get(label.id)
        if before is None:
            added += 1
        elif not before.get("at"):
            own += 1
            continue
        elif before["at"] == row["at"]:
            unchanged += 1
            continue
        else:
            changed += 1
        rows[label.id] = {**(before or {}), **row}
    if added or changed or not path.exists():
        _write(path, rows)
    return LabelChanges(added, changed, unchanged, own, len(rows))


def require_form(path: Path) -> None:
    """Make sure that the file's name says how to write it.

    Raises:
        UsageError: It does not.
    """
    if path.suffix not in _FORMS:
        raise UsageError(f"{path}: labels are kept as {' or '.join(_FORMS)}: name the file so")


def _row(label: HumanLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "label": label.label,
        "people": label.people,
        # A moment must tell one state of the answers from another.
        "at": label.at.isoformat() if label.at is not None else "unknown",
        "rules": list(label.rules),
        "comment": label.comment,
    }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for place, row in label_rows(path) if path.exists() else ():
        if row.get("id") in (None, ""):
            raise UsageError(f"{place}: there is no 'id': name the case, or remove the row")
        identity = str(row["id"])
        if identity in rows:
            raise UsageError(f"{place}: the id {identity!r} is there more than once: remove one of the rows")
        rows[identity] = row
    return rows


def _write(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values())
    else:
        columns = dict.fromkeys([*_COLUMNS, *(key for row in rows.values() for key in row)])
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows.values())
        text = out.getvalue()
    try:
        write_whole(path, text)
    except OSError as error:
        raise UsageError(f"{path}: the labels cannot be written: {error.strerror or error}") from error


def _cell(value: Value | list[str] | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value if value is not None else "")
