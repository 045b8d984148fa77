"""From HTTP to the project's handlers and back: body limits, keys, routes, faults, the log."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from . import (
    annotation_queues,
    comments,
    dataset_items,
    datasets,
    evaluators,
    experiments,
    ingestion,
    legacy,
    media,
    metrics,
    observation_list,
    otlp,
    prompts,
    score_configs,
    score_list,
    scores,
)
from .exchange import Call, Reply, Route
from .jsonb import parse_json
from .problems import ProblemError
from .request_log import UNKNOWN_ROUTE, LoggedRequest, RequestLog

if TYPE_CHECKING:
    from .faults import Fault, FaultPlan
    from .project import Project

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Abort = Callable[[Message], Awaitable[None]]

_LIMITS = {"1mb": 1_048_576, "4.5mb": 4_718_592, "64mb": 67_108_864}
_OTLP = "/api/public/otel/v1/traces"
_HTML_404 = "<!DOCTYPE html><html><head><title>404: This page could not be found</title></head></html>"


def _health(project: Project, _: Call) -> Reply:
    return Reply({"status": "OK", "version": project.version})


def _projects(project: Project, _: Call) -> Reply:
    organization = {"id": "org-test", "name": "Test_Org"}
    shown = {"id": project.id, "name": "Test_Project", "organization": organization, "metadata": {}}
    return Reply({"data": [shown]})


_HEALTH = Route("GET", "/api/public/health", _health)
ROUTES = [
    _HEALTH,
    Route("GET", "/api/public/projects", _projects),
    *datasets.ROUTES,
    *dataset_items.ROUTES,
    *media.ROUTES,
    *otlp.ROUTES,
    *observation_list.ROUTES,
    *experiments.ROUTES,
    *scores.ROUTES,
    *score_list.ROUTES,
    *score_configs.ROUTES,
    *ingestion.ROUTES,
    *prompts.ROUTES,
    *evaluators.ROUTES,
    *comments.ROUTES,
    *annotation_queues.ROUTES,
    *metrics.ROUTES,
    *legacy.ROUTES,
]


_BY_SHAPE: dict[tuple[str, int], list[Route]] = {}
for _route in ROUTES:
    _BY_SHAPE.setdefault((_route.method, _route.template.count("/")), []).append(_route)


def _check_key(project: Project, route: Route, call: Call) -> None:
    """Refuse a wrong or missing key, in the words of the route's family."""
    if route is _HEALTH:
        return
    header = call.headers.get("authorization")
    if header is None:
        raise _unauthorized(route, "No authorization header")
    scheme, _, credentials = header.partition(" ")
    if scheme == "Bearer":
        if credentials != project.public_key:
            raise _unauthorized(
                route, "Invalid credentials. Confirm that you've configured the correct host."
            )
        if route.name != "POST /api/public/scores":
            message = "Access denied - insufficient permissions for this endpoint"
            raise ProblemError(403, {"message": message})
        return
    if scheme != "Basic":
        raise _unauthorized(route, "Invalid authorization header")
    expected = base64.b64encode(f"{project.public_key}:{project.secret_key}".encode()).decode()
    if credentials != expected:
        raise _unauthorized(route, "Invalid credentials. Confirm that you've configured the correct host.")


def _unauthorized(route: Route, message: str) -> ProblemError:
    named = route.template.startswith(("/api/public/v2/prompts", "/api/public/ingestion"))
    return ProblemError(401, {"message": message, **({"error": "UnauthorizedError"} if named else {})})


def _read_body(route: Route, call: Call) -> None:
    if len(call.data) > _LIMITS[route.body_limit]:
        raise ProblemError(413, f"Body exceeded {route.body_limit} limit")
    if route.template == _OTLP:
        return
    try:
        call.body = parse_json(call.data) if call.data else {}
    except ValueError:
        raise ProblemError(400, "Invalid JSON") from None


def _wrong_method(raw_path: str) -> ProblemError:
    if not any(route.match(raw_path) is not None for route in ROUTES):
        return ProblemError(404, _HTML_404, {"content-type": "text/html; charset=utf-8"})
    named = not raw_path.startswith("/api/public/projects")
    error = {"error": "MethodNotAllowedError"} if named else {}
    return ProblemError(405, {"message": "Method not allowed", **error})


@dataclass
class Api:
    """The public API of one project."""

    project: Project

    def route_of(self, method: str, raw_path: str) -> Route | None:
        """The route of a request; static segments win over parameters."""
        candidates = _BY_SHAPE.get((method, raw_path.count("/")), ())
        fitting = [each for each in candidates if each.match(raw_path) is not None]
        return min(fitting, key=lambda each: each.template.count("{"), default=None)

    def name_of(self, call: Call, raw_path: str) -> str:
        """The name under which the log counts a request."""
        route = self.route_of(call.method, raw_path)
        return UNKNOWN_ROUTE if route is None else route.name

    def handle(self, call: Call, raw_path: str) -> Reply:
        """Answer a request."""
        route = self.route_of(call.method, raw_path)
        if route is None:
            raise _wrong_method(raw_path)
        _read_body(route, call)
        _check_key(self.project, route, call)
        call.parameters = route.match(raw_path) or {}
        return route.handler(self.project, call)


@dataclass
class ObjectStore:
    """The bucket's own port."""

    project: Project

    def name_of(self, call: Call, _: str) -> str:
        """The name under which the log counts a request."""
        return f"{call.method} bucket"

    def handle(self, call: Call, _: str) -> Reply:
        """Answer a request."""
        return self.project.bucket.handle(call)


@dataclass
class Gateway:
    """An ASGI application around an API or a bucket.

    `abort` closes the connection of a request without an answer; the server sets it.
    """

    target: Api | ObjectStore
    log: RequestLog
    faults: FaultPlan
    latency_ms: int
    abort: Abort | None = field(default=None)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        call = await _call(scope, receive)
        raw_path = scope["raw_path"].decode("ascii")
        entry = _entry(call, self.target.name_of(call, raw_path))
        self.log.begin(entry)
        try:
            await self._answer(call, raw_path, entry, scope, send)
        finally:
            self.log.end(entry)

    async def _answer(
        self, call: Call, raw_path: str, entry: LoggedRequest, scope: Message, send: Send
    ) -> None:
        request = raw_path.encode() + scope["query_string"] + call.data
        faults = self.faults.strikes(entry.route, request)
        delay = self.latency_ms + sum(fault.delay_ms for fault in faults)
        if delay:
            await asyncio.sleep(delay / 1000)
        fault = next((each for each in faults if each.kind != "slow"), None)
        if fault is not None and fault.kind == "refuse" and self.abort is not None:
            await self.abort(scope)
            return
        reply = self._reply(call, raw_path, fault)
        entry.status, entry.body = reply.status, call.body
        await _send(reply, send, cut=fault is not None and fault.kind == "disconnect")

    def _reply(self, call: Call, raw_path: str, fault: Fault | None) -> Reply:
        if fault is not None and fault.kind == "answer":
            return Reply(fault.body, fault.status, dict(fault.headers))
        try:
            reply = self.target.handle(call, raw_path)
        except ProblemError as problem:
            reply = Reply(problem.body, problem.status, problem.headers)
        except Exception as crash:  # noqa: BLE001 - any fault of the test server's own is shown to the test
            self.log.crashes.append(crash)
            reply = Reply({"message": "Internal Server Error", "error": "InternalServerError"}, 500)
        if fault is not None and fault.kind == "late_answer":
            return Reply(fault.body, fault.status, dict(fault.headers))
        return reply


async def _call(scope: Message, receive: Receive) -> Call:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode("ascii"), keep_blank_values=True)
    return Call(scope["method"], scope["path"], headers, query, b"".join(parts))


def _entry(call: Call, route: str) -> LoggedRequest:
    headers = {key: value for key, value in call.headers.items() if key != "authorization"}
    return LoggedRequest(call.method, call.path, route, call.query, headers, None, len(call.data))


async def _send(reply: Reply, send: Send, *, cut: bool) -> None:
    """Send an answer; `cut` leaves out its second half, so that the server closes the connection."""
    data, content_type = _encoded(reply.body)
    headers = {"content-length": str(len(data)), **({"content-type": content_type} if content_type else {})}
    headers |= {key.lower(): value for key, value in reply.headers.items()}
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    body = data[: len(data) // 2] if cut else data
    await send({"type": "http.response.body", "body": body, "more_body": cut})


def _encoded(body: Any) -> tuple[bytes, str | None]:
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode(), "application/json; charset=utf-8"
