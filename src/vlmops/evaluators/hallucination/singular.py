"""Singular of English nouns, as far as naming objects needs it."""

from __future__ import annotations

from functools import lru_cache

_IRREGULAR = {
    "bikinis": "bikini", "broccolis": "broccoli", "kiwis": "kiwi", "paninis": "panini", "skis": "ski",
    "taxis": "taxi", "zucchinis": "zucchini",
    "buses": "bus", "calves": "calf", "canvases": "canvas", "children": "child", "dwarves": "dwarf",
    "elves": "elf", "feet": "foot", "gases": "gas", "geese": "goose", "grandchildren": "grandchild",
    "halves": "half", "hooves": "hoof", "knives": "knife", "leaves": "leaf", "lenses": "lens",
    "lice": "louse", "loaves": "loaf", "men": "man", "mice": "mouse", "oxen": "ox", "people": "person",
    "scarves": "scarf", "shelves": "shelf", "teeth": "tooth", "thieves": "thief", "viruses": "virus",
    "walruses": "walrus", "wives": "wife", "wolves": "wolf", "women": "woman",
}  # fmt: skip
_IRREGULAR_ENDINGS = ("buses", "children", "knives", "men", "people", "shelves", "wives", "women", "wolves")
_ENDING_IN_IE = ("brownie", "calorie", "collie", "cookie", "hoodie", "movie", "pie", "selfie", "tie")
_ENDING_IN_CHE = ("ache", "quiche", "axe")
_ENDING_IN_OE = ("canoe", "hoe", "oboe", "shoe", "toe")
_UNCHANGED = frozenset(("always", "canvas", "gas", "has", "its", "lens", "was", "yes"))
_SHORTEST_PLURAL = 3


@lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """The singular of a lower-case English noun; other words come back more or less as they are.

    Rules and a short list of exceptions. It serves to match mentions against a vocabulary whose words pass
    through the same function, so that what matters is that both numbers of a noun give one form.

    Example:
        >>> [singular(word) for word in ("dogs", "buses", "knives", "people", "glass", "cherries", "shoes")]
        ['dog', 'bus', 'knife', 'person', 'glass', 'cherry', 'shoe']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    ending = next((plural for plural in _IRREGULAR_ENDINGS if word.endswith(plural)), None)
    if ending:
        return word.removesuffix(ending) + _IRREGULAR[ending]
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word in _UNCHANGED:
        return word
    return word if word.endswith(("ss", "us", "is")) else _without_s(word)


def _without_s(word: str) -> str:
    stem = word[:-1]
    if stem.endswith("ie"):
        return stem if stem.endswith(_ENDING_IN_IE) else f"{stem[:-2]}y"
    if stem.endswith(("she", "che", "xe", "sse", "zze")):
        return stem if stem.endswith(_ENDING_IN_CHE) else stem[:-1]
    if stem.endswith("oe"):
        return stem if stem.endswith(_ENDING_IN_OE) else stem[:-1]
    return stem
