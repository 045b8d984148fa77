"""Answers a question about scanned pages, looking closer where it must; every step can be seen in the trace.

python ask.py "What is the total of the invoice of Kestrel Workshop Supplies?" --to phoenix
"""

from __future__ import annotations

import argparse
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import openai
from archive import Archive, Page
from local_model import LocalModel
from opentelemetry import trace

import vlmops

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTRUCTIONS = (
    "Answer the question from the pages, in few words. If a page cannot be read well enough, cut out the "
    "part in question with look_closer, once, before you answer."
)
LOOK_CLOSER = {
    "type": "function",
    "function": {
        "name": "look_closer",
        "description": "Cuts a strip out of a page and enlarges it.",
        "parameters": {
            "type": "object",
            "properties": {
                "page": {"type": "integer", "description": "Number of the page, from 1."},
                "top": {"type": "number", "description": "0 is the upper edge of the page, 1 the lower."},
                "bottom": {"type": "number", "description": "As top."},
            },
            "required": ["page", "top", "bottom"],
        },
    },
}
STEPS = 4

# Under this name, Langfuse's SDK takes the spans for those of a framework, and exports them.
tracer = trace.get_tracer("openinference.instrumentation.documents")


class Assistant:
    """Finds pages, shows them to a model, and cuts out what the model wants to see closer."""

    def __init__(self, client: openai.OpenAI, model: str, archive: Archive) -> None:
        self.client, self.model, self.archive = client, model, archive

    def ask(self, question: str) -> str:
        """The answer."""
        with tracer.start_as_current_span(
            "answer a question", attributes={"openinference.span.kind": "AGENT", "input.value": question}
        ) as span:
            pages = self.archive.search(question)
            answer = self.converse(question, pages)
            span.set_attribute("output.value", answer)
        return answer

    def converse(self, question: str, pages: list[Page]) -> str:
        """What the model answers, once it has seen what it wants to see closer."""
        messages: list[dict] = [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": [*map(shown, pages), {"type": "text", "text": question}]},
        ]
        for _ in range(STEPS):
            reply = self.client.chat.completions.create(
                model=self.model, messages=messages, tools=[LOOK_CLOSER], temperature=0
            )
            message = reply.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls:
                messages += self.looked(call, pages)
        return "I could not find it."

    def looked(self, call: object, pages: list[Page]) -> list[dict]:
        """What a tool call adds to the conversation; chat completions take pictures from users only."""
        wanted = json.loads(call.function.arguments)
        cut = look_closer(pages[wanted["page"] - 1], wanted["top"], wanted["bottom"])
        done = {"role": "tool", "tool_call_id": call.id, "content": "The strip follows."}
        return [done, {"role": "user", "content": [shown(cut)]}]


def look_closer(page: Page, top: float, bottom: float) -> Page:
    """A strip of a page, as a tool that returns a picture."""
    given = {"page": page.name, "top": top, "bottom": bottom}
    attributes = {"openinference.span.kind": "TOOL", "tool.name": "look_closer"}
    with tracer.start_as_current_span("look_closer", attributes=attributes) as span:
        span.set_attribute("input.value", json.dumps(given))
        span.set_attribute("input.mime_type", "application/json")
        cut = page.strip(top, bottom)
        span.set_attribute("output.value", f"![{cut.name}]({cut.image.data_uri()})")
        return cut


def shown(page: Page) -> dict:
    """A picture as part of a message."""
    return {"type": "image_url", "image_url": {"url": page.image.data_uri()}}


@contextmanager
def assistant(model: str | None, archive: Archive) -> Iterator[Assistant]:
    """One that asks the named model where OPENAI_BASE_URL says; without a name, the one in this folder."""
    if model is not None:
        yield Assistant(openai.OpenAI(), model, archive)
        return
    with LocalModel() as local:
        yield Assistant(openai.OpenAI(base_url=local.url, api_key="none"), local.name, archive)


def main() -> None:
    """Answer the questions of the command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("question", nargs="+")
    arguments.add_argument("--to", action="append", choices=("phoenix", "langfuse"), help="repeat for both")
    arguments.add_argument(
        "--model", help="of the endpoint OPENAI_BASE_URL; the bundled text reader otherwise"
    )
    given = arguments.parse_args()
    project = os.environ.get("PHOENIX_PROJECT_NAME", "documents")
    tracing = vlmops.instrument(*(given.to or ["phoenix"]), project=project)
    with tracing, assistant(given.model, Archive.bundled()) as helper:
        for question in given.question:
            print(f"{question}\n  {helper.ask(question)}")


if __name__ == "__main__":
    main()
