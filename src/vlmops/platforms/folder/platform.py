"""A folder as a platform: results without any server, to be kept, compared and put under version control."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmops.errors import PlatformError, PrerequisiteError, UsageError
from vlmops.platforms.folder.datasets import FolderDatasets
from vlmops.platforms.folder.experiments import FolderExperiments
from vlmops.platforms.folder.pictures import FolderPictures
from vlmops.platforms.folder.prompts import FolderPrompts
from vlmops.platforms.outcome import ItemFailure, ScoreReport
from vlmops.platforms.records import Capabilities, Check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from vlmops.platforms.port import LocalServer
    from vlmops.platforms.records import Execution, ExecutionQuery, TargetedScore


class FolderPlatform:
    """Datasets, answers, scores, prompts and pictures in one folder.

    ::

        datasets/<name>/0001.jsonl        a manifest a version
        experiments/<id>/experiment.json  what was run, and values of the whole run
        experiments/<id>/answers.jsonl    an answer a line
        experiments/<id>/scores.jsonl     what one evaluator said of one answer a line
        prompts/<name>/0001.json          a prompt's version a file; labels.json says what points to which
        media/                            pictures by content

    Args:
        path: The folder; made by the first write.

    Example:
        >>> import tempfile
        >>> from vlmops import ImageDataset, Sample, push
        >>> platform = FolderPlatform(tempfile.mkdtemp())
        >>> push(ImageDataset.from_samples("d", [Sample("a", {"n": 1})]), platform).targets[0].created
        1
    """

    name = "folder"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        root = Path(path).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise UsageError(f"{root} is a file: name a folder for the results")
        self._root = root
        pictures = FolderPictures(root)
        self.datasets = FolderDatasets(root, pictures)
        self.experiments = FolderExperiments(root, self.datasets, pictures)
        self.prompts = FolderPrompts(root)
        self.scores = NoScores()
        self.executions = NoExecutions()

    @property
    def location(self) -> str:
        """The folder's path."""
        return str(self._root)

    @property
    def capabilities(self) -> Capabilities:
        """Repetitions, values of whole runs, versions."""
        return Capabilities(repetitions=True, run_scores=True, versions=True)

    async def doctor(self) -> AsyncIterator[Check]:
        """Whether the folder can be written."""
        existing = next(path for path in (self._root, *self._root.parents) if path.exists())
        if os.access(existing, os.W_OK):
            yield Check("folder", "ok", f"results go to {self._root}")
        else:
            yield Check("folder", "error", f"{existing} cannot be written", "name another folder")

    async def __aenter__(self) -> FolderPlatform:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None


class NoScores:
    """A folder records no executions that could be scored."""

    async def write(self, scores: Sequence[TargetedScore]) -> ScoreReport:
        """Refuse all."""
        why = "a results folder keeps scores of experiments alone"
        return ScoreReport(0, [ItemFailure(item.target.id, why) for item in scores])


class NoExecutions:
    """A folder records no executions."""

    async def read(self, query: ExecutionQuery) -> AsyncIterator[Execution]:  # noqa: ARG002
        """Say so.

        Raises:
            PlatformError: Always.
        """
        raise PlatformError("a results folder holds experiments, no recorded executions")
        yield


class FolderPlugin:
    """What makes the folder a platform by name: ``folder:PATH``."""

    name = "folder"
    requires = ""
    modules: Sequence[str] = ()

    def connect(self, **options: Any) -> FolderPlatform:
        """The folder ``path``; ``url`` is taken for it, too.

        Raises:
            UsageError: No folder is named.
        """
        path = options.get("path") or options.get("url")
        if not path:
            raise UsageError("say which folder: folder:PATH, e.g. folder:results")
        return FolderPlatform(path)

    def start_local(self, data_dir: Path, port: int | None = None) -> LocalServer:  # noqa: ARG002
        """There is no server.

        Raises:
            PrerequisiteError: Always.
        """
        raise PrerequisiteError("a results folder has no server to start")

    def media_environment(self) -> Mapping[str, str]:
        """None: the folder keeps its pictures."""
        return {}


PLATFORM = FolderPlugin()
