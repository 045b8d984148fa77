"""The state of the code that an experiment runs: recorded with it, to find "the last on main" by."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BRANCH = "git_branch"
COMMIT = "git_commit"
DIRTY = "git_dirty"

_SECONDS = 5
# Build servers check out a commit without its branch, and say which branch it was in their environment.
_BRANCH_VARIABLES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BITBUCKET_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
    "CIRCLE_BRANCH",
)
_COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "BUILD_SOURCEVERSION", "CIRCLE_SHA1")


def git_state() -> dict[str, str]:
    """Branch, commit and whether there were changes since, as metadata of an experiment.

    What a build server says of itself comes before what the checkout shows. Empty outside of a repository and
    without git; looked up once a process and folder.

    Example:
        >>> set(git_state()) <= {"git_branch", "git_commit", "git_dirty"}
        True
    """
    return dict(_state(os.getcwd(), *_from_environment(os.environ)))  # noqa: PTH109 - a key, not a path


def _from_environment(environment: Mapping[str, str]) -> tuple[str, str]:
    branch, commit = (
        next((environment[name] for name in names if environment.get(name)), "")
        for names in (_BRANCH_VARIABLES, _COMMIT_VARIABLES)
    )
    return branch, commit


@cache
def _state(folder: str, branch: str, commit: str) -> Mapping[str, str]:
    state = {COMMIT: commit or _git(folder, "rev-parse", "HEAD")}
    state[BRANCH] = branch or _git(folder, "branch", "--show-current")
    if state[COMMIT] and _git(folder, "status", "--porcelain", "--untracked-files=no"):
        state[DIRTY] = "true"
    return {key: value for key, value in state.items() if value}


def _git(folder: str, *arguments: str) -> str:
    command = ["git", "-C", folder, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
