"""Replays the corpus of trace shapes through the real instrumentors, and knows what must be found then."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from provider_server import ProviderServer
from trace_shapes import SHAPES, Session, Shape

ENCODED = re.compile(r"[A-Za-z0-9+/_-]{120}")
"""Base64: no word, hash or address of ours is that long."""


@contextmanager
def instrumented(provider: Any, config: Any, *, openai: bool = False) -> Iterator[None]:
    """The instrumentors of the other providers, and OpenAI's if nobody else sees to it."""
    from openinference.instrumentation.anthropic import AnthropicInstrumentor
    from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    instrumentors = [AnthropicInstrumentor(), GoogleGenAIInstrumentor()]
    instrumentors += [OpenAIInstrumentor()] if openai else []
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider, config=config)
    try:
        yield
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()


def replay(provider: Any, server: ProviderServer, shapes: Iterable[Shape]) -> dict[str, Session]:
    """Each shape in a trace of its own; what each has used, by name."""
    sessions = {}
    for shape in shapes:
        sessions[shape.name] = Session(server, provider, shape.name)
        shape.replay(sessions[shape.name])
    return sessions


def own_shapes() -> list[Shape]:
    """All that need no platform's SDK."""
    return [shape for shape in SHAPES if shape.needs != "langfuse"]


def pixels(pictures: Iterable[bytes]) -> set[str]:
    """What tells pictures apart, however they are encoded."""
    return {
        hashlib.sha256(Image.open(io.BytesIO(each)).convert("RGB").tobytes()).hexdigest() for each in pictures
    }


def hashes(pictures: Iterable[bytes]) -> set[str]:
    """Of their bytes."""
    return {hashlib.sha256(each).hexdigest() for each in pictures}


def encoded(text: str) -> list[str]:
    """Base64 in a text, and marks that stand for a picture that was lost."""
    return [*ENCODED.findall(text), *re.findall(r"__REDACTED__|vlmops-held:", text)]
