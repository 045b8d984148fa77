"""Keeps the OpenInference instrumentor for OpenAI from working through pictures on the application's thread.

The instrumentor reads a request once, in ``_parse_request_args``, and derives everything it records from what
that gives: it copies, serialises and compares base64 of megabytes several times over. Here it is given the
same request with placeholders for pictures, and likewise the files of image edits. The request that the
client sends is not touched, whatever goes wrong here: it never sees what the instrumentor was given.
"""

from __future__ import annotations

import base64
import logging
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vlmops.tracing.held import PAYLOADS
from vlmops.tracing.own_errors import report
from vlmops.tracing.picture import HELD_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from vlmops.tracing.held import HeldPayloads

_MODULE = "openinference.instrumentation.openai._request"
_READ_REQUEST = "_parse_request_args"
_READ_FILES = "get_attributes_from_image_files"
_SHORTEST = 512
"""Characters; a shorter data URI costs less than its placeholder saves."""

_DEEPEST = 64
_FILE_FIELDS = frozenset({"image", "image[]", "mask"})

_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_installed: _Deferral | None = None


def defer_openai_pictures(payloads: HeldPayloads = PAYLOADS) -> bool:
    """Let the OpenAI instrumentor see placeholders; whether it is installed before or after does not matter.

    Returns:
        Whether pictures are deferred now. ``False`` without the instrumentor, or with one that reads requests
        in another way: its spans are then rewritten all the same, at the cost it has by itself.
    """
    global _installed
    with _lock:
        if _installed is not None:
            return True
        try:
            module = import_module(_MODULE)
        except ImportError:
            return False
        if not callable(getattr(module, _READ_REQUEST, None)):
            _logger.info("this version of the OpenAI instrumentor reads requests in a way not known here")
            return False
        _installed = _Deferral(module, payloads)
        return True


def restore_openai_pictures() -> None:
    """Undo :func:`defer_openai_pictures`."""
    global _installed
    with _lock:
        if _installed is not None:
            _installed.remove()
        _installed = None


class _Deferral:
    """Stands before the instrumentor's two readers."""

    def __init__(self, module: ModuleType, payloads: HeldPayloads) -> None:
        self._module = module
        self._payloads = payloads
        self._active = True
        self._put: dict[str, tuple[Any, Any]] = {}
        self._wrap(_READ_REQUEST, self._read_request)
        if callable(getattr(module, _READ_FILES, None)):
            self._wrap(_READ_FILES, self._read_files)

    def remove(self) -> None:
        """Put the originals back; what someone has wrapped since stays in their chain and does nothing."""
        self._active = False
        for name, (original, ours) in self._put.items():
            if getattr(self._module, name, None) is ours:
                setattr(self._module, name, original)

    def _wrap(self, name: str, deferring: Callable[..., Any]) -> None:
        original = getattr(self._module, name)

        def reader(*arguments: Any) -> Any:
            if self._active:
                try:
                    return deferring(original, *arguments)
                except Exception as error:  # noqa: BLE001 - tracing never breaks the application
                    report(_logger, "pictures of a request could not be deferred", error)
            return original(*arguments)

        self._put[name] = (original, reader)
        setattr(self._module, name, reader)

    def _read_request(self, original: Callable[[Any], Any], arguments: Any) -> Any:
        cast_to, parameters, *rest = original(arguments)
        return (cast_to, held_in_tree(parameters, self._payloads), *rest)

    def _read_files(self, original: Callable[[Any], Any], files: Any) -> Iterator[tuple[str, str]]:
        """The reader puts the bytes of a file into a data URI; given a placeholder, it wraps that."""
        pairs = list(files.items()) if isinstance(files, dict) else list(files or ())
        alive: list[str] = []
        small = [self._small(pair, alive) for pair in pairs]
        return iter([(key, self._unwrapped(uri)) for key, uri in original(small)])

    def _small(self, pair: Any, alive: list[str]) -> Any:
        if not (isinstance(pair, tuple) and len(pair) == 2 and pair[0] in _FILE_FIELDS):
            return pair
        name, file = pair
        parts = file if isinstance(file, tuple) and len(file) > 1 else (None, file)
        data = _content(parts[1])
        if data is None or len(data) < _SHORTEST:
            return pair
        placeholder = self._payloads.hold(data)
        alive.append(placeholder)
        return name, (parts[0], placeholder.encode("ascii"), *parts[2:])

    def _unwrapped(self, uri: str) -> str:
        if len(uri) >= _SHORTEST:
            return uri
        text = base64.b64decode(uri.partition(",")[2]).decode("latin-1")
        return (self._payloads.held(text) or text) if text.startswith(HELD_PREFIX) else uri


def held_in_tree(value: Any, payloads: HeldPayloads, depth: int = 0) -> Any:
    """A JSON tree with placeholders for the data URIs of pictures in it; parts without any are shared."""
    if isinstance(value, str):
        return payloads.hold(value) if is_picture_uri(value) else value
    if depth >= _DEEPEST:
        return value
    if isinstance(value, dict):
        made = {key: held_in_tree(each, payloads, depth + 1) for key, each in value.items()}
        return made if any(made[key] is not each for key, each in value.items()) else value
    if isinstance(value, list):
        items = [held_in_tree(each, payloads, depth + 1) for each in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def is_picture_uri(text: str) -> bool:
    """Whether it is a data URI of a picture as a whole; looks at its beginning only.

    Example:
        >>> is_picture_uri("data:image/png;base64," + "A" * 1000)
        True
        >>> is_picture_uri("see data:image/png;base64," + "A" * 1000)
        False
    """
    return len(text) >= _SHORTEST and text[:11].lower() == "data:image/"


def _content(file: Any) -> bytes | None:
    """The bytes of a file as given to the client; a stream is left where it was."""
    if isinstance(file, bytes):
        return file
    if not (callable(getattr(file, "read", None)) and getattr(file, "seekable", lambda: False)()):
        return None
    position = file.tell()
    try:
        file.seek(0)
        data = file.read()
    finally:
        file.seek(position)
    return data if isinstance(data, bytes) else None
