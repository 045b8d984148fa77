"""Every exception vlmops raises on purpose.

::

    VlmopsError
    ├── UsageError              the caller asked for something that cannot be done as asked
    ├── PrerequisiteError       something must be installed, started or configured first
    ├── ImageError              one picture cannot be used: names the picture and the fix
    ├── SampleError             one sample of a dataset cannot be used: names file, line, field and fix
    ├── EvaluatorError          an evaluator is misconfigured
    ├── MediaError              the media store could not keep or give back a picture
    ├── RunStopped              a run ended on purpose before its end; what was answered is kept
    │   └── BudgetSpent         the next answer would have cost more than was left
    └── PlatformError           the platform refused or did not answer
        └── PlatformUnavailable the platform cannot be reached at all
"""

from __future__ import annotations


class VlmopsError(Exception):
    """Base of all errors raised on purpose by vlmops; its text is meant for the user."""


class UsageError(VlmopsError):
    """The call cannot be carried out as asked; the message says what to change."""


class PrerequisiteError(VlmopsError):
    """A package, server or setting is missing; the message says how to provide it."""


class ImageError(VlmopsError):
    """One picture cannot be used.

    Attributes:
        source: Where the picture came from (a path, a URL without its query, ``<bytes>``).
        problem: What is wrong with it.
        fix: What the user can do about it.
    """

    def __init__(self, source: str, problem: str, fix: str = "") -> None:
        self.source = source
        self.problem = problem
        self.fix = fix
        super().__init__(f"{source}: {problem}" + (f" ({fix})" if fix else ""))


class SampleError(VlmopsError):
    """One sample cannot be used; the rest of its dataset can.

    Attributes:
        source: The file, with the line when there is one (``labels.jsonl:12``).
        field: The field or column at fault, if one is.
        problem: What is wrong.
        fix: What the user can do about it.
        sample_id: The sample's id when it is known.
    """

    def __init__(
        self, source: str, problem: str, fix: str = "", *, field: str = "", sample_id: str = ""
    ) -> None:
        self.source = source
        self.field = field
        self.problem = problem
        self.fix = fix
        self.sample_id = sample_id
        place = f"{source}: {field}: " if field else f"{source}: "
        super().__init__(place + problem + (f" ({fix})" if fix else ""))


class EvaluatorError(VlmopsError):
    """An evaluator is misconfigured or unknown."""


class MediaError(VlmopsError):
    """The media store could not keep or give back a picture."""


class RunStopped(VlmopsError):  # noqa: N818 - says what happened
    """A run ended on purpose before every sample was answered; what was answered is kept, run it again."""


class BudgetSpent(RunStopped):
    """The next answer would have cost more than was left of the budget."""


class PlatformError(VlmopsError):
    """The platform refused a request or answered in a way that cannot be used."""


class PlatformUnavailable(PlatformError):  # noqa: N818 - says what happened
    """The platform cannot be reached; nothing was written."""
