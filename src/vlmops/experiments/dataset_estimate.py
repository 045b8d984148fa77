"""What an experiment will take, before any call: tokens, cost and time, from the cards, offline."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vlmops.errors import ImageError, SampleError, UsageError
from vlmops.experiments.picture_estimate import AskedModel, asked_model, card_table
from vlmops.experiments.picture_size import picture_size
from vlmops.experiments.slots import prompt_title, require_filled
from vlmops.experiments.task import prompt_for
from vlmops.models.cards import DEFAULT_OUTPUT_TOKENS, CardTable, text_tokens
from vlmops.models.cards.expectation import schema_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from vlmops.datasets import ImageDataset, Sample
    from vlmops.engine import Limits
    from vlmops.models import Model
    from vlmops.models.cards import ModelCard

_SIZES_KEPT = 4096
_PROBLEMS_KEPT = 20
DEFAULT_LATENCY = 5.0
"""Seconds that an answer is expected to take."""


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What one model is expected to take; one that runs here takes no tokens and costs nothing.

    Attributes:
        model: Its name.
        card: Name of its card; empty when it has none.
        calls: How many answers are asked for, repetitions included.
        pictures: How many pictures go out in all of them.
        image_tokens: Tokens of those pictures; ``None`` when the card does not say how they count.
        text_tokens: Tokens of prompts and schema, by rule of thumb.
        input_tokens: Both; ``None`` when the pictures' are not known.
        output_tokens: Tokens out, as assumed.
        cost: US dollars; ``None`` when no price is known.
        seconds: At the limits, concurrency and latency assumed.
        shrunk: Pictures that are sent smaller than they are.
        rejected: Pictures of a size that the model refuses; their tokens are not in the sums.
        too_long: Samples whose input does not fit the model's window.
        certainty: How well the counting is known; empty without a card.
        source: Where the counting was read.
        dated: When that was.
        price_source: Where the price was read; empty when there is none.
        price_dated: When that was.
        note: What to beware of.
        problem: Why something could not be estimated; empty if all could.
    """

    model: str
    card: str
    calls: int
    pictures: int
    image_tokens: int | None
    text_tokens: int
    input_tokens: int | None
    output_tokens: int
    cost: float | None
    seconds: float
    shrunk: int = 0
    rejected: int = 0
    too_long: int = 0
    certainty: str = ""
    source: str = ""
    dated: str = ""
    price_source: str = ""
    price_dated: str = ""
    note: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What an estimate rests on besides cards and pictures.

    Attributes:
        repetitions: Answers to each sample.
        output_tokens: Tokens of each answer.
        latency: Seconds of each answer.
        concurrency: Requests under way at once.
        requests_per_minute: What the provider allows; ``None`` for no limit.
        tokens_per_minute: What the provider allows; ``None`` for no limit.
        detail: How finely models are asked to look, where they have such a setting.
        text: How text is counted.
    """

    repetitions: int
    output_tokens: int
    latency: float
    concurrency: int
    requests_per_minute: float | None
    tokens_per_minute: float | None
    detail: str
    text: str = "one token for every four bytes of UTF-8"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an experiment will take.

    Attributes:
        dataset: Name of the dataset.
        samples: How many samples can be used.
        pictures: How many pictures they hold.
        models: One row for each model.
        assumptions: What it rests on.
        unusable: How many samples or pictures could not be read; they are not in the sums.
        problems: The first of those, one line each.
    """

    dataset: str
    samples: int
    pictures: int
    models: Sequence[ModelEstimate]
    assumptions: Assumptions
    unusable: int = 0
    problems: Sequence[str] = field(default=())


def estimate(
    dataset: ImageDataset,
    models: Sequence[str | Model],
    *,
    prompt: str | None = None,
    schema: Any = None,
    detail: str = "auto",
    repetitions: int = 1,
    output_tokens: int = DEFAULT_OUTPUT_TOKENS,
    latency: float = DEFAULT_LATENCY,
    limits: Limits | None = None,
    max_side: int | None = None,
    cards: CardTable | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """What it will take to ask models about a dataset, before any call and without a network.

    Samples are streamed, and of their pictures the headers alone are read. Pictures that lie behind a URL
    and whose size no manifest tells are counted as unusable.

    Args:
        dataset: The dataset.
        models: Names of models (``"gpt-4o"``, ``"openai:gpt-4o"``), or models as an experiment takes them,
            whose own settings of pictures then hold.
        prompt: As :class:`~vlmops.experiments.ModelTask` takes it.
        schema: JSON Schema or pydantic model that answers must fit; providers put it into the prompt.
        detail: How finely models are asked to look; of no effect on those without such a setting.
        repetitions: Answers to each sample.
        output_tokens: Tokens expected of each answer.
        latency: Seconds expected of each answer.
        limits: What the provider allows, and how many requests are under way at once.
        max_side: Longest side in pixels that is sent.
        cards: A table, or further rows for the current one.
        parameters: Parameters of the cards' rules that the server sets (``max_pixels``); those that a card's
            rule lacks are passed over for it.
        progress: Called with the number of samples so far.

    Raises:
        UsageError: A row of ``cards`` is wrong, a model has no such detail, or the prompt names an input that
            no sample has.

    Example:
        >>> import numpy as np
        >>> from vlmops import Image, ImageDataset, Sample
        >>> picture = Image.from_array(np.zeros((1024, 1024, 3), np.uint8))
        >>> dataset = ImageDataset.from_samples("coins", [Sample("1", {"image": picture})])
        >>> (row,) = estimate(dataset, ["gpt-4o"], prompt="How many coins?", output_tokens=10).models
        >>> row.image_tokens, row.text_tokens, round(row.cost, 5)
        (765, 4, 0.00202)
    """
    from vlmops.engine import Limits

    if repetitions < 1:
        raise UsageError(f"repetitions is {repetitions}: must be at least 1")
    limits = limits or Limits()
    table = card_table(cards)
    fixed = text_tokens(schema_text(schema))
    rows = [
        _Row(asked_model(model, table, detail, max_side, parameters or {}), output_tokens) for model in models
    ]
    if prompt is not None:
        require_filled([(prompt_title(prompt), prompt)], dataset)
    samples = pictures = unusable = 0
    problems: list[str] = []
    for entry in dataset.entries():
        try:
            sizes, text = _looked_at(entry, prompt)
        except (ImageError, SampleError, KeyError) as error:
            unusable += 1
            if len(problems) < _PROBLEMS_KEPT:
                problems.append(_told(error))
            continue
        samples, pictures = samples + 1, pictures + len(sizes)
        for row in rows:
            row.add(sizes, text_tokens(text) + fixed)
        if progress is not None:
            progress(samples + unusable)
    assumptions = Assumptions(
        repetitions,
        output_tokens,
        latency,
        limits.concurrency,
        limits.requests_per_minute,
        limits.tokens_per_minute,
        detail,
    )
    done = [row.concluded(samples, pictures, assumptions) for row in rows]
    return Estimate(dataset.name, samples, pictures, done, assumptions, unusable, problems)


class _Row:
    """Sums of one model over the samples seen so far."""

    def __init__(self, asked: AskedModel, output_tokens: int) -> None:
        self._asked = asked
        self._card: ModelCard | None = asked.delivery.card
        self._out = output_tokens
        self._counted = lru_cache(_SIZES_KEPT)(asked.delivery.counted)
        self._sent_size = lru_cache(_SIZES_KEPT)(asked.delivery.sent_size)
        self._image = self._text = self._shrunk = self._rejected = self._too_long = 0
        self._cost = 0.0

    def add(self, sizes: Sequence[tuple[int, int]], text: int) -> None:
        """Count one sample, asked once."""
        pictures = 0
        for size in sizes:
            self._shrunk += self._sent_size(*size) != size
            counted = self._counted(*size)
            if counted is None or counted.rejected:
                self._rejected += counted is not None
                continue
            pictures += counted.tokens
        self._image += pictures
        self._text += text
        if self._card is None:
            return
        window = self._card.context_window
        self._too_long += window is not None and pictures + text > window
        self._cost += (
            self._card.cost(input_tokens=pictures + text, output_tokens=self._out, image_tokens=pictures)
            or 0.0
        )

    def concluded(self, samples: int, pictures: int, given: Assumptions) -> ModelEstimate:
        """The sums, times the repetitions."""
        times, card = given.repetitions, self._card
        if self._asked.local:
            calls, seconds = samples * times, _seconds(samples * times, 0, given)
            return ModelEstimate(
                self._asked.name, "", calls, pictures * times, 0, 0, 0, 0, 0.0, seconds, note=self._asked.note
            )
        counts = card is not None and bool(card.counting)
        price = card.price if card else None
        tokens = (self._image + self._text + samples * self._out) * times
        return ModelEstimate(
            model=self._asked.name,
            card=card.name if card else "",
            calls=samples * times,
            pictures=pictures * times,
            image_tokens=self._image * times if counts else None,
            text_tokens=self._text * times,
            input_tokens=(self._image + self._text) * times if counts else None,
            output_tokens=samples * self._out * times,
            cost=self._cost * times if price and counts else None,
            seconds=_seconds(samples * times, tokens, given),
            shrunk=self._shrunk,
            rejected=self._rejected,
            too_long=self._too_long,
            certainty=card.certainty if card else "",
            source=card.source if card else "",
            dated=card.dated if card else "",
            price_source=price.source if price else "",
            price_dated=price.dated if price else "",
            note=self._asked.note,
            problem=self._asked.problem,
        )


def _looked_at(entry: Sample | SampleError, prompt: str | None) -> tuple[list[tuple[int, int]], str]:
    """Sizes of the sample's pictures, and the text it is asked with.

    Raises:
        SampleError: The sample cannot be used.
        ImageError: A picture cannot be used.
        KeyError: The prompt names an input that the sample lacks.
    """
    if isinstance(entry, SampleError):
        raise entry
    from vlmops.images import images_in

    return [picture_size(image) for image in images_in(entry.inputs)], prompt_for(entry, prompt) or ""


def _told(error: Exception) -> str:
    return f"the prompt names {error}, which the inputs lack" if isinstance(error, KeyError) else str(error)


def _seconds(calls: int, tokens: int, given: Assumptions) -> float:
    """The slowest of what holds calls up: their latency, and the provider's limits."""
    waves = -(-calls // given.concurrency)
    slowest = waves * given.latency
    if given.requests_per_minute is not None:
        slowest = max(slowest, calls / given.requests_per_minute * 60)
    if given.tokens_per_minute is not None:
        slowest = max(slowest, tokens / given.tokens_per_minute * 60)
    return slowest
