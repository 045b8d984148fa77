"""Fixtures that several test folders share."""

from __future__ import annotations

import gc
import linecache
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from phoenix_process import Phoenix, PhoenixProcess
from shared_phoenix import SharedPhoenix

StartPhoenix = Callable[..., PhoenixProcess]

# Containers often forbid cached bytecode: then each worker rewrites every test module, and each server and
# command that a test starts compiles all that it imports, anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Collection only adds objects, and what it adds stays: searching them for garbage again and again finds none.
gc.disable()

# A shell without job control starts what it puts into the background deaf to Ctrl-C, and so would be every
# command that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    gc.freeze()
    # Most tests leave no garbage in cycles: to look for it as often as usual takes 3 % of all the time.
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    # Each doctest asks whether any file has changed whose lines are kept, and looking for doctests kept all.
    linecache.clearcache()


@pytest.fixture(scope="session")
def start_phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartPhoenix]:
    """Starts a Phoenix server with the arguments of ``PhoenixProcess``; all are stopped at the end."""
    started: list[PhoenixProcess] = []

    def start(**settings: Any) -> PhoenixProcess:
        server = PhoenixProcess(tmp_path_factory.mktemp("phoenix"), **settings)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


_shared: list[SharedPhoenix] = []


def pytest_sessionfinish() -> None:
    # Not in a fixture: the wait for the other workers is no part of this one's last test, nor of its timeout.
    while _shared:
        _shared.pop().close()


def shared_phoenix(tmp_path_factory: pytest.TempPathFactory, name: str, **settings: Any) -> Phoenix:
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    _shared.append(SharedPhoenix(folder / name, **settings))
    return _shared[-1].server


@pytest.fixture(scope="session")
def phoenix_server(tmp_path_factory: pytest.TempPathFactory) -> Phoenix:
    """A Phoenix server without login that serves pictures from a folder; all workers share it."""
    return shared_phoenix(tmp_path_factory, "shared-phoenix")


@pytest.fixture(scope="session")
def phoenix_server_with_auth(tmp_path_factory: pytest.TempPathFactory) -> Phoenix:
    """The same with login."""
    return shared_phoenix(tmp_path_factory, "shared-phoenix-with-login", auth=True)
