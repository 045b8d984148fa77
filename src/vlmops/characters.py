r"""Halves of characters: JSON may spell one, no file and no request can hold it.

JSON writes characters past Unicode's first 65,536 as two escapes (``\ud83d\ude00``). A model that breaks off
between them leaves the first, which Python keeps as a lone surrogate and refuses to write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

from vlmops.field_names import field_names
from vlmops.json_values import LEAVES, OBJECTS

T = TypeVar("T")


def is_unicode(text: str) -> bool:
    r"""Whether it can be written as UTF-8: whether it holds no half of a character.

    Example:
        >>> is_unicode("Größe"), is_unicode("cut \ud83d")
        (True, False)
    """
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole(tree: Any) -> Any:
    r"""The same JSON with U+FFFD, the replacement character, for each half of a character, in keys as well.

    Two halves that belong together become the character. What holds none is given back itself, not as a copy;
    pictures and what else JSON does not know stay as they are.

    Example:
        >>> whole({"said": ["cut \ud83d"]}) == {"said": ["cut \ufffd"]}
        True
        >>> whole("\ud83d" + "\ude00")
        '😀'
    """
    return _mended(tree) if _is_broken(tree) else tree


def whole_record(record: T) -> T:
    r"""The same dataclass with whole characters in each field; what is no dataclass stays as it is.

    Example:
        >>> from vlmops.evaluators import Score
        >>> whole_record(Score("polite", True, "It smiles: \ud83d")).explanation == "It smiles: \ufffd"
        True
    """
    changed = {}
    for name in field_names(type(record)):
        value = getattr(record, name)
        if _is_broken(value):
            changed[name] = _mended(value)
    return cast("T", replace(cast("Any", record), **changed)) if changed else record


def _is_broken(tree: Any) -> bool:
    if isinstance(tree, str):
        return not is_unicode(tree)
    if type(tree) in LEAVES:
        return False
    if isinstance(tree, OBJECTS):
        return any(map(_is_broken, tree)) or any(map(_is_broken, tree.values()))
    return isinstance(tree, list | tuple) and any(map(_is_broken, tree))


def _mended(tree: Any) -> Any:
    if isinstance(tree, str):
        # UTF-16 has the halves as they are: it alone joins two of them.
        return tree.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(tree, OBJECTS):
        return {_mended(key): _mended(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_mended(value) for value in tree]
    if isinstance(tree, tuple):
        return tuple(_mended(value) for value in tree)
    return tree
