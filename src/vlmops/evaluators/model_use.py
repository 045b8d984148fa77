"""Evaluators that ask models, and how their models are put under the care that all models get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vlmops.evaluators.evaluator import Evaluator
    from vlmops.models.model import Model


@runtime_checkable
class AsksModels(Protocol):
    """An evaluator that asks models, such as a judge."""

    @property
    def models(self) -> Sequence[Model]:
        """The models it asks."""
        ...

    def asking(self, care: Callable[[Model], Model]) -> Any:
        """The same evaluator, its models replaced by what ``care`` makes of them."""
        ...


def asked_through(evaluators: Iterable[Evaluator], care: Callable[[Model], Model]) -> list[Evaluator]:
    """The evaluators, with the models of those that ask any in the care of an engine.

    Args:
        evaluators: Evaluators of any kind.
        care: Gives the model that is asked in a model's place, e.g. :meth:`vlmops.engine.Engine.model`.

    Example:
        >>> from vlmops.engine import Engine
        >>> from vlmops.evaluators import create
        >>> with Engine() as engine:
        ...     asked_through([create("judge_harm", model="openai:gpt-4.1")], engine.model)[0].model
        EngineModel('openai:gpt-4.1')
    """
    return [each.asking(care) if isinstance(each, AsksModels) else each for each in evaluators]


def models_of(evaluators: Iterable[Evaluator]) -> list[Model]:
    """Every model that one of the evaluators asks.

    Example:
        >>> from vlmops.evaluators import create
        >>> models_of([create("cer")])
        []
    """
    return [model for each in evaluators if isinstance(each, AsksModels) for model in each.models]
