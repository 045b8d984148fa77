"""Phoenix's trace page draws every picture of the corpus, generated ones included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from phoenix_process import Phoenix
from playwright.sync_api import Browser, Page
from provider_server import ProviderServer
from trace_replay import instrumented, own_shapes, replay
from trace_shapes import Session, Shape

import vlmops
from vlmops.tracing import trace_config

pytestmark = pytest.mark.browser

PROJECT = "drawn"
IN_TEXT = {"markdown_in_a_chain", "json_within_json", "retriever_with_page_images", "failing_span"}
"""Phoenix draws pictures in texts for readers who ask for Markdown, and none in JSON, metadata and errors."""

MODEL_CALLS = [shape for shape in own_shapes() if shape.name not in IN_TEXT]
LOADED = """
() => [...document.querySelectorAll('img')]
    .filter(image => image.naturalWidth > 0)
    .map(image => image.getAttribute('src') || '')
    .filter(source => source.includes('/vlmops/media/') || source.includes('/pictures/'))
"""


@dataclass(frozen=True)
class Replayed:
    """Where the pages of the traces are, by the name of the shape; and what each has used."""

    pages: dict[str, list[str]]
    sessions: dict[str, Session]


@pytest.fixture(scope="module")
def replayed(phoenix_server: Phoenix) -> Iterator[Replayed]:
    server, provider = ProviderServer(), TracerProvider()
    tracing = vlmops.instrument(
        "phoenix",
        url=phoenix_server.url,
        project=PROJECT,
        media_store=phoenix_server.media_store,
        tracer_provider=provider,
    )
    with tracing, instrumented(provider, trace_config()):
        sessions = replay(provider, server, MODEL_CALLS)
        assert tracing.flush()
    yield Replayed(pages(phoenix_server.url, len(sessions)), sessions)
    server.close()


def pages(url: str, count: int) -> dict[str, list[str]]:
    """Pages of all spans below the root, for each trace, once so many have arrived."""
    deadline = time.monotonic() + 60
    while True:
        answer = httpx.get(f"{url}/v1/projects/{PROJECT}/spans", params={"limit": 1000}, timeout=60)
        spans = answer.json()["data"] if answer.is_success else []
        roots = {s["context"]["trace_id"]: s["name"] for s in spans if not s["parent_id"]}
        if len(roots) >= count:
            break
        assert time.monotonic() < deadline, f"{len(roots)} of {count} traces have arrived"
        time.sleep(0.2)
    project = httpx.get(f"{url}/v1/projects/{PROJECT}").json()["data"]["id"]
    found: dict[str, list[str]] = {}
    for span in spans:
        trace = span["context"]["trace_id"]
        if span["parent_id"]:
            page = f"{url}/projects/{project}/traces/{trace}?selectedSpanNodeId={span['id']}"
            found.setdefault(roots[trace], []).append(page)
    return found


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """One for all traces: Phoenix's scripts are loaded once."""
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page
    context.close()


@pytest.mark.parametrize("shape", MODEL_CALLS, ids=lambda shape: shape.name)
def test_the_page_draws_every_picture(tab: Page, replayed: Replayed, shape: Shape) -> None:
    session = replayed.sessions[shape.name]
    wanted = len(session.given) + len(session.urls)
    drawn: set[str] = set()
    for url in replayed.pages[shape.name]:
        tab.goto(url)
        tab.get_by_role("tab", name="Info").wait_for()
        if shape.name == "tool_that_returns_a_picture":
            tab.get_by_role("radio", name="Markdown").last.click()
        deadline = time.monotonic() + 90
        while len(drawn) < wanted and time.monotonic() < deadline:
            drawn |= set(tab.evaluate(LOADED))
            tab.wait_for_timeout(100)
        if len(drawn) >= wanted:
            break
    assert len(drawn) == wanted
