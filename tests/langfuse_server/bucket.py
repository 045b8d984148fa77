"""The object store behind signed URLs: it compares signed headers and the checksum of the bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from .exchange import Call, Reply

if TYPE_CHECKING:
    from .clock import Clock

_UPLOAD_HEADERS = ("content-length", "content-type", "host", "x-amz-checksum-sha256")
_DOWNLOAD_HEADERS = ("host",)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class StoredObject:
    """Bytes with the content type they were uploaded as, and an opaque name of their version."""

    data: bytes
    content_type: str
    etag: str


class Bucket:
    """Objects by path, and the signatures that give access to them.

    `url` is the origin of the store's own HTTP port; it is known once the server listens.
    """

    def __init__(self, clock: Clock, *, lifetime_seconds: int) -> None:
        self.url = ""
        self.objects: dict[str, StoredObject] = {}
        self._clock = clock
        self._lifetime = lifetime_seconds
        self._key = b"test server"

    @property
    def lifetime_ms(self) -> int:
        """How long a signed URL lives, in milliseconds."""
        return self._lifetime * 1000

    def upload_url(self, path: str, *, content_type: str, content_length: int, checksum: str) -> str:
        """A URL that accepts exactly these headers with a PUT."""
        headers = {
            "content-length": str(content_length),
            "content-type": content_type,
            "x-amz-checksum-sha256": checksum,
        }
        return self._signed("PUT", path, _UPLOAD_HEADERS, headers, "PutObject")

    def download_url(self, path: str) -> str:
        """A URL for GET."""
        return self._signed("GET", path, _DOWNLOAD_HEADERS, {}, "GetObject")

    def _signed(
        self, method: str, path: str, names: tuple[str, ...], headers: dict[str, str], operation: str
    ) -> str:
        date = datetime.fromtimestamp(self._clock.now() / 1000, tz=UTC).strftime(_STAMP)
        signed = {**headers, "host": self.url.removeprefix("http://")}
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
            "X-Amz-Credential": f"test/{date[:8]}/auto/s3/aws4_request",
            "X-Amz-Date": date,
            "X-Amz-Expires": str(self._lifetime),
            "X-Amz-Signature": self._signature(method, path, date, str(self._lifetime), names, signed),
            "X-Amz-SignedHeaders": ";".join(names),
            "x-id": operation,
        }
        return f"{self.url}{quote(path)}?{urlencode(query)}"

    def _signature(
        self,
        method: str,
        path: str,
        date: str,
        lifetime: str,
        names: tuple[str, ...],
        headers: dict[str, str],
    ) -> str:
        lines = [method, path, date, lifetime, *(f"{name}:{headers.get(name, '')}" for name in names)]
        return hmac.new(self._key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()

    def handle(self, call: Call) -> Reply:
        """Answer a PUT or GET of the store's own port."""
        names = tuple((call.first("X-Amz-SignedHeaders") or "").split(";"))
        date, lifetime = call.first("X-Amz-Date") or "", call.first("X-Amz-Expires") or ""
        expected = self._signature(call.method, call.path, date, lifetime, names, dict(call.headers))
        required = _UPLOAD_HEADERS if call.method == "PUT" else _DOWNLOAD_HEADERS
        if names != required or not hmac.compare_digest(expected, call.first("X-Amz-Signature") or ""):
            return _refusal(403, "SignatureDoesNotMatch", "The signature does not match the request.")
        if self._expired(date, int(lifetime)):
            return _refusal(403, "AccessDenied", "Request has expired")
        return self._put(call) if call.method == "PUT" else self._get(call)

    def _expired(self, date: str, lifetime: int) -> bool:
        signed_at = datetime.strptime(date, _STAMP).replace(tzinfo=UTC).timestamp()
        return self._clock.now() / 1000 > signed_at + lifetime

    def _put(self, call: Call) -> Reply:
        digest = hashlib.sha256(call.data).digest()
        if base64.b64encode(digest).decode() != call.headers["x-amz-checksum-sha256"]:
            message = "The SHA256 you specified did not match the calculated checksum."
            return _refusal(400, "BadDigest", message)
        self.objects[call.path] = StoredObject(
            call.data, call.headers["content-type"], f'"{digest.hex()[:32]}"'
        )
        return Reply(None, 200, {"etag": self.objects[call.path].etag})

    def _get(self, call: Call) -> Reply:
        stored = self.objects.get(call.path)
        if stored is None:
            return _refusal(404, "NoSuchKey", "The specified key does not exist.")
        return Reply(stored.data, 200, {"content-type": stored.content_type, "etag": stored.etag})


def _refusal(status: int, code: str, message: str) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Reply(body, status, {"content-type": "application/xml; charset=utf-8"})
