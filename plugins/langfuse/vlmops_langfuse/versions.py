"""Versions of a Langfuse dataset: times, as Langfuse keeps every state but lists none. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vlmops.platforms.records import DatasetVersion

RECORD_KEY = "vlmops"
"""Where a dataset's metadata says what was pushed."""

_KEPT = 50


def push_record(
    dataset: Mapping[str, Any], revision: str, provenance: Mapping[str, Any], version: str
) -> dict[str, Any]:
    """What a push leaves in the dataset's metadata: revision, provenance and the versions pushed so far."""
    before = _record(dataset)
    listed = before.get("versions")
    versions = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    if version and (not versions or versions[0].get("id") != version):
        versions = [{"id": version, "revision": revision}, *versions][:_KEPT]
    return {"revision": revision, "provenance": dict(provenance), "versions": versions}


def recorded_versions(dataset: Mapping[str, Any]) -> list[DatasetVersion]:
    """The versions that pushes recorded, newest first."""
    found = []
    for entry in _record(dataset).get("versions") or []:
        try:
            made = datetime.fromisoformat(entry["id"])
        except (KeyError, TypeError, ValueError):
            continue
        found.append(DatasetVersion(entry["id"], made, f"revision {str(entry.get('revision', ''))[:12]}"))
    return found


def newest_version(datasets: Iterable[Mapping[str, Any]], items: Iterable[Mapping[str, Any]]) -> str:
    """The time of the last known change: of an item, or of a push that removed some; empty for none."""
    times = [str(item["createdAt"]) for item in items]
    for dataset in datasets:
        times += [version.id for version in recorded_versions(dataset)[:1]]
    return max(times, default="")


def _record(dataset: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = dataset.get("metadata")
    record = metadata.get(RECORD_KEY) if isinstance(metadata, Mapping) else None
    return record if isinstance(record, Mapping) else {}
