"""Speed of the document metrics beside the packages that define them, on the same input.

Run ``python benchmarks/evaluators/documents.py``. Each pair is timed in turns, best of several rounds; a
ratio above 1 means that ours is faster. Packages that are absent are named with how to install them.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LETTERS = "abcdefghijklmnopqrstuvwxyz     .,0123456789"


@dataclass(frozen=True)
class Pair:
    """Ours and a reference, on the same cases."""

    name: str
    package: str
    cases: int
    ours: Callable[[], Any]
    reference: Callable[[], Any]


def noisy(generator: random.Random, text: str) -> str:
    return "".join(c if generator.random() > 0.05 else generator.choice(LETTERS) for c in text)


def texts(count: int, length: int) -> list[tuple[str, str]]:
    generator = random.Random(0)
    expected = ["".join(generator.choices(LETTERS, k=length)) for _ in range(count)]
    return [(noisy(generator, text), text) for text in expected]


def invoices(count: int) -> list[tuple[Any, Any]]:
    generator = random.Random(1)

    def invoice() -> dict[str, Any]:
        items = [{"name": generator.choice(["cake", "juice", "tea"]), "count": str(i)} for i in range(4)]
        return {"total": f"{generator.random() * 100:.2f}", "date": "2024-05-03", "items": items}

    def misread(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: misread(part) for key, part in value.items()}
        return [misread(part) for part in value] if isinstance(value, list) else noisy(generator, value)

    return [(misread(document), document) for document in (invoice() for _ in range(count))]


def tables(count: int, rows: int) -> list[tuple[str, str]]:
    generator = random.Random(2)

    def table() -> str:
        cells = [[f"{generator.random() * 99:.1f}" for _ in range(5)] for _ in range(rows)]
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)
        return f"<html><body><table>{body}</table></body></html>"

    return [(table(), table()) for _ in range(count)]


def error_rates(count: int) -> list[Pair]:
    import jiwer

    cases = texts(count, 60)

    def each(rate: Callable[[str, str], float]) -> Callable[[], list[float]]:
        return lambda: [rate(output, expected) for output, expected in cases]

    def corpus() -> float:
        return documents.corpus_error_rate(documents.character_edits(*case) for case in cases)

    return [
        Pair(
            "CER, each",
            "jiwer",
            count,
            each(documents.character_error_rate),
            each(lambda o, e: jiwer.cer(e, o)),
        ),
        Pair(
            "WER, each", "jiwer", count, each(documents.word_error_rate), each(lambda o, e: jiwer.wer(e, o))
        ),
        Pair(
            "CER, corpus",
            "jiwer",
            count,
            corpus,
            lambda: jiwer.cer([e for _, e in cases], [o for o, _ in cases]),
        ),
    ]


def similarities(count: int) -> list[Pair]:
    from anls_star import anls_score

    answers, forms = texts(count, 20), invoices(max(1, count // 20))
    return [
        Pair(
            "ANLS",
            "anls-star",
            count,
            lambda: [documents.anls(o, [e], variant="anls_star") for o, e in answers],
            lambda: [anls_score([e], o) for o, e in answers],
        ),
        Pair(
            "ANLS*, invoices",
            "anls-star",
            len(forms),
            lambda: [documents.anls_star(o, e) for o, e in forms],
            lambda: [anls_score(e, o) for o, e in forms],
        ),
    ]


def table_similarities(count: int) -> list[Pair]:
    from table_recognition_metric import TEDS

    cases, reference = tables(max(1, count // 1000), 10), TEDS()
    return [
        Pair(
            "TEDS, 10 x 5 cells",
            "table-recognition-metric",
            len(cases),
            lambda: [documents.teds(o, e, variant="table_recognition_metric") for o, e in cases],
            lambda: [reference(o, e) for o, e in cases],
        )
    ]


GROUPS: dict[str, Callable[[int], list[Pair]]] = {
    "jiwer": error_rates,
    "anls-star": similarities,
    "table-recognition-metric": table_similarities,
}


def measure(pair: Pair, rounds: int) -> tuple[float, float]:
    """Best seconds of ours and of the reference, timed in turns."""
    ours, reference = [], []
    for _ in range(rounds):
        for function, times in ((pair.ours, ours), (pair.reference, reference)):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return min(ours), min(reference)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    absent = []
    print(f"{'metric':<22}{'reference':<26}{'cases':>7}{'ours s':>10}{'reference s':>13}{'ratio':>8}")
    for package, group in GROUPS.items():
        try:
            pairs = group(options.cases)
        except ImportError:
            absent.append(package)
            continue
        for pair in pairs:
            ours, reference = measure(pair, options.rounds)
            row = f"{ours:>10.3f}{reference:>13.3f}{reference / ours:>7.1f}x"
            print(f"{pair.name:<22}{pair.package:<26}{pair.cases:>7}{row}")
    if absent:
        print(f"absent: pip install {' '.join(absent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
