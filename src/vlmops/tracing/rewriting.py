"""From a finished span to the one that is exported: pictures stored, references and facts in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vlmops.images.sniff import sniff
from vlmops.tracing.dialect import TracedPicture
from vlmops.tracing.facts import span_facts
from vlmops.tracing.parts import MAX_JSON, PicturePart, parsed, picture_parts
from vlmops.tracing.picture import HELD_PREFIX, FoundPicture, KeptPicture, not_kept
from vlmops.tracing.places import is_picture, role_of
from vlmops.tracing.scanning import Run, replace_runs

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, Status

    from vlmops.tracing.context import TraceContext
    from vlmops.tracing.dialect import Attributes, Dialect
    from vlmops.tracing.picture import Keep

LARGEST = 96 * 1024 * 1024
"""Characters of base64 of the largest picture that is handed to be kept."""

_URL = re.compile(r"(?:https?|s3|gs|gcs|az|abfss?|file|memory)://", re.IGNORECASE)
_PART_MARKS = ("image", "file_uri", "fileUri")
_MAX_DEPTH = 20
_HEADER = 256
_UNSAFE = str.maketrans({'"': "'", "\\": "/", **{chr(code): " " for code in (*range(32), 0x7F)}})


def rewrite(
    span: ReadableSpan, keep: Keep, dialect: Dialect, context: TraceContext | None = None
) -> ReadableSpan:
    """The span as the platform is to get it; the given one is left as it is.

    Every picture in attributes, events, links and the status is handed to ``keep`` once, however often it
    stands in the span, and its reference is written in all its places. JSON stays JSON. Facts are added as
    attributes. A span that there is nothing to do for comes back as the same object.

    Args:
        span: A finished span.
        keep: Stores a picture; called once for each distinct payload, in order of appearance.
        dialect: Where the platform draws pictures and shows facts.
        context: What the application says of itself.
    """
    pictures = _Pictures(keep)
    before = dict(span.attributes or {})
    attributes = pictures.in_attributes(before)
    events = [pictures.in_event(event) for event in span.events]
    links = [pictures.in_link(link) for link in span.links]
    status = pictures.in_status(span.status)
    traced = pictures.traced()
    resource = dict(span.resource.attributes)
    facts = dialect.facts(span_facts(attributes, traced, context, resource))
    attributes = {**dialect.arrange(attributes, traced), **facts}
    if not traced and attributes == before:
        return span
    return _copy(span, attributes, events, links, status)


@dataclass(slots=True)
class _Entry:
    found: FoundPicture
    kept: KeptPicture
    attributes: dict[str, None] = field(default_factory=dict)
    detail: str = ""


class _Pictures:
    """The pictures of one span, each kept once."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._entries: dict[str | bytes, _Entry] = {}
        self._by_reference: dict[str, _Entry] = {}

    def traced(self) -> list[TracedPicture]:
        """One record for each distinct picture; those sent come first."""
        merged: dict[str | bytes, _Entry] = {}
        for key, entry in self._entries.items():
            first = merged.setdefault(entry.kept.facts.sha256 or key, entry)
            first.attributes.update(entry.attributes)
            first.detail = first.detail or entry.detail
        records = [
            TracedPicture(entry.found, entry.kept, tuple(entry.attributes), entry.detail)
            for entry in merged.values()
        ]
        return sorted(records, key=lambda record: record.found.role == "output")

    def in_attributes(self, attributes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        return {name: self._value(value, prefix + name) for name, value in attributes.items()}

    def in_event(self, event: Event) -> Event:
        from opentelemetry.sdk.trace import Event

        before = dict(event.attributes or {})
        after = self.in_attributes(before, f"events.{event.name}.")
        return event if after == before else Event(event.name, after, event.timestamp)

    def in_link(self, link: Link) -> Link:
        from opentelemetry.trace import Link

        before = dict(link.attributes or {})
        after = self.in_attributes(before, "links.")
        return link if after == before else Link(link.context, after)

    def in_status(self, status: Status) -> Status:
        from opentelemetry.trace import Status

        if not status.description:
            return status
        after = self._text(status.description, "status.description")
        return status if after == status.description else Status(status.status_code, after)

    def _value(self, value: Any, attribute: str, depth: int = 0) -> Any:
        if isinstance(value, str):
            return self._text(value, attribute)
        if isinstance(value, bytes):
            return self._bytes(value, attribute)
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            return {key: self._value(each, f"{attribute}.{key}", depth + 1) for key, each in value.items()}
        if depth < _MAX_DEPTH and isinstance(value, Sequence) and _may_hold(value):
            return tuple(self._value(each, attribute, depth + 1) for each in value)
        return value

    def _bytes(self, value: bytes, attribute: str) -> Any:
        return self._reference(value, value, attribute) if sniff(value).is_image else value

    def _text(self, text: str, attribute: str) -> str:
        if text.startswith(HELD_PREFIX):
            # Passed on as the object it is: a placeholder of that type keeps its payload alive.
            return self._reference(text.encode(), text, attribute)
        is_address = _is_data_uri(text) or _URL.match(text)
        if is_address and is_picture(attribute) and HELD_PREFIX not in text[:_HEADER]:
            return self._reference(_key(text), text, attribute)
        text = replace_runs(text, lambda run: self._of_run(run, attribute))
        return self._in_json(text, attribute)

    def _of_run(self, run: Run, attribute: str) -> str:
        if not run.body:
            return "[the rest is left out: it resembles too many pictures]"
        if len(run.body) > LARGEST:
            # Not even its text is made: memory would hold it several times over.
            return self._too_large(run.body, attribute)
        return self._reference(run.body, run.payload, attribute, run.media_type)

    def _in_json(self, text: str, attribute: str) -> str:
        """Addresses of pictures, damaged data URIs and the detail asked for, which only structure tells."""
        if len(text) > MAX_JSON or not any(mark in text for mark in _PART_MARKS):
            return text
        tree = parsed(text)
        for part in picture_parts(tree) if tree is not None else ():
            text = self._in_part(part, text, attribute)
        return text

    def _in_part(self, part: PicturePart, text: str, attribute: str) -> str:
        entry = self._by_reference.get(part.url)
        if entry is None and (_is_data_uri(part.url) or _URL.match(part.url)):
            key = _key(part.url)
            reference = self._reference(key, part.url, attribute, part.media_type)
            entry = self._entries[key]
            if reference != part.url:
                for level in range(3):
                    text = text.replace(_escaped(part.url, level), reference)
        if entry is not None:
            entry.detail = entry.detail or part.detail
            entry.attributes[attribute] = None
        return text

    def _reference(self, key: str | bytes, payload: str | bytes, attribute: str, media_type: str = "") -> str:
        if len(payload) > LARGEST:
            return self._too_large(key, attribute)
        return self._entered(key, FoundPicture(payload, media_type, role_of(attribute), attribute))

    def _too_large(self, key: str | bytes, attribute: str) -> str:
        found = FoundPicture("", "", role_of(attribute), attribute)
        return self._entered(key, found, not_kept(f"larger than {LARGEST // 2**20} MB"))

    def _entered(self, key: str | bytes, found: FoundPicture, kept: KeptPicture | None = None) -> str:
        entry = self._entries.get(key)
        if entry is None:
            kept = kept or self._keep(found)
            kept = replace(kept, reference=kept.reference.translate(_UNSAFE))
            entry = self._entries[key] = _Entry(found, kept)
            self._by_reference.setdefault(kept.reference, entry)
        entry.attributes[found.attribute] = None
        return entry.kept.reference


def _may_hold(value: Sequence[Any]) -> bool:
    """Vectors and lists of numbers, which may be long, are all alike."""
    return bool(value) and isinstance(value[0], str | bytes | Mapping | Sequence)


def _is_data_uri(text: str) -> bool:
    return text[:11].lower() == "data:image/"


def _key(url: str) -> str | bytes:
    """What tells a payload from others: the base64 of a data URI, however it is introduced."""
    if not _is_data_uri(url):
        return url
    _, found, body = url.partition(";base64,")
    return body.encode("utf-8", "surrogatepass") if found else url


def _escaped(url: str, level: int) -> str:
    """As it stands in JSON text within so many other JSON texts."""
    for _ in range(level + 1):
        url = json.dumps(url)[1:-1]
    return url


def _copy(
    span: ReadableSpan,
    attributes: Attributes,
    events: Sequence[Event],
    links: Sequence[Link],
    status: Status,
) -> ReadableSpan:
    from opentelemetry.attributes import BoundedAttributes
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util import BoundedList

    bounded = BoundedAttributes(None, attributes, immutable=True)
    bounded.dropped = span.dropped_attributes
    kept_events: BoundedList[Event] = BoundedList(len(events))
    kept_events.extend(events)
    kept_events.dropped = span.dropped_events
    kept_links: BoundedList[Link] = BoundedList(len(links))
    kept_links.extend(links)
    kept_links.dropped = span.dropped_links
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=bounded,
        events=kept_events,
        links=kept_links,
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
