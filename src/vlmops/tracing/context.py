"""What an application says of itself once, and every one of its spans then carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """Facts of the application that no span tells by itself; empty ones are left out.

    A span that carries one of them already keeps its own.

    Attributes:
        release: Version of the application.
        commit: Git commit it was built from.
        environment: ``production``, ``staging``, ...; also chooses the picture policy.
        prompt_name: Name of the prompt, where the whole application uses one.
        prompt_version: Its version.
        dataset_item: Identifier of the dataset item that is being answered.

    Example:
        >>> TraceContext(release="1.4.0").release
        '1.4.0'
    """

    release: str = ""
    commit: str = ""
    environment: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    dataset_item: str = ""
