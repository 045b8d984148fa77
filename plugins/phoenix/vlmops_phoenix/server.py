"""Phoenix on this machine: a child process with SQLite, free ports and the media middleware."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from vlmops.errors import PlatformUnavailable, PrerequisiteError
from vlmops.media.store import STORE_ENV

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PORT = 6006
_GRPC_PORT = 4317
_PORTS_TRIED = 50
_START_SECONDS = 300.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1
_LOG_TAIL = 2_000


class PhoenixServer:
    """A Phoenix that lives as long as this object; stopping it twice is harmless.

    Attributes:
        url: Its base URL.
        log_file: What it prints.
        data_dir: Holds database, pictures and log.
        media_store: The folder its pictures are in.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, data_dir: Path) -> None:
        self._process = process
        self.url = url
        self.data_dir = data_dir
        self.media_store = _media_store(data_dir)
        self.log_file = _log_file(data_dir)

    @classmethod
    def start(cls, data_dir: Path, port: int | None = None) -> PhoenixServer:
        """Start Phoenix with its data below ``data_dir`` and wait until it answers.

        Args:
            data_dir: Holds database, pictures and log; what is there is used on.
            port: Wanted port; the next free one is taken when it is in use. 6006 when ``None``.

        Raises:
            PrerequisiteError: Phoenix's server is not installed.
            PlatformUnavailable: It ended or did not answer in time; the message holds the end of its log.
        """
        _require_installed()
        data_dir.mkdir(parents=True, exist_ok=True)
        chosen = _free_port(port or DEFAULT_PORT)
        with _log_file(data_dir).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "phoenix.server.main", "serve"],
                env=_environment(data_dir, chosen),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # An interrupt typed at the terminal is for the command, which then stops the server itself.
                start_new_session=True,
            )
        server = cls(process, f"http://127.0.0.1:{chosen}", data_dir)
        try:
            server._wait_until_ready()
        except BaseException:
            server.stop()
            raise
        return server

    def stop(self) -> None:
        """End the process: politely, then not."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self) -> None:
        import httpx

        deadline = time.monotonic() + _START_SECONDS
        with httpx.Client(timeout=5) as http:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise PlatformUnavailable(f"Phoenix ended while starting: {self._log_tail()}")
                with contextlib.suppress(httpx.TransportError):
                    if self._listens() and http.get(f"{self.url}/readyz").is_success:
                        return
                time.sleep(_POLL_SECONDS)
        raise PlatformUnavailable(f"Phoenix did not answer within {_START_SECONDS:.0f} s: {self._log_tail()}")

    def _listens(self) -> bool:
        """Whether this very process serves the port: another may have taken it since it was found free."""
        return f"running on {self.url}" in self.log_file.read_text(errors="replace")

    def _log_tail(self) -> str:
        text = self.log_file.read_text(errors="replace").strip()
        return f"see {self.log_file}\n{text[-_LOG_TAIL:]}"


def _media_store(data_dir: Path) -> Path:
    return data_dir / "media"


def _log_file(data_dir: Path) -> Path:
    return data_dir / "phoenix.log"


def _require_installed() -> None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("arize-phoenix")
    except PackageNotFoundError:
        fix = "pip install 'vlmops[phoenix-server]'"
        raise PrerequisiteError(f"Phoenix's server is not installed: {fix}") from None


def _environment(data_dir: Path, port: int) -> dict[str, str]:
    """The child's environment; of the caller's own Phoenix settings none leaks in."""
    from vlmops_phoenix.middleware import middleware_path

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHOENIX_", "OTEL_"))}
    return {
        **kept,
        "PHOENIX_WORKING_DIR": str(data_dir.resolve()),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(_free_port(_GRPC_PORT)),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        # Neither is needed here, and without a network each costs seconds of waiting at the start.
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        "PHOENIX_FASTAPI_MIDDLEWARE_PATHS": middleware_path(),
        STORE_ENV: str(_media_store(data_dir).resolve()),
    }


def _free_port(wanted: int) -> int:
    """``wanted`` if nothing listens there, else the next free one, else any."""
    for port in (*range(wanted, wanted + _PORTS_TRIED), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PlatformUnavailable("no free port was found on this machine")
