"""What judges have in common that ask one model: the model, what it is shown, and what is on record."""

from __future__ import annotations

import hashlib
import json
import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from vlmops.errors import UsageError
from vlmops.evaluators.bases import OutputReader
from vlmops.evaluators.failure import Failure
from vlmops.judges.material import View
from vlmops.models.calls import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vlmops.evaluators.evaluator import Annotator
    from vlmops.models.model import Model, ModelReply, ModelRequest


@dataclass(frozen=True, kw_only=True)
class ModelJudge(OutputReader):
    """Base of judges that ask one model.

    Attributes:
        model: Who judges: a model, the name of one (``"openai:gpt-4.1"``), or a table of its ``name`` and how
            it is made (``base_url``, ...).
        view: What of the case is shown; a table of the same keys is taken, too.
        parameters: Of the model; temperature 0 unless said otherwise.
        audit: What an audit found of this judge, carried by each of its scores: the summary of a report, or
            the path of one.
        prompt: Name and version of its prompt on a platform, carried by each of its scores and named by the
            traces of its calls; see :func:`~vlmops.judges.publish_prompt`.
        repetition: Which of several verdicts on the same case is asked for, counted from 1: caches keep them
            apart.
        key: Dotted path of the part of the output to judge; the whole output when ``None``.

    Raises:
        UsageError: There is no model of that name, the view or the audit is wrong, or the audit is one of
            another judge.
    """

    annotator: ClassVar[Annotator] = "LLM"

    model: Model | str
    view: View = field(default_factory=View)
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0})
    audit: Mapping[str, Any] | None = None
    prompt: Mapping[str, Any] | None = field(default=None, repr=False)
    repetition: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "model", named_model(self.model))
        self._read_settings()
        audit: Any = self.audit
        if isinstance(audit, str | os.PathLike):
            object.__setattr__(self, "audit", self._audit_of(audit))

    @property
    @abstractmethod
    def instructions(self) -> str:
        """The standing instructions of its prompt: what a platform keeps as the prompt."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Equal for judges that ask the same in the same way, whatever the model."""

    @property
    def models(self) -> Sequence[Model]:
        """Its model."""
        return [named_model(self.model)]

    @property
    def record(self) -> dict[str, Any]:
        """What a person needs to know of a judge to believe or doubt what it says."""
        return {
            "model": self.models[0].name,
            "rubric": self.fingerprint,
            **({"prompt": dict(self.prompt)} if self.prompt is not None else {}),
            "audit": dict(self.audit) if self.audit is not None else "not audited",
        }

    def asking(self, care: Callable[[Model], Model]) -> Self:
        """The same judge, asking what ``care`` makes of its model."""
        return replace(self, model=care(named_model(self.model)))

    def _read_settings(self) -> None:
        """Take what names, files and tables of JSON or TOML stand for."""
        from vlmops.judges.rubric_file import view_of

        object.__setattr__(self, "view", view_of(self.view))

    async def _reply(self, request: ModelRequest) -> ModelReply | Failure:
        """What the model says; a failure tells whose it is."""
        (model,) = self.models
        reply = await ask(model, request, self.prompt)
        if isinstance(reply, Failure):
            return replace(reply, evaluator=self.name, message=f"the judge {model.name}: {reply.message}")
        return reply

    def _audit_of(self, path: str | os.PathLike[str]) -> Mapping[str, Any]:
        """What the report says, if it is one of this judge."""
        from vlmops.judges.audit.control import AuditReport

        report = AuditReport.load(Path(path))
        model = named_model(self.model).name
        for what, theirs, ours in (
            ("another rubric, view or examples", report.rubric, self.fingerprint),
            (f"the model {report.model}, and not of {model}", report.model, model),
        ):
            if theirs != ours:
                raise UsageError(
                    f"{path} is an audit of {what}: it says nothing of the judge {self.name!r}; audit it "
                    "with 'vlmops judges audit'"
                )
        return report.summary()


def fingerprint_of(*asked: Any) -> str:
    """16 hexadecimal digits, equal for what is asked in the same way.

    Example:
        >>> fingerprint_of("Is it true?") == fingerprint_of("Is it true?")
        True
    """
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


def named_model(model: Model | str | Mapping[str, Any]) -> Model:
    """The model, or the one of that name, or of the ``name`` in a table of how it is made.

    Raises:
        UsageError: There is no model of that name.

    Example:
        >>> named_model("openai:gpt-4.1").name
        'openai:gpt-4.1'
    """
    from vlmops.models import create

    if isinstance(model, str):
        return create(model)
    if not isinstance(model, Mapping):
        return model
    options = dict(model)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f'the judge\'s model {dict(model)!r} has no name: give name = "openai:..."')
    return create(name, **options)
