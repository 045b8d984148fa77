"""Rubrics as TOML files: criteria, what of a case is shown, and examples with their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vlmops.errors import UsageError
from vlmops.evaluators.case import Case
from vlmops.evaluators.evaluator_file import read_table
from vlmops.evaluators.failure import Failure, FailureKind
from vlmops.images import Image
from vlmops.judges.material import View, material_of
from vlmops.judges.rubric import Choice, Criterion, Rubric, Scale, YesNo

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

Made = TypeVar("Made")

_TOP = {"task", "abstain", "criteria", "view", "examples"}
_COMPARISON = {"question", "criteria", "view"}
_COMMON = {"name", "kind", "question"}
_KINDS = {"yes_no": {"yes", "no"}, "scale": {"anchors", "pass_at"}, "choice": {"labels", "passing"}}
_EXAMPLE = {"id", "picture", "pictures", "question", "answer", "expected", "reference", "verdict"}


@dataclass(frozen=True, slots=True)
class RubricFile:
    """What a file of a rubric holds.

    Attributes:
        rubric: What is judged.
        view: What of a case is shown; ``None`` where the file does not say.
        examples: Cases with the verdict they should get, as the judge takes them.
    """

    rubric: Rubric
    view: View | None = None
    examples: Sequence[tuple[Case, Mapping[str, Any]]] = ()


def load_rubric(path: str | os.PathLike[str]) -> RubricFile:
    """Read a rubric from a TOML file.

    ::

        task = "An assistant counted the screws in the picture. Judge its answer."

        [[criteria]]
        name = "count"
        kind = "yes_no"                # or "scale", "choice"
        question = "Is the number of screws right?"
        yes = "It is the number that can be counted in the picture."
        no = "It is another number, or none is given."

        [[criteria]]
        name = "readable"
        kind = "scale"
        question = "How well can the screws be counted?"
        anchors = { 1 = "not at all", 2 = "some overlap", 3 = "each can be seen" }
        pass_at = 2

        [view]                         # see View; may be left out
        expected = true

        [[examples]]                   # may be left out
        picture = "examples/seven.jpg" # relative to this file; or pictures = [...]; also: reference
        question = "How many screws are there?"
        answer = "Eight."

        [examples.verdict.count]
        reason = "Seven screws lie on the tray."
        verdict = "no"

    Raises:
        UsageError: The file cannot be read, or a key or value is wrong; the message names it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "rubric.toml")
        >>> _ = path.write_text('''
        ... task = "Judge the tone of an answer."
        ... [[criteria]]
        ... name = "polite"
        ... kind = "yes_no"
        ... question = "Is it polite?"
        ... ''')
        >>> load_rubric(path).rubric.criteria[0].question
        'Is it polite?'
    """
    file = Path(path)
    return _Reader(file).read(read_table(file, "rubric"))


@dataclass(frozen=True, slots=True)
class ComparisonFile:
    """What a file of a comparison holds; see :func:`load_comparison`.

    Attributes:
        question: What is compared.
        criteria: What makes an answer better, and what counts for nothing; may be empty.
        view: What of a case is shown beside the answers; ``None`` where the file does not say.
    """

    question: str
    criteria: str = ""
    view: View | None = None


def load_comparison(path: str | os.PathLike[str]) -> ComparisonFile:
    """Read what a pairwise judge compares from a TOML file.

    ::

        question = "Which answer describes the picture better?"
        criteria = "A wrong detail is worse than a missing one. Length counts for nothing."

        [view]                         # see View; may be left out
        expected = true

    Raises:
        UsageError: The file cannot be read, or a key or value is wrong; the message names it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "better.toml")
        >>> _ = path.write_text('question = "Which answer is right?"')
        >>> load_comparison(path).question
        'Which answer is right?'
    """
    file = Path(path)
    return _Reader(file).read_comparison(read_table(file, "rubric"))


class _Reader:
    """Reads the parts of one file, and names the place of what is wrong."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self, table: Mapping[str, Any]) -> RubricFile:
        self._require_known(table, _TOP, "")
        task = self._text(table, "task", "")
        criteria = [
            self._criterion(entry, f"criteria[{at}]")
            for at, entry in enumerate(self._tables(table, "criteria"))
        ]
        abstain = table.get("abstain", True)
        if not isinstance(abstain, bool):
            raise self._wrong("abstain", "must be true or false")
        rubric = self._made("criteria", lambda: Rubric(task, tuple(criteria), abstain))
        view = self._view(table)
        examples = [
            self._example(entry, f"examples[{at}]", rubric, view or View())
            for at, entry in enumerate(self._tables(table, "examples"))
        ]
        return RubricFile(rubric, view, tuple(examples))

    def read_comparison(self, table: Mapping[str, Any]) -> ComparisonFile:
        if "task" in table:
            raise self._wrong("task", "is one of single answers; a comparison has question and criteria")
        self._require_known(table, _COMPARISON, "")
        criteria = self._text(table, "criteria", "") if "criteria" in table else ""
        return ComparisonFile(self._text(table, "question", ""), criteria, self._view(table))

    def _view(self, table: Mapping[str, Any]) -> View | None:
        return self._made("view", lambda: view_of(table["view"])) if "view" in table else None

    def _criterion(self, entry: Mapping[str, Any], place: str) -> Criterion:
        kind = self._text(entry, "kind", place)
        if kind not in _KINDS:
            raise self._wrong(f"{place}.kind", f"is {kind!r}; there are: {', '.join(_KINDS)}")
        self._require_known(entry, _COMMON | _KINDS[kind], place)
        name, question = self._text(entry, "name", place), self._text(entry, "question", place)
        if kind == "yes_no":
            given = {key: self._text(entry, key, place) for key in ("yes", "no") if key in entry}
            return YesNo(name, question, **given)
        if kind == "scale":
            anchors = self._anchors(entry, place)
            return self._made(place, lambda: Scale(name, question, anchors, entry.get("pass_at")))
        labels, passing = self._labels(entry, place), entry.get("passing", [])
        if not isinstance(passing, list) or not all(isinstance(each, str) for each in passing):
            raise self._wrong(f"{place}.passing", 'must be a list of labels, e.g. passing = ["done"]')
        return self._made(place, lambda: Choice(name, question, labels, frozenset(passing)))

    def _anchors(self, entry: Mapping[str, Any], place: str) -> dict[int, str]:
        given = self._meanings(entry, "anchors", place, 'anchors = { 1 = "nothing", 5 = "all" }')
        if not all(key.isdecimal() for key in given):
            raise self._wrong(f"{place}.anchors", "must be told by whole numbers: { 1 = ..., 5 = ... }")
        if "pass_at" in entry and type(entry["pass_at"]) is not int:
            raise self._wrong(f"{place}.pass_at", "must be a whole number of the scale")
        return {int(key): text for key, text in given.items()}

    def _labels(self, entry: Mapping[str, Any], place: str) -> dict[str, str]:
        if isinstance(listed := entry.get("labels"), list) and all(isinstance(each, str) for each in listed):
            return dict.fromkeys(listed, "")
        return self._meanings(entry, "labels", place, 'labels = { done = "...", begun = "..." }')

    def _meanings(self, entry: Mapping[str, Any], key: str, place: str, shown: str) -> dict[str, str]:
        found = entry.get(key)
        if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
            raise self._wrong(f"{place}.{key}", f"must tell what each verdict means: {shown}")
        return found

    def _example(
        self, entry: Mapping[str, Any], place: str, rubric: Rubric, view: View
    ) -> tuple[Case, Mapping[str, Any]]:
        self._require_known(entry, _EXAMPLE, place)
        if "answer" not in entry:
            raise self._wrong(f"{place}.answer", "is missing: what was answered?")
        pictures = [self._picture(each, f"{place}.picture") for each in self._paths(entry, place)]
        shown: dict[str, Any] = {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}
        inputs = {
            **(shown if pictures else {}),
            **({"question": entry["question"]} if "question" in entry else {}),
        }
        identity = str(entry.get("id", place))
        metadata: dict[str, Any] = {}
        if "reference" in entry:
            if view.reference is None:
                raise self._wrong(f"{place}.reference", "is not shown: name its key in the view, too")
            metadata = _nested(view.reference, self._picture(entry["reference"], f"{place}.reference"))
        case = Case(entry["answer"], entry.get("expected"), inputs, identity, metadata)
        shown_to_judge = material_of(case, case.output, view)
        if isinstance(shown_to_judge, Failure):
            raise self._wrong(place, shown_to_judge.message)
        return case, self._verdict(entry, place, rubric)

    def _verdict(self, entry: Mapping[str, Any], place: str, rubric: Rubric) -> Mapping[str, Any]:
        """As the judge would have to give it: what it is shown it will give."""
        given = entry.get("verdict")
        if not isinstance(given, dict):
            raise self._wrong(
                f"{place}.verdict", f"is missing: write [{place.partition('[')[0]}.verdict.<criterion>]"
            )
        self._require_known(given, {each.name for each in rubric.criteria}, f"{place}.verdict")
        verdict: dict[str, Any] = {}
        for criterion in rubric.criteria:
            part, at = given.get(criterion.name), f"{place}.verdict.{criterion.name}"
            if not isinstance(part, dict) or "verdict" not in part:
                raise self._wrong(at, "is missing: give reason and verdict for each criterion")
            self._require_known(part, {"reason", "verdict", "confidence"}, at)
            said = part["verdict"]
            verdict[criterion.name] = {
                "reason": self._text(part, "reason", at),
                "verdict": ("yes" if said else "no") if isinstance(said, bool) else str(said),
                "confidence": part.get("confidence", "high"),
            }
        read = rubric.scores("example", verdict, {})
        if isinstance(read, Failure) and read.kind is not FailureKind.ABSTAINED:
            raise self._wrong(f"{place}.verdict", read.message)
        return verdict

    def _paths(self, entry: Mapping[str, Any], place: str) -> list[str]:
        given = entry.get("pictures", [entry["picture"]] if "picture" in entry else [])
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise self._wrong(f"{place}.pictures", 'must be a list of paths, e.g. pictures = ["a.jpg"]')
        return given

    def _picture(self, path: str, place: str) -> Image:
        found = self._file.parent / path
        if not found.is_file():
            raise self._wrong(place, f"is {path!r}: there is no file {found}")
        return Image.from_path(found)

    def _tables(self, table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        found = table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._wrong(key, f"must be tables: write [[{key}]] above each")
        return found

    def _text(self, table: Mapping[str, Any], key: str, place: str) -> str:
        at = f"{place}.{key}" if place else key
        found = table.get(key)
        if found is None:
            raise self._wrong(at, "is missing")
        if not isinstance(found, str) or not found.strip():
            raise self._wrong(at, "must be a text")
        return found

    def _require_known(self, table: Mapping[str, Any], known: set[str], place: str) -> None:
        for key in table:
            if key not in known:
                at = f"{place}.{key}" if place else key
                raise self._wrong(at, f"is unknown; there are: {', '.join(sorted(known))}")

    def _made(self, place: str, make: Callable[[], Made]) -> Made:
        try:
            return make()
        except UsageError as error:
            raise self._wrong(place, str(error)) from error

    def _wrong(self, place: str, told: str) -> UsageError:
        return UsageError(f"{self._file}: {place}: {told}")


def _nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    found: dict[str, Any] = value
    return found


def view_of(given: View | Mapping[str, Any]) -> View:
    """A view, also from a table of JSON or TOML.

    Raises:
        UsageError: A key is unknown or its value of another type.

    Example:
        >>> view_of({"expected": True, "max_side": 800}).max_side
        800
    """
    if isinstance(given, View):
        return given
    if not isinstance(given, Mapping):
        raise UsageError(f"a view is a table, e.g. {{ expected = true }}, not {given!r}")
    kinds = {field.name: type(getattr(View(), field.name)) for field in fields(View)}
    for key, value in given.items():
        if key not in kinds:
            raise UsageError(f"a view has no {key!r}; there are: {', '.join(kinds)}")
        # Keys of parts of a case have no default.
        expected = str if kinds[key] is type(None) else kinds[key]
        if type(value) is not expected and not (expected is float and type(value) is int):
            raise UsageError(f"view.{key} is {value!r}: must be of type {expected.__name__}")
    return View(**given)
