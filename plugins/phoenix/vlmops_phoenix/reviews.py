"""Reviews by people in Phoenix, which has no queues: spans are marked by the annotation ``review``.

What is to be reviewed is found in the list of spans by ``annotations['review'].label == 'requested'``. People
annotate by configs, which are made and assigned to the project of the traces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from vlmops.concurrency import for_each
from vlmops.errors import PlatformError, PlatformUnavailable
from vlmops.platforms.outcome import ItemFailure
from vlmops.platforms.records import TargetedScore
from vlmops.platforms.reviews import REQUESTED, REVIEW, Review, ReviewReport
from vlmops_phoenix.annotation_configs import PhoenixAnnotationConfigs, config_of
from vlmops_phoenix.annotations import score_of
from vlmops_phoenix.scores import IDENTIFIER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from vlmops.platforms.records import Progress, ScoreTarget
    from vlmops.platforms.reviews import ReviewQueue, ReviewRequest
    from vlmops_phoenix.connection import PhoenixConnection

_AT_ONCE = 20
_BATCH = 100
_ANNOTATION = "name label score explanation annotatorKind identifier metadata updatedAt"
_SPAN = f"spanId trace {{ traceId project {{ id name }} }} spanAnnotations {{ {_ANNOTATION} }}"
_QUERIES = {
    "trace": "query($id: String!) { found: getTraceByOtelId(traceId: $id) { "
    f"rootSpan {{ {_SPAN} }} traceAnnotations {{ {_ANNOTATION} }} "
    f"spans(first: 1000) {{ edges {{ node {{ {_SPAN} }} }} }} }} }}",
    "span": f"query($id: String!) {{ found: getSpanByOtelId(spanId: $id) {{ {_SPAN} }} }}",
    "session": "query($id: String!) { found: getProjectSessionById(sessionId: $id) { "
    f"project {{ id name }} sessionAnnotations {{ {_ANNOTATION} }} }} }}",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a target is marked, and what has been said there.

    Attributes:
        route: Of the annotations.
        key: Names the place in them.
        id: The place.
        project: Name and id of the project.
        said: Every annotation about the target.
    """

    route: str
    key: str
    id: str
    project: tuple[str, str]
    said: Sequence[Mapping[str, Any]]

    def mark(self, queue: str) -> Mapping[str, Any] | None:
        """The annotation that requests a review."""
        wanted = (REVIEW, _identifier(queue))
        return next((each for each in self.said if (each["name"], each["identifier"]) == wanted), None)


class PhoenixReviews:
    """Annotations ``review`` on spans, and what people annotate beside them."""

    def __init__(self, connection: PhoenixConnection) -> None:
        self._connection = connection
        self._configs = PhoenixAnnotationConfigs(connection)

    async def request(
        self, queue: ReviewQueue, requests: Sequence[ReviewRequest], progress: Progress | None = None
    ) -> ReviewReport:
        """Mark spans, of a trace its root, by the annotation ``review``; the questions become configs.

        Raises:
            UsageError: Phoenix has an annotation config of a question's name that means something else.
        """
        await self._configs.ensure([config_of(question) for question in queue.questions])
        report = ReviewReport(filter=_filter(queue))
        for start in range(0, len(requests), _BATCH):
            some = await self._request(queue, requests[start : start + _BATCH])
            report = replace(
                report,
                requested=report.requested + some.requested,
                present=report.present + some.present,
                failures=[*report.failures, *some.failures],
                url=report.url or some.url,
            )
            if progress is not None:
                progress(min(start + _BATCH, len(requests)), len(requests))
        return replace(report, url=report.url or self._connection.settings.url)

    async def _request(self, queue: ReviewQueue, requests: Sequence[ReviewRequest]) -> ReviewReport:
        places = await self._places(request.target for request in requests)
        failures: list[ItemFailure] = []
        new: dict[str, tuple[_Place, ReviewRequest]] = {}
        present = 0
        for request in requests:
            place = places.get(request.target)
            if place is None:
                problem = f"Phoenix has no such {request.target.kind} that could be reviewed"
                failures.append(ItemFailure(request.target.id, problem))
            elif place.mark(queue.name) is not None or place.id in new:
                present += 1
            else:
                new[place.id] = (place, request)
        for project in {place.project[0] for place, _ in new.values()}:
            await self._configs.assign(project, [question.name for question in queue.questions])
        marked = 0
        for place, request in new.values():
            try:
                await self._mark(place, queue, request)
                marked += 1
            except PlatformUnavailable:
                raise
            except PlatformError as error:
                failures.append(ItemFailure(request.target.id, str(error)))
        url = next((self._url(place, queue) for place in places.values()), "")
        return ReviewReport(marked, present, failures, url)

    async def read(self, queue: str, targets: Sequence[ScoreTarget]) -> AsyncIterator[Review]:
        """Those of these targets that are marked, with people's annotations of the span and its trace.

        A review is done when people have answered every question.
        """
        for start in range(0, len(targets), _AT_ONCE):
            places = await self._places(targets[start : start + _AT_ONCE])
            for target, place in places.items():
                mark = place.mark(queue)
                if mark is not None:
                    yield _review(target, place, mark)

    async def _mark(self, place: _Place, queue: ReviewQueue, request: ReviewRequest) -> None:
        annotation = {
            place.key: place.id,
            "name": REVIEW,
            "annotator_kind": "CODE",
            "result": {"label": REQUESTED, "explanation": request.why},
            "metadata": {
                "queue": queue.name,
                "rules": list(request.rules),
                "questions": {question.name: question.kind for question in queue.questions},
            },
            "identifier": _identifier(queue.name),
        }
        await self._connection.post(place.route, {"data": [annotation]}, {"sync": "true"})

    async def _places(self, targets: Iterable[ScoreTarget]) -> dict[ScoreTarget, _Place]:
        """The places of the targets that Phoenix knows, a few looked up at once."""
        found: dict[ScoreTarget, _Place] = {}

        async def one(target: ScoreTarget) -> None:
            if target.kind in _QUERIES and target.id:
                answer = await self._connection.graphql(_QUERIES[target.kind], {"id": target.id})
                place = _place(target, answer["found"]) if answer["found"] else None
                if place is not None:
                    found[target] = place

        await for_each(dict.fromkeys(targets), one, limit=_AT_ONCE)
        return found

    def _url(self, place: _Place, queue: ReviewQueue) -> str:
        """The project's spans, already filtered: the page takes its condition from the address."""
        spans = f"{self._connection.settings.url}/projects/{place.project[1]}/spans"
        return f"{spans}?{urlencode({'spanFilterCondition': _filter(queue)})}"


def _identifier(queue: str) -> str:
    """Annotations are replaced by name and identifier: a case may be in several queues."""
    return f"{IDENTIFIER}:{queue}"


def _filter(queue: ReviewQueue) -> str:
    """The condition by which Phoenix lists spans that nobody has reviewed."""
    answered = " and ".join(f"annotations[{question.name!r}]" for question in queue.questions)
    several = len(queue.questions) > 1
    return (
        f"annotations['{REVIEW}'].label == '{REQUESTED}' and not {f'({answered})' if several else answered}"
    )


def _place(target: ScoreTarget, found: Mapping[str, Any]) -> _Place | None:
    if target.kind == "session":
        project = (found["project"]["name"], found["project"]["id"])
        route = "/v1/session_annotations"
        return _Place(route, "session_id", target.id, project, found["sessionAnnotations"])
    said: list[Mapping[str, Any]] = []
    span: Mapping[str, Any] | None = found
    if target.kind == "trace":
        spans = [edge["node"] for edge in found["spans"]["edges"]]
        span = found["rootSpan"] or next(iter(spans), None)
        said = [*found["traceAnnotations"], *(each for node in spans for each in node["spanAnnotations"])]
    elif target.trace_id and found["trace"]["traceId"] != target.trace_id:
        return None
    else:
        said = list(found["spanAnnotations"])
    if span is None:
        return None
    project = span["trace"]["project"]
    names = (project["name"], project["id"])
    return _Place("/v1/span_annotations", "span_id", span["spanId"], names, said)


def _review(target: ScoreTarget, place: _Place, mark: Mapping[str, Any]) -> Review:
    noted = mark.get("metadata") or {}
    kinds: Mapping[str, str] = noted.get("questions") or {}
    answers = [
        answer
        for each in place.said
        if each["annotatorKind"] == "HUMAN" and each["name"] in kinds
        if (answer := _answer(target, each, kinds[each["name"]])) is not None
    ]
    done = {answer.score.name for answer in answers} == set(kinds)
    why, rules = mark.get("explanation") or "", tuple(noted.get("rules") or ())
    return Review(target, done, list(kinds), answers, why, rules)


def _answer(target: ScoreTarget, said: Mapping[str, Any], kind: str) -> TargetedScore | None:
    """A person's annotation; of a label that stands for a number the number, as the question has it."""
    result = {key: said.get(key) for key in ("score", "label", "explanation")}
    if kind == "label":
        result["score"] = None
    score = score_of({"name": said["name"], "result": result, "metadata": said.get("metadata") or {}})
    if score is None or (kind != "label" and isinstance(score.value, str)):
        return None
    if kind == "pass/fail":
        score = replace(score, value=bool(score.value))
    return TargetedScore(target, score, "HUMAN", datetime.fromisoformat(said["updatedAt"]))
