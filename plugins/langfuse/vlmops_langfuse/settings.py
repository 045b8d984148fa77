"""How to reach a Langfuse: argument, then environment, then default."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from vlmops.errors import PrerequisiteError, UsageError

DEFAULT_URL = "https://cloud.langfuse.com"


@dataclass(frozen=True)
class LangfuseSettings:
    """Where Langfuse is, and the project's keys.

    Attributes:
        url: Base URL, without a slash at the end.
        public_key: Names the project; never printed all the same.
        secret_key: Never printed.
        concurrency: How many requests are under way at once.
        visible_within: Seconds within which what was written must be readable; Langfuse stores scores
            and spans later than it accepts them (6 s with a server's defaults, 16 s around midnight UTC).
        timeout: Seconds a server may be silent before a request is given up and sent again.
        score_configs: Whether each score's name gets a score config, by which Langfuse checks the scores and
            people can annotate.
        evidence_comments: Whether evidence pictures are shown in a comment, too, where Langfuse draws them.

    Example:
        >>> LangfuseSettings("https://cloud.langfuse.com", "pk-lf-1", "sk-lf-1").url
        'https://cloud.langfuse.com'
    """

    url: str
    public_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    concurrency: int = 32
    visible_within: float = 60.0
    timeout: float = 60.0
    score_configs: bool = False
    evidence_comments: bool = False

    @classmethod
    def resolve(
        cls,
        url: str | None = None,
        public_key: str | None = None,
        secret_key: str | None = None,
        concurrency: int = 32,
        visible_within: float = 60.0,
        timeout: float = 60.0,
        score_configs: bool = False,
        evidence_comments: bool = False,
    ) -> LangfuseSettings:
        """Settings from arguments; what is not given comes from the variables that Langfuse's SDK reads.

        Args:
            url: ``LANGFUSE_BASE_URL``, else ``LANGFUSE_HOST``, else Langfuse Cloud (EU).
            public_key: ``LANGFUSE_PUBLIC_KEY``.
            secret_key: ``LANGFUSE_SECRET_KEY``.
            concurrency: See the attribute.
            visible_within: See the attribute.
            timeout: See the attribute.
            score_configs: See the attribute.
            evidence_comments: See the attribute.

        Raises:
            UsageError: The URL is not an http(s) URL, or a number is out of range.
            PrerequisiteError: A key is missing.

        Example:
            >>> LangfuseSettings.resolve("http://localhost:3000/", "pk-lf-1", "sk-lf-1").url
            'http://localhost:3000'
        """
        import os

        environment = os.environ
        base = url or environment.get("LANGFUSE_BASE_URL") or environment.get("LANGFUSE_HOST") or DEFAULT_URL
        public = public_key or environment.get("LANGFUSE_PUBLIC_KEY")
        secret = secret_key or environment.get("LANGFUSE_SECRET_KEY")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise UsageError(
                "the Langfuse address must be like https://cloud.langfuse.com: http(s), and no keys in it"
            )
        if not public or not secret:
            raise PrerequisiteError(
                "Langfuse needs the keys of a project: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY "
                "(in Langfuse: Settings, API keys)"
            )
        if concurrency < 1 or visible_within <= 0 or timeout <= 0:
            raise UsageError("concurrency must be at least 1, visible_within and timeout above 0 seconds")
        return cls(
            base.rstrip("/"),
            public,
            secret,
            concurrency,
            visible_within,
            timeout,
            score_configs,
            evidence_comments,
        )
