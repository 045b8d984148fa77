"""A function by name, ``module:function``: of a file in a folder, or of an installed module."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_from_files: dict[str, Path] = {}
"""The modules that were read from files here, and these files."""


def named_function(target: str, folder: Path | None = None) -> Callable[..., Any]:
    """What ``module:function`` names.

    What lies in the folder, a file ``module.py`` or a package, goes before what is installed, and can import
    what lies beside it. Named again, the same file is the same module.

    Args:
        target: The name; ``package.module:Class.method`` as well.
        folder: Where files are looked for; the current one when ``None``.

    Raises:
        UsageError: There is no such module or function, it cannot be imported, or its module's name is that
            of a module that is in use.

    Example:
        >>> named_function("json:dumps")([1])
        '[1]'
    """
    module, separator, name = target.partition(":")
    if not (module and separator and name):
        raise UsageError(f"{target!r} names no function; write 'module:function'")
    try:
        found: Any = _module(module, (Path() if folder is None else folder).resolve())
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"{target!r} cannot be imported: {error}; write 'module:function', of a file in "
            f"{'the current folder' if folder is None else folder.resolve()} or an installed module"
        ) from error
    if not callable(found):
        raise UsageError(f"{target!r} is no function")
    function: Callable[..., Any] = found
    return function


def _module(name: str, folder: Path) -> ModuleType:
    file = folder / f"{name}.py"
    known = sys.modules.get(name)
    if not file.is_file() or (known is not None and _path_of(known) == file):
        with _first_on_path(folder):
            return import_module(name)
    if known is not None and name not in _from_files:
        raise UsageError(
            f"{file} has the name of a module that is in use ({_path_of(known)}): rename the file"
        )
    return _read(name, file)


def _read(name: str, file: Path) -> ModuleType:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no module")
    module = module_from_spec(spec)
    # Dataclasses and pickle look a class's module up by its name.
    sys.modules[name], _from_files[name] = module, file
    try:
        with _first_on_path(file.parent):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name], _from_files[name]
        raise
    return module


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _path_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None
