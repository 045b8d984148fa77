"""Caption measures against pycocoevalcap on 10,000 pictures with five references each.

Run by hand, with pycocoevalcap and Java installed beside vlmops:
``python benchmarks/evaluators/captions.py [pictures]``. Without them only our own times are printed.
"""

from __future__ import annotations

import random
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

from vlmops.evaluators.captions import cider_d, corpus_bleu, ptb_tokenize, rouge_l

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS = ("A man", "Two women", "The dog", "Several people", "A black cat", "A small child", "Three birds")
VERBS = ("is riding", "stands near", "sitting on", "looks at", "holding", "walks past", "is parked beside")
OBJECTS = ("a horse", "the red car", "a skateboard", "a large pizza", "a wooden table", "a kite", "a bench")
PLACES = (
    "in the park",
    "on a city street",
    "at night",
    "near the beach",
    "in a kitchen",
    "under an umbrella",
)


def caption(source: random.Random) -> str:
    """One made-up caption of about ten words."""
    return f"{' '.join(source.choice(part) for part in (SUBJECTS, VERBS, OBJECTS, PLACES))}."


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result of a call."""
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def ours(candidates: list[str], references: list[list[str]]) -> dict[str, tuple[float, Any]]:
    """Time and value of each measure, tokens included once."""
    tokens = timed(lambda: ([*map(ptb_tokenize, candidates)], [[*map(ptb_tokenize, r)] for r in references]))
    res, gts = tokens[1]
    return {
        "tokens": (tokens[0], sum(len(text.split()) for text in res)),
        "bleu": timed(lambda: corpus_bleu(res, gts)[3]),
        "rouge_l": timed(lambda: sum(map(rouge_l, res, gts)) / len(res)),
        "cider": timed(lambda: sum(cider_d(res, gts)) / len(res)),
    }


def theirs(candidates: list[str], references: list[list[str]]) -> dict[str, tuple[float, Any]]:
    """The same by pycocoevalcap."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    def tokens(captions: list[list[str]]) -> dict[int, list[str]]:
        rows = {index: [{"caption": text} for text in texts] for index, texts in enumerate(captions)}
        return PTBTokenizer().tokenize(rows)

    tokenized = timed(lambda: (tokens([[text] for text in candidates]), tokens(references)))
    res, gts = tokenized[1]
    return {
        "tokens": (tokenized[0], sum(len(texts[0].split()) for texts in res.values())),
        "bleu": timed(lambda: Bleu(4).compute_score(gts, res, verbose=0)[0][3]),
        "rouge_l": timed(lambda: Rouge().compute_score(gts, res)[0]),
        "cider": timed(lambda: Cider().compute_score(gts, res)[0]),
    }


def main() -> None:
    """Print one line per measure."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    source = random.Random(7)
    candidates = [caption(source) for _ in range(pictures)]
    references = [[caption(source) for _ in range(5)] for _ in range(pictures)]
    found = ours(candidates, references)
    try:
        reference = theirs(candidates, references)
    except ImportError:
        reference = {}
    for name, (seconds, value) in found.items():
        line = f"{name:8} {seconds:7.2f} s  {value:.6f}"
        if name in reference:
            other, wanted = reference[name]
            line += f"   pycocoevalcap {other:7.2f} s  {wanted:.6f}   {other / seconds:.1f} times as fast"
        print(line)


if __name__ == "__main__":
    main()
