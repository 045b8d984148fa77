"""In what the variants of a report were made differently: prompt, model, parameters, code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmops.reports.text import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.experiments.comparison import Comparison

# What platforms and vlmops keep with an experiment for themselves.
_OWN = ("scores", "vlmops_key", "vlmops.key")
_PROMPT_WORDS = ("prompt", "system", "instruction", "template")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing recorded with the experiments.

    Attributes:
        name: Its key in their metadata.
        values: As text, one a variant; ``None`` where it was not recorded.
        is_prompt: Whether it is a text that a model was given.
    """

    name: str
    values: Sequence[str | None]
    is_prompt: bool

    @property
    def differs(self) -> bool:
        """Whether not all variants have the same."""
        return len(set(self.values)) > 1


def settings_of(comparison: Comparison) -> list[Setting]:
    """All that was recorded of the variants: prompts first, then what differs.

    Example:
        >>> from vlmops.experiments import compare
        >>> from vlmops.platforms import ExperimentRecord
        >>> old = ExperimentRecord("1", "a", "", "d", "1", [], metadata={"model": "m", "prompt": "Read."})
        >>> new = ExperimentRecord("2", "b", "", "d", "1", [], metadata={"model": "m", "prompt": "Read all."})
        >>> [(setting.name, setting.differs) for setting in settings_of(compare([old, new]))]
        [('prompt', True), ('model', False)]
    """
    names = dict.fromkeys(name for variant in comparison.variants for name in variant.metadata)
    found = []
    for name in names:
        if name in _OWN or name.startswith("_"):
            continue
        values = [variant.metadata.get(name) for variant in comparison.variants]
        texts = [None if value is None else readable(value) for value in values]
        if any(text is not None for text in texts):
            found.append(Setting(name, texts, _is_prompt(name, texts)))
    return sorted(found, key=lambda setting: (not setting.is_prompt, not setting.differs))


def _is_prompt(name: str, texts: Sequence[str | None]) -> bool:
    named = any(word in name.lower() for word in _PROMPT_WORDS) and not name.endswith(("_name", "_version"))
    return named or any(text is not None and "\n" in text.strip() and len(text) > 200 for text in texts)
