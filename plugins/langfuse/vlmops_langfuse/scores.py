"""Scores on Langfuse: written under fixed ids, and read back to be sure.

A server before 4.59 refuses lists; any server may answer "accepted" and drop a score that contradicts its
config. Only what can be read back counts as written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vlmops.concurrency import for_each
from vlmops.errors import ImageError, MediaError, PlatformError, PlatformUnavailable, UsageError
from vlmops.platforms.outcome import ItemFailure, ScoreReport
from vlmops_langfuse.comments import COMMENTED, LangfuseComments
from vlmops_langfuse.connection import LangfuseConnection, LangfuseRefusal
from vlmops_langfuse.media import LangfuseMedia
from vlmops_langfuse.media_upload import MediaTarget
from vlmops_langfuse.score_bodies import holds, score_id, to_body, typed
from vlmops_langfuse.score_configs import CONFIGS, LangfuseScoreConfigs, require_name
from vlmops_langfuse.targets import LangfuseTargets
from vlmops_langfuse.waiting import until

if TYPE_CHECKING:
    from vlmops.evaluators import Score
    from vlmops.images import Image
    from vlmops.platforms.records import ScoreTarget, TargetedScore

_AT_ONCE = 50
_LARGEST_REQUEST = 900_000
_BAD_REQUEST = 400
_MULTI_STATUS = 207
_EVIDENCE = "evidence"
_INDEX = re.compile(r"index (\d+)\b:?\s*(.*)", re.DOTALL)


@dataclass
class _Written:
    """A score on its way: what was sent, and what is known of its fate."""

    item: TargetedScore
    body: dict[str, Any]
    problem: str = ""

    @property
    def failure(self) -> ItemFailure:
        return ItemFailure(self.item.target.id, f"{self.item.score.name}: {self.problem}")


class LangfuseScores:
    """Scores on observations (spans), traces, sessions and runs (whole experiments) of one project."""

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection
        self._media = LangfuseMedia(connection)
        self._targets = LangfuseTargets(connection)
        self._comments = LangfuseComments(connection, self._targets)
        self._takes_lists = True
        self._configs: dict[str, str | None] = {}
        self._config_list = LangfuseScoreConfigs(connection)

    async def write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        """Write and wait until Langfuse shows them; what it refuses, drops or cannot attach is reported.

        A span or trace that Langfuse does not know (any more) is a failure: Langfuse itself would take the
        score and never show it. Sessions and runs are taken on trust.

        The settings say whether score configs are made, and evidence is shown as comments, too.

        Raises:
            UsageError: Score configs are asked for, and a name is too long for one.
        """
        if self._connection.settings.score_configs:
            await self.create_configs([item.score for item in scores])
        written = 0
        failures: list[ItemFailure] = []
        for start in range(0, len(scores), _AT_ONCE):
            report = await self._write(scores[start : start + _AT_ONCE])
            written += report.written
            failures.extend(report.failures)
        return ScoreReport(written, failures)

    def trust(self, targets: Iterable[ScoreTarget]) -> None:
        """Take it that these are there, without asking."""
        self._targets.note(targets)

    async def create_configs(self, scores: Sequence[Score]) -> Mapping[str, str]:
        """Make a score config for each name that has none, and use it for every score written from now on.

        With a config, Langfuse knows range and type, and people can annotate by it; a later score outside of
        the config is refused, and reported.

        Returns:
            Config id by score name.

        Raises:
            UsageError: A name is none that a config can have.
            PlatformError: Langfuse refuses a config.
        """
        new = {score.name: score for score in scores if score.name not in self._configs}
        for name in new:
            require_name(name)
        present = await self._config_list.ids(new) if new else {}
        for name, score in new.items():
            body = _config(score)
            if name in present or body is None:
                self._configs[name] = present.get(name)
            else:
                self._configs[name] = (await self._connection.post(CONFIGS, body))["id"]
        return {name: identity for name, identity in self._configs.items() if identity is not None}

    async def show_pictures(self, target: ScoreTarget, images: Sequence[Image]) -> None:
        """Add a comment that consists of pictures, which Langfuse draws at full size beside the trace.

        A comment of just these pictures that is there already is not added again.

        Raises:
            UsageError: The target is a run, which has no comments.
            PlatformError: Langfuse does not know the target.
            MediaError: A picture could not be stored.
        """
        if target.kind not in COMMENTED:
            raise UsageError("Langfuse has no comments on experiments: comment on a trace")
        media_target = _media_target(target, "metadata")
        references = [await self._media.store(image, media_target) for image in images]
        await self._comments.show(target, references)

    async def comment(self, target: ScoreTarget, content: str) -> None:
        """Add a comment of text, at most 5000 characters, unless the target has the same one already.

        Raises:
            PlatformError: Langfuse does not know the target.
        """
        await self._comments.add(target, content)

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove scores by id; Langfuse does so within minutes."""
        for identity in ids:
            await self._connection.delete(f"/api/public/scores/{identity}")

    async def rows(self, ids: Sequence[str], *, of: str = "traceId") -> list[dict[str, Any]]:
        """Every score on these traces and their observations, with comment, metadata and subject.

        Args:
            ids: Of traces.
            of: ``"sessionId"`` where they are ids of sessions.
        """
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), _AT_ONCE):
            chosen = ",".join(ids[start : start + _AT_ONCE])
            params = {of: chosen, "fields": "subject,details", "limit": 100}
            async for page in self._connection.cursor_pages("/api/public/v3/scores", params):
                found += page
        return found

    async def _write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        missing = await self._targets.missing([item.target for item in scores])
        known = [item for item in scores if item.target not in missing]
        failures = [
            ItemFailure(item.target.id, f"{item.score.name}: Langfuse has no such {item.target.kind}")
            for item in scores
            if item.target in missing
        ]
        outgoing = await self._outgoing(known, failures)
        for chunk in _chunks(outgoing):
            await self._send(chunk)
        await self._confirm([each for each in outgoing if not each.problem])
        if self._connection.settings.evidence_comments:
            for each in outgoing:
                await self._show_evidence(each)
        failures += [each.failure for each in outgoing if each.problem]
        return ScoreReport(len(scores) - len(failures), failures)

    async def _outgoing(self, scores: Sequence[TargetedScore], failures: list[ItemFailure]) -> list[_Written]:
        times = await self._timestamps(scores)
        people = {item.score.name for item in scores if item.annotator == "HUMAN"}
        # What people say is a human annotation to Langfuse only under a config.
        asked = await self._config_list.ids(people) if people else {}
        outgoing: dict[str, _Written] = {}
        for item in scores:
            identity = score_id(item.target, item.score.name)
            try:
                ready = await self._with_evidence(item)
                config = asked.get(item.score.name) if item.annotator == "HUMAN" else None
                body = to_body(ready, times[identity], config or self._configs.get(item.score.name))
                json.dumps(body, allow_nan=False)
            except PlatformUnavailable:
                raise
            except (PlatformError, MediaError, ImageError, ValueError) as error:
                failures.append(ItemFailure(item.target.id, f"{item.score.name}: {error}"))
                continue
            if identity in outgoing:
                problem = "given twice for one target in one call; the later one was written"
                failures.append(ItemFailure(item.target.id, f"{item.score.name}: {problem}"))
            outgoing[identity] = _Written(item, body)
        return list(outgoing.values())

    async def _timestamps(self, scores: Sequence[TargetedScore]) -> dict[str, datetime]:
        """Where none is given, the timestamp of the score that is there: it is part of a score's identity."""
        times = {score_id(item.target, item.score.name): item.timestamp for item in scores}
        open_ids = [identity for identity, moment in times.items() if moment is None]
        rows = await self._by_id(open_ids) if open_ids else {}
        now = datetime.now(UTC)
        before = {identity: datetime.fromisoformat(row["timestamp"]) for identity, row in rows.items()}
        return {identity: moment or before.get(identity, now) for identity, moment in times.items()}

    async def _with_evidence(self, item: TargetedScore) -> TargetedScore:
        if item.score.evidence is None:
            return item
        reference = await self._media.store(item.score.evidence, _media_target(item.target, "metadata"))
        metadata = {**item.score.metadata, _EVIDENCE: reference}
        return replace(item, score=replace(item.score, metadata=metadata))

    async def _show_evidence(self, each: _Written) -> None:
        evidence = each.body["metadata"].get(_EVIDENCE)
        if each.problem or evidence is None or each.item.target.kind not in COMMENTED:
            return
        try:
            await self._comments.show(each.item.target, [evidence])
        except PlatformUnavailable:
            raise
        except PlatformError as error:
            each.problem = f"written, but its evidence cannot be shown as a comment: {error}"

    async def _send(self, chunk: Sequence[_Written]) -> None:
        if self._takes_lists and await self._send_list(chunk):
            return
        await for_each(chunk, self._send_one, limit=_AT_ONCE)

    async def _send_list(self, chunk: Sequence[_Written]) -> bool:
        """Send them as one list; ``False`` when they must be sent one by one."""
        try:
            response = await self._connection.request(
                "POST", "/api/public/scores", body=[each.body for each in chunk]
            )
        except LangfuseRefusal as error:
            if error.status == _BAD_REQUEST:
                self._takes_lists = "expected object" not in error.reason
            return False
        if response.status == _MULTI_STATUS:
            _note_rejections(chunk, response.json().get("errors") or [])
        return True

    async def _send_one(self, each: _Written) -> None:
        try:
            await self._connection.post("/api/public/scores", each.body)
        except PlatformUnavailable:
            raise
        except PlatformError as error:
            each.problem = str(error)

    async def _confirm(self, sent: Sequence[_Written]) -> None:
        """Wait until each score reads as it was sent; say so of those that never do."""
        waiting = {str(each.body["id"]): each for each in sent}

        async def all_visible() -> bool:
            for identity, row in (await self._by_id(list(waiting))).items():
                if holds(row, waiting[identity].body):
                    del waiting[identity]
            return not waiting

        seconds = self._connection.settings.visible_within
        await until(all_visible, seconds)
        for each in waiting.values():
            config = " (does it fit its score config?)" if "configId" in each.body else ""
            each.problem = (
                f"Langfuse accepted it, yet does not show it after {seconds:g} s: it dropped it{config}, "
                "or its ingestion is behind"
            )

    async def _by_id(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Scores by id; of several rows of one id (its name was changed) the newest."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), _AT_ONCE):
            params = {"id": ",".join(ids[start : start + _AT_ONCE]), "limit": 100}
            async for rows in self._connection.cursor_pages("/api/public/v3/scores", params):
                for row in rows:
                    if row["id"] not in found or row["updatedAt"] > found[row["id"]]["updatedAt"]:
                        found[row["id"]] = row
        return found


def _note_rejections(chunk: Sequence[_Written], errors: Sequence[Any]) -> None:
    """Match the errors of a partly accepted list with its scores; reading back finds the rest."""
    by_id = {each.body["id"]: each for each in chunk}
    for error in errors:
        said = error if isinstance(error, Mapping) else {"message": str(error)}
        message = str(said.get("message") or said.get("error") or "refused")
        match = _INDEX.search(message)
        index = said.get("index", int(match[1]) if match else None)
        if said.get("id") in by_id:
            by_id[said["id"]].problem = message
        elif isinstance(index, int) and 0 <= index < len(chunk):
            chunk[index].problem = match[2] if match and match[2] else message


def _chunks(outgoing: Sequence[_Written]) -> Iterator[list[_Written]]:
    """Lists that stay below the size of one request."""
    chunk: list[_Written] = []
    size = 0
    for each in outgoing:
        length = len(json.dumps(each.body))
        if chunk and size + length > _LARGEST_REQUEST:
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += length
    if chunk:
        yield chunk


def _media_target(target: ScoreTarget, field: str) -> MediaTarget:
    """Where a picture for this target belongs; for sessions and runs, to a trace of its own."""
    if target.kind == "span":
        return MediaTarget(field, trace_id=target.trace_id, observation_id=target.id)
    if target.kind == "trace":
        return MediaTarget(field, trace_id=target.id)
    return MediaTarget(field, trace_id=score_id(target, "media").replace("-", ""))


def _config(score: Score) -> dict[str, Any] | None:
    """The config that fits a score; labels have none, since their set is not known."""
    import math

    kind, _ = typed(score.value)
    if kind in ("CATEGORICAL", "TEXT"):
        return None
    body: dict[str, Any] = {"name": score.name, "dataType": kind}
    if kind == "NUMERIC" and score.range is not None:
        low, high = score.range
        bounds = {"minValue": low, "maxValue": high}
        body |= {key: bound for key, bound in bounds.items() if math.isfinite(bound)}
    return body
