"""What Langfuse has of experiments: one row an item and run, and one run a repetition.

Of several answers to one item in one run Langfuse keeps the last. A repetition therefore is a run of its own,
named after the first with its number, which also stands in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vlmops.errors import PlatformError
from vlmops.platforms.records import ExperimentHeader
from vlmops_langfuse.executions import parsed
from vlmops_langfuse.runs import FIRST_RUN_KEY, REPETITIONS_KEY, VERSION_KEY, AnsweredItem, repetition_name
from vlmops_langfuse.waiting import until

if TYPE_CHECKING:
    from vlmops_langfuse.connection import LangfuseConnection

_SINCE = "2023-01-01T00:00:00.000Z"
_FIELDS = "core,dataset,io,metadata,experimentMetadata"
_PAGE = 100

Row = Mapping[str, Any]

Rows = Mapping[str, Row]
"""The newest row of each item, by item id."""


class ExperimentRows:
    """Reads the runs of one project."""

    def __init__(self, connection: LangfuseConnection) -> None:
        self._connection = connection

    async def of_run(self, name: str, dataset_id: str) -> Rows:
        """Rows of the run of this name on a dataset; none if there is no such run."""
        return await self._where(_is("experimentName", name), _is("datasetId", dataset_id))

    async def of_experiment(self, experiment_id: str) -> list[Rows]:
        """Rows of an experiment, anyone's; of one with repetitions, those of each, in their order.

        Raises:
            PlatformError: There is no such experiment.
        """
        rows = await self._where(_is("experimentId", experiment_id))
        if not rows:
            raise PlatformError(
                f"Langfuse at {self._connection.settings.url} has no experiment {experiment_id!r}"
            )
        head = head_of(rows)
        metadata, dataset_id = run_metadata_of(head), head.get("experimentDatasetId") or ""
        if REPETITIONS_KEY not in metadata:
            return [rows]
        name = str(metadata.get(FIRST_RUN_KEY, head["experimentName"]))
        found: list[Rows] = []
        while rows := await self.of_run(repetition_name(name, len(found) + 1), dataset_id):
            found.append(rows)
        return found

    async def arrived(self, name: str, dataset_id: str, fresh: Sequence[AnsweredItem]) -> Rows:
        """Wait until Langfuse shows every answer: the SDK drops what it cannot send, and says nothing.

        Raises:
            PlatformError: Some never arrived.
        """
        rows: dict[str, Row] = {}
        wanted = {answered.span.id for answered in fresh}

        async def all_there() -> bool:
            rows.clear()
            rows.update(await self.of_run(name, dataset_id))
            return bool(rows) and wanted <= {row["id"] for row in rows.values()}

        if not await until(all_there, self._connection.settings.visible_within):
            lost = len(wanted - {row["id"] for row in rows.values()})
            raise PlatformError(
                f"{lost} of {len(wanted)} answers did not arrive at Langfuse: see the SDK's log, check "
                "LANGFUSE_TRACING_ENABLED and the size of the answers; run it again to continue"
            )
        return rows

    async def headers(self, dataset_id: str) -> list[ExperimentHeader]:
        """Every experiment on a dataset, newest first; its repetitions do not count apart."""
        params = {
            "fromStartTime": _SINCE,
            "fields": "core,metadata",
            "limit": _PAGE,
            "filter": json.dumps([_is("datasetId", dataset_id)]),
        }
        headers: list[ExperimentHeader] = []
        async for rows in self._connection.cursor_pages("/api/public/experiments", params):
            headers += [_header(row) for row in rows]
        firsts = [header for header in headers if FIRST_RUN_KEY not in header.metadata]
        return sorted(firsts, key=lambda header: header.created_at, reverse=True)

    async def _where(self, *conditions: Mapping[str, Any]) -> Rows:
        params = {
            "fromStartTime": _SINCE,
            "fields": _FIELDS,
            "limit": _PAGE,
            "filter": json.dumps(conditions),
        }
        newest: dict[str, Row] = {}
        async for rows in self._connection.cursor_pages("/api/public/experiment-items", params):
            for row in rows:
                newest.setdefault(row["experimentItemId"], row)
        return newest


def head_of(rows: Rows) -> Row:
    """Any one of them, for what all say of their run."""
    return next(iter(rows.values()))


def recorded_version(rows: Rows) -> str:
    """The dataset version that the items of a run name; SDK 4 leaves it to the run's metadata."""
    noted = (
        row.get("experimentItemVersion") or run_metadata_of(row).get(VERSION_KEY) for row in rows.values()
    )
    return max((str(version) for version in noted if version), default="")


def run_metadata_of(row: Row) -> dict[str, Any]:
    """The metadata of a row's run."""
    return _texts(row.get("experimentMetadata"))


def _is(column: str, value: str) -> dict[str, str]:
    return {"type": "string", "column": column, "operator": "=", "value": value}


def _header(row: Row) -> ExperimentHeader:
    started = datetime.fromisoformat(row["startTime"])
    return ExperimentHeader(row["id"], row["name"], started, _texts(row.get("metadata")))


def _texts(found: Any) -> dict[str, Any]:
    """The run's metadata; SDK 5 puts each text into JSON quotes."""
    return {key: parsed(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
