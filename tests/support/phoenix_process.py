"""A real Phoenix server in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN_EMAIL = "admin@localhost"
ADMIN_PASSWORD = "correct-horse-battery-1"
_SECRET = "an-integration-test-secret-0123456789abcdef"
_START_LIMIT_S = 280.0
_ANSWER_LIMIT_S = 60.0
"""An answer takes a fifth of a second, but seconds where the tests of all workers keep a server busy."""


@dataclass(frozen=True)
class PhoenixAddress:
    """Where a Phoenix is, and what it keeps where.

    Attributes:
        port: Of HTTP.
        grpc_port: Of traces over gRPC.
        data_dir: Holds the database.
        media_store: Holds the pictures.
        log_file: What it writes.
        auth: Whether users must log in.
    """

    port: int
    grpc_port: int
    data_dir: str
    media_store: str
    log_file: str
    auth: bool


class Phoenix:
    """A running Phoenix, whoever has started it."""

    def __init__(self, address: PhoenixAddress) -> None:
        self.address = address
        self.port, self.grpc_port = address.port, address.grpc_port
        self.data_dir, self.log_file = Path(address.data_dir), Path(address.log_file)
        self.media_store, self.auth = address.media_store, address.auth
        self.admin_password = ADMIN_PASSWORD
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self.log_file.read_text(errors="replace")

    def get(self, path: str, **options: Any) -> httpx.Response:
        """What it answers; with the options of ``httpx.get``."""
        return httpx.get(self.url + path, timeout=_ANSWER_LIMIT_S, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """What it answers; with the options of ``httpx.post``."""
        return httpx.post(self.url + path, timeout=_ANSWER_LIMIT_S, **options)

    @contextmanager
    def log_in(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> Iterator[httpx.Client]:
        """A client that holds the session cookies of a user, as a browser would."""
        with httpx.Client(base_url=self.url, timeout=_ANSWER_LIMIT_S) as client:
            client.post("/auth/login", json={"email": email, "password": password}).raise_for_status()
            yield client

    def create_api_key(self, name: str = "tests") -> str:
        """A new system API key, made by the admin."""
        mutation = (
            "mutation Key($name: String!) { createSystemApiKey(input: {name: $name}) { jwt apiKey { id } } }"
        )
        with self.log_in() as client:
            answer = client.post("/graphql", json={"query": mutation, "variables": {"name": name}})
        return str(answer.raise_for_status().json()["data"]["createSystemApiKey"]["jwt"])


class PhoenixProcess(Phoenix):
    """Phoenix on free ports, with its data below one folder.

    Args:
        folder: Holds the database, the log and, unless ``media_store`` says otherwise, the pictures.
        auth: Whether users must log in.
        root_path: ``PHOENIX_HOST_ROOT_PATH``, e.g. ``/phoenix``.
        media_store: What ``VLMOPS_MEDIA_STORE`` names; by default the folder ``media``.
        env: Further environment variables; ``None`` as value removes one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        auth: bool = False,
        root_path: str = "",
        media_store: str | Path | None = None,
        env: dict[str, str | None] | None = None,
    ) -> None:
        data_dir, log_file = folder / "data", folder / "phoenix.log"
        data_dir.mkdir(parents=True, exist_ok=True)
        store = str(media_store or folder / "media")
        super().__init__(PhoenixAddress(*_free_ports(2), str(data_dir), store, str(log_file), auth))
        self._environment = self._make_environment(root_path, env or {})
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "phoenix.server.main", "serve"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; safe to call twice."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _make_environment(self, root_path: str, extra: dict[str, str | None]) -> dict[str, str]:
        from vlmops_phoenix.middleware import middleware_path

        # Without cached bytecode, Phoenix compiles its thousands of modules anew at every start.
        foreign = ("PHOENIX_", "VLMOPS_", "OTEL_", "PYTHONDONTWRITEBYTECODE")
        environment: dict[str, str | None] = {
            name: value for name, value in os.environ.items() if not name.startswith(foreign)
        }
        environment |= {
            "PHOENIX_WORKING_DIR": str(self.data_dir),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(self.grpc_port),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_RATE_LIMIT": "true",
            "PHOENIX_FASTAPI_MIDDLEWARE_PATHS": middleware_path(),
            "VLMOPS_MEDIA_STORE": self.media_store,
        }
        if root_path:
            environment["PHOENIX_HOST_ROOT_PATH"] = root_path
        if self.auth:
            environment |= {
                "PHOENIX_ENABLE_AUTH": "true",
                "PHOENIX_SECRET": _SECRET,
                "PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD": ADMIN_PASSWORD,
            }
        environment |= extra
        return {name: value for name, value in environment.items() if value is not None}

    def _wait_until_ready(self) -> None:
        limit = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < limit:
            if (code := self._process.poll()) is not None:
                raise RuntimeError(f"Phoenix ended at its start with exit code {code}:\n{self.log[-4000:]}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"Phoenix was not ready after {_START_LIMIT_S:.0f} s:\n{self.log[-4000:]}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
