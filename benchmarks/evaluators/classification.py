"""Classification metrics against scikit-learn on 10,000 cases.

Run by hand, with scikit-learn installed beside vlmops:
``python benchmarks/evaluators/classification.py [cases]``. Without it only our own times are printed.
"""

from __future__ import annotations

import random
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

from vlmops.evaluators import Case, create
from vlmops.evaluators.classification import (
    accuracy,
    average_precision,
    balanced_accuracy,
    confusion_matrix,
    matthews_correlation,
    precision_recall_f1,
    roc_auc,
)
from vlmops.statistics import cohen_kappa, kendall_tau

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = ["ok", "scratch", "dent", "crack", "rust", "stain"]
REPEATS = 7


def best_time(call: Callable[[], Any]) -> float:
    """Least seconds of several calls, the first one not counted."""
    call()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def made_up(cases: int) -> dict[str, list[Any]]:
    """Labels that are right four times in five, and scores that lean to the truth."""
    source = random.Random(3)
    gold = [source.choice(LABELS) for _ in range(cases)]
    predicted = [label if source.random() < 0.8 else source.choice(LABELS) for label in gold]
    truth = [source.randint(0, 1) for _ in range(cases)]
    scores = [min(1.0, max(0.0, source.gauss(0.4 + 0.2 * positive, 0.25))) for positive in truth]
    return {"gold": gold, "predicted": predicted, "truth": truth, "scores": scores}


def ours(data: dict[str, list[Any]]) -> dict[str, Callable[[], Any]]:
    """Our calls by metric."""
    labels, binary = (data["gold"], data["predicted"]), (data["truth"], data["scores"])
    return {
        "accuracy": lambda: accuracy(*labels),
        "balanced accuracy": lambda: balanced_accuracy(*labels),
        "macro F1": lambda: precision_recall_f1(*labels),
        "MCC": lambda: matthews_correlation(*labels),
        "confusion matrix": lambda: confusion_matrix(*labels),
        "kappa": lambda: cohen_kappa(*labels),
        "ROC-AUC": lambda: roc_auc(*binary),
        "average precision": lambda: average_precision(*binary),
        "Kendall tau": lambda: kendall_tau(*binary),
    }


def theirs(data: dict[str, list[Any]]) -> dict[str, Callable[[], Any]]:
    """The same by scikit-learn and scipy."""
    from scipy import stats
    from sklearn import metrics

    labels, binary = (data["gold"], data["predicted"]), (data["truth"], data["scores"])
    return {
        "accuracy": lambda: metrics.accuracy_score(*labels),
        "balanced accuracy": lambda: metrics.balanced_accuracy_score(*labels),
        "macro F1": lambda: metrics.precision_recall_fscore_support(
            *labels, average="macro", zero_division=0
        ),
        "MCC": lambda: metrics.matthews_corrcoef(*labels),
        "confusion matrix": lambda: metrics.confusion_matrix(*labels),
        "kappa": lambda: metrics.cohen_kappa_score(*labels),
        "ROC-AUC": lambda: metrics.roc_auc_score(*binary),
        "average precision": lambda: metrics.average_precision_score(*binary),
        "Kendall tau": lambda: stats.kendalltau(*binary),
    }


def main() -> None:
    """Print one line per metric, then the time of a whole evaluator with its intervals."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    data = made_up(cases)
    try:
        reference = theirs(data)
    except ImportError:
        reference = {}
        print("scikit-learn is not installed: only our own times")
    for metric, call in ours(data).items():
        own = best_time(call) * 1e3
        other = f"  scikit-learn {best_time(reference[metric]) * 1e3:8.2f} ms" if reference else ""
        print(f"{metric:20} vlmops {own:8.2f} ms{other}")
    rows = [Case(output=p, expected=g) for g, p in zip(data["gold"], data["predicted"], strict=True)]
    evaluator = create("classification", labels=LABELS)
    start = perf_counter()
    evaluator.evaluate_set(rows)
    print(f"{cases} cases with 2,000 resamples for each of six metrics: {perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
