"""Reviews by people in Langfuse's annotation queues.

A queue item knows nothing but what it is about. Why it is there stands in a score ``review`` on the trace, by
which Langfuse's tables can be filtered, and in a comment, which the queue's page shows beside the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vlmops.concurrency import for_each
from vlmops.errors import PlatformError, PlatformUnavailable, UsageError
from vlmops.evaluators import Score
from vlmops.platforms.outcome import ItemFailure
from vlmops.platforms.records import ScoreTarget, TargetedScore
from vlmops.platforms.reviews import REQUESTED, REVIEW, Review, ReviewReport
from vlmops_langfuse.comments import COMMENTED as OBJECT_TYPES
from vlmops_langfuse.connection import LangfuseRefusal
from vlmops_langfuse.score_bodies import from_row
from vlmops_langfuse.score_configs import LangfuseScoreConfigs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from vlmops.platforms.records import Progress
    from vlmops.platforms.reviews import ReviewQueue, ReviewRequest
    from vlmops_langfuse.connection import LangfuseConnection
    from vlmops_langfuse.scores import LangfuseScores

_QUEUES = "/api/public/annotation-queues"
_AT_ONCE = 50
_LONGEST_COMMENT = 4_000
_BAD_REQUEST = 400
_GONE = 404
_CLOCKS_DIFFER = timedelta(minutes=5)
"""Several hosts of one Langfuse may each say when an item was made."""

_Object = tuple[str, str]
"""Type and id of what a queue's item is about."""


@dataclass(slots=True)
class _Listed:
    """What a queue holds.

    Attributes:
        items: Of the objects that were asked for, items by id.
        newest: When the newest item of the queue was made.
    """

    items: dict[_Object, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    newest: datetime | None = None


class LangfuseReviews:
    """Annotation queues of one project."""

    def __init__(self, connection: LangfuseConnection, scores: LangfuseScores) -> None:
        self._connection = connection
        self._scores = scores
        self._configs = LangfuseScoreConfigs(connection)

    async def request(
        self, queue: ReviewQueue, requests: Sequence[ReviewRequest], progress: Progress | None = None
    ) -> ReviewReport:
        """Put cases into an annotation queue; its score configs are made, or reused where they fit.

        Langfuse has no way to ask for the item of a trace: the queue is listed once for all requests, and
        what is new in it once more when they are in it.

        Raises:
            UsageError: A question's name or labels cannot be a score config, one of its name means something
                else, or the queue is there and asks otherwise: the API cannot change a queue.
        """
        queue_id = await self._queue_for(queue)
        url = f"{await self._connection.project_url()}/annotation-queues/{queue_id}"
        failures = [_unreviewable(each.target) for each in requests if each.target.kind not in OBJECT_TYPES]
        possible = [each for each in requests if each.target.kind in OBJECT_TYPES]
        wanted = {_object(each.target): each for each in possible}
        before = await self._listed(queue_id, wanted)
        await self._remove_doubles(queue_id, before)
        new = [each for place, each in wanted.items() if place not in before.items]
        added: set[_Object] = set()
        for start in range(0, len(new), _AT_ONCE):
            batch = new[start : start + _AT_ONCE]
            refused = await self._put(queue_id, queue.name, batch)
            failures += refused.values()
            added |= {_object(each.target) for each in batch if each.target.id not in refused}
            if progress is not None:
                progress(len(requests) - len(new) + start + len(batch), len(requests))
        if added:
            await self._remove_doubles(queue_id, await self._listed(queue_id, added, before.newest))
        elif progress is not None:
            progress(len(requests), len(requests))
        return ReviewReport(len(added), len(possible) - len(new), failures, url)

    async def read(self, queue: str, targets: Sequence[ScoreTarget]) -> AsyncIterator[Review]:
        """Those of these targets that are in the queue, with the scores people gave them.

        A review is done when its item is marked as completed; what people said counts before that, too.
        """
        found = await self._find(queue)
        if found is None:
            return
        wanted = {_object(each): each for each in targets if each.kind in OBJECT_TYPES}
        states: dict[_Object, bool] = {}
        async for item in self._items(found["id"]):
            if (place := _object_of(item)) in wanted:
                states[place] = states.get(place, False) or item["status"] == "COMPLETED"
        asked = await self._configs.names(found["scoreConfigIds"])
        places = list(states)
        for start in range(0, len(places), _AT_ONCE):
            chunk = [wanted[place] for place in places[start : start + _AT_ONCE]]
            rows = await self._rows(chunk)
            for target in chunk:
                own = [row for row in rows if _is_about(row["subject"], target)]
                yield _review(target, states[_object(target)], asked, own, queue)

    async def _queue_for(self, queue: ReviewQueue) -> str:
        configs = [await self._configs.fitting(question) for question in queue.questions]
        found = await self._find(queue.name)
        if found is None:
            body = {
                "name": queue.name,
                "description": queue.description or None,
                "scoreConfigIds": configs,
            }
            try:
                return str((await self._connection.post(_QUEUES, body))["id"])
            except LangfuseRefusal as error:
                # Another process made it since we looked, or our own first attempt did.
                found = await self._find(queue.name) if error.status == _BAD_REQUEST else None
                if found is None:
                    raise
        # Two processes may each have made a config of the same meaning: one is as good as the other.
        lacking = await self._configs.lacking(found["scoreConfigIds"], queue.questions)
        if lacking:
            there = ", ".join(await self._configs.names(found["scoreConfigIds"]))
            raise UsageError(
                f"the annotation queue {queue.name!r} asks {there}, not {', '.join(lacking)}: add it in "
                "Langfuse (Human Annotation, the queue's menu), or name another queue"
            )
        return str(found["id"])

    async def _find(self, name: str) -> Mapping[str, Any] | None:
        async for page in self._connection.numbered_pages(_QUEUES, {}):
            for queue in page:
                if queue["name"] == name:
                    return queue
        return None

    async def _items(self, queue_id: str) -> AsyncIterator[Mapping[str, Any]]:
        """Newest first; one that moves to the next page meanwhile comes twice."""
        async for page in self._connection.numbered_pages(f"{_QUEUES}/{queue_id}/items", {}):
            for item in page:
                yield item

    async def _listed(
        self, queue_id: str, wanted: Collection[_Object], since: datetime | None = None
    ) -> _Listed:
        """The items of these objects; with ``since``, of pages with older items no more are read."""
        listed = _Listed()
        async for item in self._items(queue_id):
            made = datetime.fromisoformat(item["createdAt"])
            if since is not None and made < since - _CLOCKS_DIFFER:
                break
            listed.newest = max(listed.newest or made, made)
            if (place := _object_of(item)) in wanted:
                listed.items.setdefault(place, {})[item["id"]] = item
        return listed

    async def _put(
        self, queue_id: str, queue: str, requests: Sequence[ReviewRequest]
    ) -> dict[str, ItemFailure]:
        """Say why, and only then add the items, so that no reviewer sees one without; failures by id."""
        report = await self._scores.write([_marked(queue, each) for each in requests])
        refused = {failure.id: failure for failure in report.failures}

        async def one(request: ReviewRequest) -> None:
            if request.target.id in refused:
                return
            kind, identity = _object(request.target)
            try:
                await self._scores.comment(request.target, _comment(queue, request))
                body = {"objectId": identity, "objectType": kind}
                await self._connection.post(f"{_QUEUES}/{queue_id}/items", body)
            except PlatformUnavailable:
                raise
            except PlatformError as error:
                refused[identity] = ItemFailure(identity, str(error))

        await for_each(requests, one, limit=_AT_ONCE)
        return refused

    async def _remove_doubles(self, queue_id: str, listed: _Listed) -> None:
        """Langfuse takes an item twice: from two processes, or when its answer to the first was lost."""
        for doubles in listed.items.values():
            oldest = min(doubles.values(), key=lambda item: (item["createdAt"], item["id"]))
            for item in doubles.values():
                if item["id"] != oldest["id"] and item["status"] == "PENDING":
                    await self._delete(f"{_QUEUES}/{queue_id}/items/{item['id']}")

    async def _delete(self, path: str) -> None:
        try:
            await self._connection.delete(path)
        except LangfuseRefusal as error:
            # The other process found the same doubles.
            if error.status != _GONE:
                raise

    async def _rows(self, targets: Sequence[ScoreTarget]) -> list[dict[str, Any]]:
        traces = sorted({each.trace_id or each.id for each in targets if each.kind != "session"})
        rows = await self._scores.rows(traces)
        sessions = [each.id for each in targets if each.kind == "session"]
        if sessions:
            rows += await self._scores.rows(sessions, of="sessionId")
        return rows


@dataclass(frozen=True, slots=True)
class _Note:
    """What the score ``review`` says of one queue."""

    why: str
    rules: tuple[str, ...]


def _marked(queue: str, request: ReviewRequest) -> TargetedScore:
    # Metadata of a score merge by key: another queue's reason stays.
    note = {_key(queue): {"why": request.why, "rules": list(request.rules)}}
    score = Score(REVIEW, REQUESTED, request.why, "none", None, note)
    return TargetedScore(request.target, score)


def _comment(queue: str, request: ReviewRequest) -> str:
    content = f"Sent to review ({queue}): {request.why}"
    return content if len(content) <= _LONGEST_COMMENT else content[: _LONGEST_COMMENT - 1] + "…"


def _key(queue: str) -> str:
    return f"queue {queue}"


def _review(
    target: ScoreTarget, done: bool, asked: Sequence[str], rows: Sequence[Mapping[str, Any]], queue: str
) -> Review:
    note = _Note("", ())
    answers = []
    for row in rows:
        if row["name"] == REVIEW and isinstance(
            said := (row.get("metadata") or {}).get(_key(queue)), Mapping
        ):
            note = _Note(str(said.get("why", "")), tuple(said.get("rules") or ()))
        elif row["source"] == "ANNOTATION" and row["name"] in asked and row.get("value") is not None:
            # A person who thinks again leaves the timestamp as it was.
            moment = datetime.fromisoformat(row["updatedAt"])
            answers.append(TargetedScore(target, from_row(row), "HUMAN", moment))
    return Review(target, done, asked, answers, note.why, note.rules)


def _is_about(subject: Mapping[str, Any], target: ScoreTarget) -> bool:
    if target.kind == "trace":
        return target.id in (subject.get("traceId"), subject["id"])
    if target.kind == "span" and subject["kind"] == "observation":
        return (subject["traceId"], subject["id"]) == (target.trace_id, target.id)
    return target.kind == subject["kind"] and bool(subject["id"] == target.id)


def _object(target: ScoreTarget) -> _Object:
    return OBJECT_TYPES[target.kind], target.id


def _object_of(item: Mapping[str, Any]) -> _Object:
    return item["objectType"], item["objectId"]


def _unreviewable(target: ScoreTarget) -> ItemFailure:
    return ItemFailure(target.id, f"a {target.kind} cannot be in an annotation queue: request its traces")
