"""Media records: declared by POST, uploaded to the bucket, confirmed by PATCH."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import is_time, iso, parse_time
from .exchange import Call, Reply, Route
from .problems import (
    MISSING,
    bad_format,
    bad_time,
    invalid,
    no_union_branch,
    not_one_of,
    out_of_range,
    refused,
    require_object,
    wrong_type,
)

if TYPE_CHECKING:
    from .project import Project

LARGEST_MEDIA = 1_000_000_000

_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/svg+xml": "svg",
    "image/tiff": "tiff",
    "image/bmp": "bmp",
    "image/avif": "avif",
    "image/heic": "heic",
}
_OTHER_TYPES = [
    "audio/mpeg",
    "audio/mp3",
    "audio/wav",
    "audio/ogg",
    "audio/oga",
    "audio/aac",
    "audio/mp4",
    "audio/flac",
    "audio/opus",
    "audio/webm",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/mpeg",
    "video/quicktime",
    "video/x-msvideo",
    "video/x-matroska",
    "text/plain",
    "text/html",
    "text/css",
    "text/csv",
    "text/markdown",
    "text/x-python",
    "application/javascript",
    "text/x-typescript",
    "application/x-yaml",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "application/json",
    "application/xml",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/rtf",
    "application/x-ndjson",
    "application/vnd.apache.parquet",
    "application/gzip",
    "application/x-tar",
    "application/x-7z-compressed",
]
MEDIA_TYPES = [*_EXTENSIONS, *_OTHER_TYPES]

_HASH = re.compile(r"[A-Za-z0-9+/=]{44}")
_UNION_MESSAGE = (
    "Provide either traceId with field input/output/metadata, "
    "or datasetId + datasetItemId with field input/expectedOutput/metadata."
)


@dataclass
class MediaRecord:
    """What the project knows about one content: id, declared type and length, state of the upload, links.

    `links` holds every target the media was declared for, as the POST named it.
    """

    media_id: str
    sha256: str
    content_type: str
    content_length: int
    upload_status: int | None = None
    upload_error: str = ""
    uploaded_at: int | None = None
    links: list[dict[str, Any]] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether the upload was confirmed, so that items may name it."""
        return self.upload_status in {200, 201}


class MediaStore:
    """The media of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.records: dict[str, MediaRecord] = {}

    def object_path(self, record: MediaRecord) -> str:
        """Where the bytes lie in the bucket; the extension follows the declared type."""
        extension = _EXTENSIONS.get(record.content_type, record.content_type.split("/")[1])
        return f"/langfuse/media/{self._project.id}/{record.media_id}.{extension}"

    def described(self, record: MediaRecord) -> dict[str, Any]:
        """The media as an item's `mediaReferences` show it."""
        bucket = self._project.bucket
        return {
            "mediaId": record.media_id,
            "contentType": record.content_type,
            "contentLength": record.content_length,
            "url": bucket.download_url(self.object_path(record)),
            "urlExpiry": iso(self._project.clock.now() + bucket.lifetime_ms),
        }


def _field_issues(body: dict[str, Any], names: list[str]) -> list[dict[str, Any]]:
    return [] if body.get("field") in names else [not_one_of(names, "field")]


def _file_issues(body: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Issues of the file's own fields: those that rule a branch out, and those that do not."""
    hard: list[dict[str, Any]] = []
    soft: list[dict[str, Any]] = []
    if body.get("contentType") not in MEDIA_TYPES:
        issue = not_one_of(MEDIA_TYPES, "contentType")
        issue["message"] = f"Invalid content type. Only supporting {', '.join(MEDIA_TYPES)}"
        hard.append(issue)
    length = body.get("contentLength", MISSING)
    if isinstance(length, bool) or not isinstance(length, int):
        hard.append(wrong_type("number", length, "contentLength"))
    elif length < 1:
        soft.append(out_of_range(1, "contentLength", big=False))
    digest = body.get("sha256Hash", MISSING)
    if not isinstance(digest, str):
        hard.append(wrong_type("string", digest, "sha256Hash"))
    elif not _HASH.fullmatch(digest):
        message = "Must be a 44 character base64 encoded SHA-256 hash"
        soft.append(bad_format("/^[A-Za-z0-9+/=]{44}$/", message, "sha256Hash"))
    return hard, soft


def _needs_text(body: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return [
        wrong_type("string", body.get(name, MISSING), name)
        for name in names
        if not isinstance(body.get(name), str)
    ]


def _needs_null(body: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return [wrong_type("null", body[name], name) for name in names if body.get(name) is not None]


def _check_declaration(body: dict[str, Any]) -> None:
    """Refuse a body that fits neither a trace's media nor an item's, with the issues of each reading."""
    hard, soft = _file_issues(body)
    trace = [
        *hard,
        *_needs_text(body, "traceId"),
        *_field_issues(body, ["input", "output", "metadata"]),
        *_needs_null(body, "datasetId", "datasetItemId"),
    ]
    item = [
        *hard,
        *_needs_text(body, "datasetId", "datasetItemId"),
        *_field_issues(body, ["input", "expectedOutput", "metadata"]),
        *_needs_null(body, "traceId", "observationId"),
    ]
    if trace and item:
        raise invalid(no_union_branch([[*trace, *soft], [*item, *soft]], _UNION_MESSAGE))
    if soft:
        raise invalid(*soft)


def _declare(project: Project, call: Call) -> Reply:
    body = require_object(call.body)
    _check_declaration(body)
    if body["contentLength"] > LARGEST_MEDIA:
        raise refused(f"File size must be less than {LARGEST_MEDIA} bytes")
    dataset_id = body.get("datasetId")
    if dataset_id is not None and project.datasets.by_id(dataset_id) is None:
        raise refused("Failed to get media upload URL", 500)
    digest, content_type = body["sha256Hash"], body["contentType"]
    media_id = digest.replace("+", "-").replace("/", "_")[:22]
    record = project.media.records.get(media_id)
    known = record is not None and record.upload_status == 200 and record.content_type == content_type
    if record is None:
        record = MediaRecord(media_id, digest, content_type, body["contentLength"])
        project.media.records[media_id] = record
    record.content_type, record.content_length = content_type, body["contentLength"]
    targets = ("traceId", "observationId", "datasetId", "datasetItemId", "field")
    record.links.append({name: body[name] for name in targets if body.get(name) is not None})
    url = None if known else _upload_url(project, record)
    return Reply({"uploadUrl": url, "mediaId": media_id}, 201)


def _upload_url(project: Project, record: MediaRecord) -> str:
    return project.bucket.upload_url(
        project.media.object_path(record),
        content_type=record.content_type,
        content_length=record.content_length,
        checksum=record.sha256,
    )


def _confirm(project: Project, call: Call) -> Reply:
    media_id = call.parameters["mediaId"]
    body = require_object(call.body)
    status, uploaded_at = body.get("uploadHttpStatus", MISSING), body.get("uploadedAt", MISSING)
    issues = []
    if not isinstance(uploaded_at, str):
        issues.append(wrong_type("string", uploaded_at, "uploadedAt"))
    elif not is_time(uploaded_at, needs_zone=False):
        issues.append(bad_time("uploadedAt"))
    if isinstance(status, bool) or not isinstance(status, int):
        issues.append(wrong_type("number", status, "uploadHttpStatus"))
    if issues:
        raise invalid(*issues)
    record = project.media.records.get(media_id)
    if record is None:
        raise refused(f"Media asset {media_id} not found in project {project.id}", 404)
    record.upload_status, record.upload_error = status, body.get("uploadHttpError") or ""
    record.uploaded_at = parse_time(uploaded_at, needs_zone=False)
    return Reply({"message": "OK"})


def _read(project: Project, call: Call) -> Reply:
    record = project.media.records.get(call.parameters["mediaId"])
    if record is None:
        raise refused("Media asset not found", 404)
    if record.upload_status is None or record.uploaded_at is None:
        raise refused("Media not yet uploaded", 404)
    if not record.usable:
        status, error = record.upload_status, record.upload_error
        raise refused(f"Media upload failed with status {status}: \n {error}", 404)
    described = project.media.described(record)
    url, expiry = described.pop("url"), described.pop("urlExpiry")
    uploaded_at = iso(record.uploaded_at)
    return Reply({**described, "uploadedAt": uploaded_at, "url": url, "urlExpiry": expiry})


ROUTES = [
    Route("POST", "/api/public/media", _declare),
    Route("GET", "/api/public/media/{mediaId}", _read),
    Route("PATCH", "/api/public/media/{mediaId}", _confirm),
]
