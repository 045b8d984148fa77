"""Slots of prompts: names of inputs, in whose place each sample's own are said."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from vlmops.datasets import Sample
from vlmops.errors import UsageError
from vlmops.images import images_in
from vlmops.platforms.prompts import PromptVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vlmops.datasets import ImageDataset

_SINGLE = re.compile(r"\{([A-Za-z_]\w*)\}")
_DOUBLED = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_SHOWN = 20
_TITLE = 60
_KEPT = 1000


def slots_of(prompt: str | PromptVersion | None) -> tuple[str, ...]:
    """Names of the inputs that a prompt is filled with, each once, in order.

    Example:
        >>> slots_of('How many {what}, in {unit}? Name each {what}. Answer {"n": 0}')
        ('what', 'unit')
    """
    if prompt is None:
        return ()
    if isinstance(prompt, PromptVersion):
        names = [name for turn in prompt.prompt.turns for name in _DOUBLED.findall(turn.text)]
    else:
        names = _SINGLE.findall(prompt)
    return tuple(dict.fromkeys(names))


def prompt_title(prompt: str | PromptVersion | None) -> str:
    """What a prompt is called in messages.

    Example:
        >>> prompt_title("Count.")
        "prompt 'Count.'"
    """
    if isinstance(prompt, PromptVersion):
        return f"prompt {prompt.prompt.name!r}, version {prompt.version}"
    words = " ".join((prompt or "").split())
    return f"prompt {words if len(words) <= _TITLE else words[: _TITLE - 3] + '...'!r}"


def filled(text: str, sample: Sample, *, doubled: bool = False) -> str:
    """The text with ``{field}`` replaced by the sample's input of that name; other braces stay.

    Args:
        text: What is to be said.
        sample: Whose inputs are said in it.
        doubled: Whether ``{{field}}`` is a slot in the place of ``{field}``, as in prompts of platforms.

    Raises:
        KeyError: The sample lacks an input.

    Example:
        >>> sample = Sample("1", {"what": "coins"})
        >>> filled('How many {what}? Answer {"n": 0}', sample)
        'How many coins? Answer {"n": 0}'
        >>> filled('How many {{ what }}? Answer {"n": {limit}}', sample, doubled=True)
        'How many coins? Answer {"n": {limit}}'
    """
    slot = _DOUBLED if doubled else _SINGLE
    return slot.sub(lambda found: _text(sample.inputs[found[1]]), text)


def unfilled(prompts: Sequence[tuple[str, str | PromptVersion]], dataset: ImageDataset) -> list[str]:
    """What to tell of prompts with a slot that no sample of the dataset can fill.

    Samples are streamed no further than until each slot was seen among the inputs of one, which commonly is
    the first; no picture is read. That only some samples lack an input is a failure of those, and none of the
    prompt; where there is no sample at all, nothing can be said.

    Args:
        prompts: Each after the words that it is told of by.
        dataset: What they are filled from.

    Example:
        >>> from vlmops import ImageDataset
        >>> dataset = ImageDataset.from_samples("parts", [Sample("1", {"products": "bolts"})])
        >>> asked = [("a.txt", "Count each {product}."), ("b.txt", "Count the {products}.")]
        >>> [told.split("; ") for told in unfilled(asked, dataset)]  # doctest: +NORMALIZE_WHITESPACE
        [["a.txt: names {product}, which no sample of dataset 'parts' has among its inputs (products)",
          'did you mean {products}?']]
    """
    wanted = [(told, slot, prompt) for told, prompt in prompts for slot in slots_of(prompt)]
    seen = _Seen({slot for _, slot, _ in wanted})
    if seen.found_all_in(entry for entry in dataset.entries() if isinstance(entry, Sample)):
        return []
    return [
        f"{told}: {seen.said_of(slot, dataset.name, doubled=isinstance(prompt, PromptVersion))}"
        for told, slot, prompt in wanted
        if slot in seen.missing
    ]


def require_filled(prompts: Sequence[tuple[str, str | PromptVersion]], dataset: ImageDataset) -> None:
    """Refuse prompts with a slot that no sample of the dataset can fill; see :func:`unfilled`.

    Raises:
        UsageError: There is such a slot; each is told on a line of its own.
    """
    if problems := unfilled(prompts, dataset):
        raise UsageError("\n".join(problems))


class _Seen:
    """Inputs of the samples looked at so far."""

    def __init__(self, wanted: set[str]) -> None:
        self.missing = wanted
        self._inputs: dict[str, bool] = {}
        """By name, whether it can be said: pictures are shown."""
        self._metadata: set[str] = set()

    def found_all_in(self, samples: Iterable[Sample]) -> bool:
        """Look at samples until nothing is missing; also true where there is none to look at."""
        empty = True
        for sample in samples:
            empty = False
            self.missing -= sample.inputs.keys()
            if not self.missing:
                return True
            # What is named for each sample anew is of no help, and may be as large as the dataset.
            if len(self._inputs) < _KEPT:
                self._inputs |= {k: next(images_in(v), None) is None for k, v in sample.inputs.items()}
            self._metadata |= self.missing & sample.metadata.keys()
        return empty

    def said_of(self, slot: str, dataset: str, *, doubled: bool) -> str:
        """What is wrong with a slot, and what to do."""

        def braced(name: str) -> str:
            return f"{{{{{name}}}}}" if doubled else f"{{{name}}}"

        known = f" ({_listed(list(self._inputs))})" if self._inputs else ": they have none"
        lack = f"names {braced(slot)}, which no sample of dataset {dataset!r} has among its inputs{known}"
        if slot in self._metadata:
            return f"{lack}; their metadata has it, which no model is shown: push it as an input (--input)"
        near = get_close_matches(slot, [name for name, said in self._inputs.items() if said], n=1)
        return f"{lack}; did you mean {braced(near[0])}?" if near else lack


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown}, ... and more" if len(names) > _SHOWN else shown


def _text(value: Any) -> str:
    """An input as it stands in a prompt: text as it is, anything else as JSON."""
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
