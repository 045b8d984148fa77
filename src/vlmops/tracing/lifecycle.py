"""The two moments a process does not announce: a fork, and its end."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def after_fork(method: Callable[[], None]) -> None:
    """Have a method called in every forked child, as long as its object lives.

    It must replace all locks: a thread that held one in the parent does not exist in the child.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_weakly(method))


def at_exit(method: Callable[[], None]) -> Callable[[], None]:
    """Have a method called when the interpreter ends normally, if its object still lives.

    Returns:
        Takes the registration back.
    """
    call = _weakly(method)
    atexit.register(call)
    return lambda: atexit.unregister(call)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    weak = weakref.WeakMethod(method)

    def call() -> None:
        found = weak()
        if found is not None:
            found()

    return call
