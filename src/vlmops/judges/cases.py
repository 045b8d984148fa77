"""Answered cases and people's verdicts from files, for audits and calibrations."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlmops.errors import SampleError, UsageError
from vlmops.evaluators.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vlmops.evaluators.score import Range, Value

_ANSWER, _HUMAN, _FAMILY = "output", "human", "family"
_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "true", "pass", "passed", "good"), True),
    **dict.fromkeys(("no", "false", "fail", "failed", "bad"), False),
}


@dataclass(frozen=True, slots=True)
class AnsweredCases:
    """Cases that have been answered, with what is known beside.

    Attributes:
        cases: The cases; ids tell them apart.
        human: What people said, by id.
        families: The family of the model that answered, by id.
    """

    cases: Sequence[Case]
    human: Mapping[str, Value] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)


def read_cases(path: Path) -> AnsweredCases:
    """Read answered cases from a table (``.jsonl``, ``.csv``, ``.tsv``) or a manifest.

    It is read as a dataset is, see ``vlmops push``; the column ``output`` holds the answer (in a manifest: of
    ``metadata``), ``human`` what a person said of it and ``family`` the family of the model that gave it.

    Raises:
        UsageError: The file cannot be read, or a row cannot: it has no answer or picture, or another's id.
    """
    from vlmops.datasets import ImageDataset

    cases: list[Case] = []
    human: dict[str, Value] = {}
    families: dict[str, str] = {}
    for entry in ImageDataset.load(path).entries():
        if isinstance(entry, SampleError):
            raise UsageError(str(entry)) from entry
        told = dict(entry.metadata)
        answer, said, family = (told.pop(key, None) for key in (_ANSWER, _HUMAN, _FAMILY))
        if answer is None:
            raise UsageError(f"{entry.source or path}: the case {entry.id!r} has no answer: fill 'output'")
        cases.append(Case(answer, entry.expected, entry.inputs, entry.id, told))
        if said is not None:
            human[entry.id] = verdict_of(said)
        if family is not None:
            families[entry.id] = str(family)
    return AnsweredCases(cases, human, families)


def read_labels(path: Path) -> dict[str, Value]:
    r"""What people said, by id of the case: ``.csv`` with the columns ``id`` and ``label``, or ``.jsonl``.

    Raises:
        UsageError: The file cannot be read, a row lacks one of the two, or two have one id.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> path = Path(tempfile.mkdtemp(), "labels.csv")
        >>> _ = path.write_text("id,label\na,yes\nb,no\n")
        >>> read_labels(path)
        {'a': True, 'b': False}
    """
    found: list[tuple[str, Value]] = []
    for place, row in label_rows(path):
        for key in ("id", "label"):
            if row.get(key) in (None, ""):
                raise UsageError(f"{place}: there is no {key!r}: each row needs 'id' and 'label'")
        found.append((str(row["id"]), verdict_of(row["label"])))
    _require_distinct((identity for identity, _ in found), path)
    return dict(found)


def verdict_of(said: Any) -> Value:
    """A person's verdict as judges' scores have it.

    Example:
        >>> verdict_of("Yes"), verdict_of("4"), verdict_of("scratch")
        (True, 4.0, 'scratch')
    """
    if isinstance(said, bool):
        return said
    if isinstance(said, int | float):
        return float(said)
    text = str(said).strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text


def shares_of(human: Mapping[str, Value], scale: Range | None) -> dict[str, float]:
    """People's verdicts from 0 (bad) to 1 (good), as audits take them; labels are left out.

    Args:
        human: By id.
        scale: Least and greatest of the numbers; those of pass/fail and shares are on it already.

    Example:
        >>> shares_of({"a": True, "b": 4.0, "c": "scratch"}, (1.0, 5.0))
        {'a': 1.0, 'b': 0.75}
    """
    low, high = scale or (0.0, 1.0)
    return {
        key: float(said) if isinstance(said, bool) else (said - low) / (high - low)
        for key, said in human.items()
        if not isinstance(said, str)
    }


def label_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a file of labels, ``.jsonl`` or a table, each with its place for messages.

    Raises:
        UsageError: The file or a row cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the labels cannot be read: {error}") from error
    if path.suffix == ".jsonl":
        # Texts within a line may hold what splitlines takes for an end.
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield f"{path}:{number}", _object(line, f"{path}:{number}")
        return
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if text.strip() and "id" not in (reader.fieldnames or ()):
        raise UsageError(f"{path}:1: there is no column 'id': each row needs 'id' and 'label'")
    for row in reader:
        place = f"{path}:{reader.line_num}"
        if None in row:
            raise UsageError(f"{place}: the row has more cells than there are columns")
        yield place, dict(row)


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{place}: this is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{place}: this is no JSON object")
    return found


def _require_distinct(ids: Iterable[str], path: Path) -> None:
    twice = [identity for identity, count in Counter(ids).items() if count > 1]
    if twice:
        raise UsageError(f"{path}: the id {twice[0]!r} is there more than once: ids tell cases apart")
