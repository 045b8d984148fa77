"""The demo: one dataset, several readers, one comparison, in a platform that runs on this machine."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from vlmops.datasets import ImageDataset
from vlmops.demo.dataset import demo_folder
from vlmops.demo.receipt_parser import parse_receipt
from vlmops.evaluators import Evaluator, create
from vlmops.experiments import Experiment, ExperimentResult, ExperimentSummary, ModelTask
from vlmops.models import Model, ModelReply
from vlmops.models import create as create_model
from vlmops.models import entries as model_entries
from vlmops.platforms import Platform, PushReport, connect, push

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vlmops.experiments.task import PostProcess
    from vlmops.platforms.port import LocalServer
    from vlmops.platforms.push import Progress as PushProgress
    from vlmops.platforms.records import Progress

DATASET = "vlmops-demo-documents"
DESCRIPTION = "Documents to read: photographs, scans, and receipts drawn with exact ground truth"

_CONCURRENCY = 2
"""The local readers share two processors; more at once would only wait."""

_PROMPT = (
    "Transcribe all text in the picture, line by line in reading order. If it is a receipt or an invoice, "
    "also give its merchant, date (YYYY-MM-DD), total and items. Answer with JSON: "
    '{"text": "...", "fields": {"merchant": "...", "date": "...", "total": 0.0, '
    '"items": [{"name": "...", "quantity": 1, "price": 0.0}]} or null}'
)


@dataclass(frozen=True)
class Variant:
    """One reader to compare.

    Attributes:
        name: How its experiment is called.
        model: Who reads.
        prompt: What it is asked; OCR models are asked nothing.
        post_process: Makes text and fields of its reply.
        metadata: Recorded with the experiment.
    """

    name: str
    model: Model
    prompt: str | None
    post_process: PostProcess | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows at its end.

    Attributes:
        summaries: Each variant in figures.
        links: What to open, by what it is.
    """

    summaries: Sequence[ExperimentSummary]
    links: Mapping[str, str]


@dataclass(frozen=True)
class DemoTour:
    """The steps of the demo, each of which a user's own script would take as well.

    Attributes:
        variants: The readers to compare.
        run_key: Tells this run's experiments from those of earlier runs.
    """

    variants: Sequence[Variant]
    run_key: str

    @classmethod
    def of(cls, models: Sequence[str]) -> DemoTour:
        """The demo with the local readers that work here, and the further models named.

        Raises:
            UsageError: A model is unknown.
            PrerequisiteError: A model's package or key is missing.
        """
        return cls([*_local_variants(), *map(_named_variant, models)], uuid.uuid4().hex[:12])

    def push(self, server: LocalServer, progress: PushProgress | None) -> PushReport:
        """Bring the bundled pictures to the platform; unchanged ones cost nothing."""
        dataset = ImageDataset.from_folder(demo_folder(), name=DATASET, description=DESCRIPTION)
        return push(dataset, _platform(server), progress=progress)

    def run(self, server: LocalServer, variant: Variant, progress: Progress | None) -> ExperimentResult:
        """Let a reader read every picture, and score it."""
        return Experiment(
            dataset=DATASET,
            name=variant.name,
            task=ModelTask(variant.model, variant.prompt, post_process=variant.post_process),
            evaluators=_evaluators(),
            key=f"demo-{self.run_key}-{variant.name}",
            metadata={"model": variant.model.name, "vlmops": version("vlmops"), **variant.metadata},
            concurrency=_CONCURRENCY,
        ).run(_platform(server), progress)

    def conclude(
        self, server: LocalServer, pushed: PushReport, results: Sequence[ExperimentResult]
    ) -> DemoResult:
        """Gather what to print."""
        records = [result.record for result in results]
        links = {
            "dataset, with its pictures": pushed.targets[0].url,
            "experiments compared": _platform(server).experiments.compare_url(records),
        }
        if records[0].trace_url:
            links["a trace, with its picture"] = records[0].trace_url
        return DemoResult([result.summary for result in results], links)


def _platform(server: LocalServer) -> Platform:
    return connect("phoenix", url=server.url, media_store=str(server.media_store))


def _evaluators() -> list[Evaluator]:
    return [
        create("cer", key="text"),
        create("wer", key="text"),
        create("anls", key="text"),
        create("field_match", key="fields"),
    ]


def _local_variants() -> list[Variant]:
    """Two generations of one reader; where the older cannot be installed, the newer on half-size pictures."""
    usable = {entry.name for entry in model_entries() if not entry.error}
    variants = [Variant("rapidocr", create_model("rapidocr", parser=parse_receipt), None, None)]
    if "rapidocr-onnxruntime" in usable:
        older = create_model("rapidocr-onnxruntime", parser=parse_receipt)
        variants.append(Variant("rapidocr-onnxruntime", older, None, None))
    else:
        from vlmops.demo.half_size import HalfSize

        model = HalfSize(create_model("rapidocr", parser=parse_receipt))
        variants.append(Variant("rapidocr half-size", model, None, None))
    return variants


def _named_variant(name: str) -> Variant:
    return Variant(name, create_model(name), _PROMPT, _text_and_fields, {"prompt": _PROMPT})


def _text_and_fields(reply: ModelReply) -> dict[str, Any]:
    """The JSON in a chat model's answer, with or without a code fence.

    Raises:
        ValueError: There is none.
    """
    import json

    text = reply.text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the answer is not JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise ValueError("the answer is JSON without a text")  # noqa: TRY004 - unreadable, not a caller's bug
    return {"text": found["text"], "fields": found.get("fields")}
