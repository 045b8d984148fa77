"""OTLP trace exports, protobuf or JSON, as plain spans; and the endpoint that takes them."""

from __future__ import annotations

import base64
import gzip
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .clock import iso
from .exchange import Call, Reply, Route
from .jsonb import parse_json
from .problems import ProblemError

if TYPE_CHECKING:
    from .project import Project

_NEWEST_INGESTION = 4


@dataclass(frozen=True)
class Span:
    """A span with plain attribute values. Times are nanoseconds since 1970, ids lower-case hex."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start: int
    end: int
    attributes: dict[str, Any]
    failed: bool
    status_message: str
    resource: dict[str, Any]
    scope_name: str
    scope_version: str
    scope_attributes: dict[str, Any] = field(default_factory=dict)


def _value(value: dict[str, Any]) -> Any:
    """A plain value from OTLP's tagged one."""
    if "arrayValue" in value:
        return [_value(each) for each in value["arrayValue"].get("values", [])]
    if "kvlistValue" in value:
        return _attributes(value["kvlistValue"].get("values", []))
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), None)


def _attributes(pairs: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {pair["key"]: _value(pair.get("value", {})) for pair in pairs or []}


def _hex_ids(document: dict[str, Any]) -> None:
    """Protobuf's JSON form spells ids in base64; OTLP/JSON spells them in hex."""
    for resource_spans in document.get("resourceSpans", []):
        for scope_spans in resource_spans.get("scopeSpans", []):
            for span in scope_spans.get("spans", []):
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64decode(span[key]).hex()


def _document(call: Call) -> dict[str, Any]:
    data = call.data
    try:
        if call.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        if "json" in call.headers.get("content-type", ""):
            return dict(parse_json(data or b"{}"))
        message = ExportTraceServiceRequest.FromString(data)
    except (ValueError, DecodeError, OSError, EOFError, zlib.error) as error:
        raise ProblemError(400, {"error": "Failed to parse OTLP trace export"}) from error
    document: dict[str, Any] = MessageToDict(message)
    _hex_ids(document)
    return document


def _check_ids(document: dict[str, Any]) -> None:
    spans, scopes, total = [], [], 0
    for resource_spans in document.get("resourceSpans", []):
        for scope_spans in resource_spans.get("scopeSpans", []):
            total += len(scope_spans.get("spans", []))
            bad = [s for s in scope_spans.get("spans", []) if not (s.get("traceId") and s.get("spanId"))]
            spans += bad
            scopes += [scope_spans.get("scope", {}).get("name", "unknown")] if bad else []
    if not spans:
        return
    states = ", ".join(
        f"{key}:{'present' if spans[0].get(key) else 'absent'}" for key in ("traceId", "spanId")
    )
    message = (
        f"Invalid OTLP trace export: {len(spans)} of {total} span(s) cannot be processed ({states}). "
        "traceId and spanId are required on every span, and each must be a string or a byte array. The "
        "entire export was rejected and no spans were ingested. Instrumentation scopes: "
        f"{', '.join(scopes)}. This endpoint accepts OpenTelemetry traces only — if you are exporting "
        "OpenTelemetry logs, point your log exporter elsewhere."
    )
    raise ProblemError(400, {"error": message})


def spans_of(document: dict[str, Any]) -> list[Span]:
    """The spans of an OTLP/JSON document, in the order they were sent."""
    return [
        _span(span, scope_spans.get("scope", {}), _attributes(part.get("resource", {}).get("attributes")))
        for part in document.get("resourceSpans", [])
        for scope_spans in part.get("scopeSpans", [])
        for span in scope_spans.get("spans", [])
    ]


def _span(span: dict[str, Any], scope: dict[str, Any], resource: dict[str, Any]) -> Span:
    status = span.get("status", {})
    return Span(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId") or None,
        name=span.get("name", ""),
        start=int(span.get("startTimeUnixNano", 0)),
        end=int(span.get("endTimeUnixNano", 0)),
        attributes=_attributes(span.get("attributes")),
        failed=status.get("code") in {2, "STATUS_CODE_ERROR"},
        status_message=status.get("message", ""),
        resource=resource,
        scope_name=scope.get("name", ""),
        scope_version=scope.get("version", ""),
        scope_attributes=_attributes(scope.get("attributes")),
    )


def _check_ingestion_version(call: Call) -> None:
    version = call.headers.get("x-langfuse-ingestion-version", "")
    if version.isdigit() and int(version) > _NEWEST_INGESTION:
        message = f'Unsupported x-langfuse-ingestion-version: "{version}". Maximum supported: "4".'
        raise ProblemError(400, {"error": message})


def _job(project: Project, call: Call) -> dict[str, Any]:
    """The description of an internal job that the server answers with; clients look at the status only."""
    now, job = project.clock.now(), "otel-ingestion-job"
    public_key = project.public_key
    return {
        "name": job,
        "data": {
            "id": project.new_uuid(),
            "timestamp": iso(now),
            "name": job,
            "payload": {
                "data": {
                    "fileKey": f"events/otel/{project.id}/{project.new_uuid()}.json",
                    "publicKey": public_key,
                },
                "authCheck": {
                    "validKey": True,
                    "scope": {"projectId": project.id, "accessLevel": "project", "orgId": "org-test"},
                },
                "sdkName": call.headers.get("x-langfuse-sdk-name", "unknown"),
                "sdkVersion": call.headers.get("x-langfuse-sdk-version", "unknown"),
                "ingestionVersion": call.headers.get("x-langfuse-ingestion-version", ""),
            },
        },
        "opts": {
            "attempts": 6,
            "removeOnComplete": True,
            "removeOnFail": 100000,
            "backoff": {"type": "exponential", "delay": 5000},
            "traceparent": f"00-{project.new_uuid().replace('-', '')}-{project.new_uuid()[-12:]}0000-01",
            "baggage": "langfuse.clickhouse.surface=publicapi",
        },
        "id": "1",
        "progress": 0,
        "returnvalue": None,
        "stacktrace": None,
        "priority": 0,
        "attemptsStarted": 0,
        "attemptsMade": 0,
        "stalledCounter": 0,
        "timestamp": now,
        "queueQualifiedName": "bull:otel-ingestion-queue",
    }


def _export(project: Project, call: Call) -> Reply:
    _check_ingestion_version(call)
    document = _document(call)
    _check_ids(document)
    spans = spans_of(document)
    if not spans:
        return Reply({})
    project.observations.take(spans)
    return Reply(_job(project, call))


ROUTES = [Route("POST", "/api/public/otel/v1/traces", _export, body_limit="64mb")]
