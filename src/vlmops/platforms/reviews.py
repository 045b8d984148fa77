"""Reviews by people: what they are asked, of which recorded answers, and what they said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vlmops.characters import whole
from vlmops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.score import Range
    from vlmops.platforms.outcome import ItemFailure
    from vlmops.platforms.records import ScoreTarget, TargetedScore

REVIEW = "review"
"""Name of the annotation that marks what is to be reviewed; its explanation says why."""

REQUESTED = "requested"
"""The label of that annotation."""

QuestionKind = Literal["pass/fail", "scale", "label"]


@dataclass(frozen=True, slots=True)
class Question:
    """What people are asked of each case; their answers are scores of its name.

    Attributes:
        name: Name of the scores; the judge's, where people and judge are to be compared.
        kind: Pass or fail, a number on a scale, or one of several labels.
        text: What the reviewer reads, e.g. the judge's own criterion.
        range: Ends of a scale.
        labels: The labels to choose from.

    Raises:
        UsageError: It has no name, a scale has no two ends, or there are not two different labels.

    Example:
        >>> Question("damage", "label", labels=("none", "dent")).labels
        ('none', 'dent')
    """

    name: str
    kind: QuestionKind = "pass/fail"
    text: str = ""
    range: Range | None = None
    labels: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UsageError("a question for reviewers needs a name: their answers are scores of that name")
        if self.kind == "scale" and (self.range is None or not self.range[0] < self.range[1]):
            raise UsageError(f"question {self.name!r}: a scale goes from a number to a greater one")
        if self.kind == "label" and (len(self.labels) < 2 or len(set(self.labels)) < len(self.labels)):
            raise UsageError(f"question {self.name!r}: give two different labels at least")


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """Where cases wait for people.

    Attributes:
        name: Its name on the platform.
        questions: What is asked of each case in it.
        description: For people.

    Raises:
        UsageError: It has no name, asks nothing, or asks two questions of one name.

    Example:
        >>> ReviewQueue("receipts", (Question("grounded"),)).questions[0].kind
        'pass/fail'
    """

    name: str
    questions: Sequence[Question]
    description: str = ""

    def __post_init__(self) -> None:
        names = [question.name for question in self.questions]
        if not self.name.strip():
            raise UsageError("a queue of reviews needs a name")
        if not names:
            raise UsageError(f"queue {self.name!r}: say what to ask the reviewers")
        if len(set(names)) < len(names):
            raise UsageError(f"queue {self.name!r}: two questions have one name: {', '.join(names)}")


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """A recorded answer that people are to look at.

    Attributes:
        target: Its trace, span or session.
        why: What made it worth a look; shown to the reviewer. U+FFFD stands for each half of a character in
            it, which cannot be sent.
        rules: Names of the rules that chose it, for machines.
    """

    target: ScoreTarget
    why: str
    rules: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "why", whole(self.why))


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """What came of requesting reviews.

    Attributes:
        requested: Cases that are now in the queue and were not before.
        present: Cases that were in it already; they are left as they are.
        failures: Cases that could not be put there.
        url: The page on which people review.
        filter: What to filter by on that page, where it shows more than the queue.
    """

    requested: int = 0
    present: int = 0
    failures: Sequence[ItemFailure] = ()
    url: str = ""
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A case that was sent for review, as it stands.

    Attributes:
        target: What was requested.
        done: Whether the reviewers are through with it, as the platform counts that.
        asked: Names of the questions.
        answers: What people said to these questions, each by one person.
        why: Why it was requested.
        rules: The rules that chose it.
    """

    target: ScoreTarget
    done: bool
    asked: Sequence[str]
    answers: Sequence[TargetedScore] = field(default_factory=tuple)
    why: str = ""
    rules: Sequence[str] = ()
