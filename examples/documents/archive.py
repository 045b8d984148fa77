"""Scanned pages, and a search over the words that are known of them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass

from opentelemetry import trace
from PIL import Image as Pillow

from vlmops import Image
from vlmops.demo import demo_folder

SMALLEST_STRIP = 40
tracer = trace.get_tracer("openinference.instrumentation.documents")


@dataclass(frozen=True)
class Page:
    """A page and its picture."""

    name: str
    image: Image
    words: str = ""

    def strip(self, top: float, bottom: float) -> Page:
        """The part between two heights (0 is the upper edge, 1 the lower), enlarged twice."""
        picture = self.image.to_pil().convert("RGB")
        upper = max(0, min(round(top * picture.height), picture.height - SMALLEST_STRIP))
        lower = min(picture.height, max(round(bottom * picture.height), upper + SMALLEST_STRIP))
        cut = picture.crop((0, upper, picture.width, lower))
        cut = cut.resize((2 * cut.width, 2 * cut.height), Pillow.Resampling.LANCZOS)
        out = io.BytesIO()
        cut.save(out, "PNG")
        return Page(f"{self.name} {upper}-{lower}", Image.from_bytes(out.getvalue(), self.name))


class Archive:
    """Pages that are found by their words."""

    def __init__(self, pages: list[Page]) -> None:
        self.pages = pages

    @classmethod
    def bundled(cls) -> Archive:
        """The receipts and invoices that come with vlmops."""
        folder = demo_folder()
        lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        known = [record for record in map(json.loads, lines) if record["fields"]]
        return cls([Page(r["id"], Image.from_path(folder / r["file_name"]), r["text"]) for r in known])

    def search(self, question: str, count: int = 2) -> list[Page]:
        """The pages that share most words with the question, best first."""
        attributes = {"openinference.span.kind": "RETRIEVER", "input.value": question}
        with tracer.start_as_current_span("search pages", attributes=attributes) as span:
            wanted = words(question)
            scored = [(len(wanted & words(page.words)) / len(wanted), page) for page in self.pages]
            best = sorted(scored, key=lambda pair: pair[0], reverse=True)[:count]
            for number, (score, page) in enumerate(best):
                document = f"retrieval.documents.{number}.document"
                span.set_attributes(
                    {
                        f"{document}.id": page.name,
                        f"{document}.score": score,
                        f"{document}.content": f"![{page.name}]({page.image.data_uri()})\n\n{page.words}",
                    }
                )
            return [page for _, page in best]


def words(text: str) -> set[str]:
    """The words of a text, without those that are in every question."""
    common = {"the", "of", "is", "what", "was", "on", "at", "for", "a", "how", "much", "did", "in"}
    return set(re.findall(r"\w+", text.lower())) - common or {""}
