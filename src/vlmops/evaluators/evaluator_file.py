"""Evaluators as TOML files say them: a name, its parameters, and files that start where the file lies."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlmops.errors import UsageError
from vlmops.evaluators.registry import entries


def load_evaluator(path: Path) -> tuple[str, dict[str, Any]]:
    r"""Name and parameters from a file.

    ::

        use = "panel"
        name = "grounded"
        judges = [
            { use = "judge_grounded", model = "openai:gpt-4.1" },
            { use = "judge", rubric = "grounded.toml", model = "openai:o3" },
        ]

    Raises:
        UsageError: The file cannot be read, or does not say which evaluator it is.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "letters.toml")
        >>> _ = path.write_text('use = "cer"\ncase_sensitive = false')
        >>> load_evaluator(path)
        ('cer', {'case_sensitive': False})
    """
    table = read_table(path, "evaluator")
    use = table.pop("use", None)
    if not isinstance(use, str):
        raise UsageError(f'{path}: use: is missing: name the evaluator, e.g. use = "judge_grounded"')
    return use, rooted(use, table, path.parent)


def read_table(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file that holds one thing, named ``what`` in messages.

    Raises:
        UsageError: It cannot be read, or is no TOML.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "letters.toml")
        >>> _ = path.write_text('use = "cer"')
        >>> read_table(path, "evaluator")
        {'use': 'cer'}
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the {what} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: this is no TOML: {error}") from error


def rooted(use: str, parameters: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The parameters, paths of files among them starting at a folder, also those of evaluators within.

    Args:
        use: Name of the evaluator, which says which of its parameters are paths (``files``) and which hold
            tables of evaluators (``nested``).
        parameters: As a file has them.
        folder: Where relative paths start.

    Example:
        >>> rooted("judge", {"rubric": "tone.toml", "model": "openai:o3"}, Path("judges"))["rubric"]
        'judges/tone.toml'
    """
    found = dict(parameters)
    files, nested = _paths_of(use)
    for name in files:
        if isinstance(found.get(name), str):
            found[name] = str(folder / Path(found[name]).expanduser())
    for name in nested:
        if isinstance(found.get(name), list | tuple):
            found[name] = [_rooted_table(each, folder) for each in found[name]]
    return found


def _rooted_table(table: Any, folder: Path) -> Any:
    if not isinstance(table, Mapping):
        return table
    return rooted(str(table.get("use", "")), table, folder)


def _paths_of(use: str) -> tuple[set[str], set[str]]:
    if use == "pairwise":
        # It compares two answers and is no evaluator; its files are as a judge's.
        return {"rubric", "audit"}, set()
    classes = [each.load() for each in entries() if each.name == use and not each.error]
    files = {name for each in classes for name in getattr(each, "files", ())}
    return files, {name for each in classes for name in getattr(each, "nested", ())}
