"""What applications send to and get from models that see: one function a shape, one trace each.

A shape takes a :class:`Session` and does what an application would, through the providers' own clients or
with spans of its own. Every picture it uses comes from :meth:`Session.picture`, so that it is known what the
trace must show; what the server generates is added to it.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opentelemetry.trace import Span, Status, StatusCode, TracerProvider
from provider_server import ProviderServer, drawn

if TYPE_CHECKING:
    import anthropic
    import openai
    from google import genai

MODEL = "gpt-4.1-mini"
CLAUDE = "claude-opus-4-5"
GEMINI = "gemini-2.5-flash"
COLOURS = ("red", "green", "blue", "yellow")
SCOPE = "openinference.instrumentation.application"
"""Of scopes it does not know, Langfuse's SDK exports nothing."""

TOOL = {
    "type": "function",
    "function": {"name": "open_page", "parameters": {"type": "object", "properties": {"page": {}}}},
}


class Closable(Protocol):
    def close(self) -> object: ...


C = TypeVar("C", bound=Closable)


@dataclass
class Session:
    """What a shape works with.

    Attributes:
        server: The providers.
        provider: Where its own spans go.
        name: The shape's name; its pictures are its own.
        given: Every distinct picture the shape has used.
        urls: Addresses of pictures that the shape has named.
        clients: Those it has used.
    """

    server: ProviderServer
    provider: TracerProvider
    name: str
    given: list[bytes] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    clients: ExitStack = field(default_factory=ExitStack)

    def using(self, client: C) -> C:
        """A client that is closed once the shape is done; left to itself it may warn in another test."""
        self.clients.callback(client.close)
        return client

    def picture(self, kind: str = "PNG", size: tuple[int, int] = (240, 160)) -> bytes:
        """A new picture, well above the 24 KB from which OpenInference redacts unless a size is given."""
        number = len(self.given)
        data = drawn(COLOURS[number % len(COLOURS)], size, f"{self.name} {number}", kind)
        self.given.append(data)
        return data

    def uri(self, kind: str = "PNG", size: tuple[int, int] = (240, 160)) -> str:
        """A new picture as data URI."""
        return data_uri(self.picture(kind, size), kind)

    def url(self) -> str:
        """Where a picture can be had that the shape only names."""
        self.urls.append(self.server.serve(drawn("yellow", (80, 60), f"{self.name} url")))
        return self.urls[-1]

    @property
    def openai(self) -> openai.OpenAI:
        import openai

        return self.using(openai.OpenAI(base_url=self.server.url, api_key="none", max_retries=0))

    @property
    def anthropic(self) -> anthropic.Anthropic:
        import anthropic

        return self.using(anthropic.Anthropic(base_url=self.server.origin, api_key="none", max_retries=0))

    @property
    def gemini(self) -> genai.Client:
        from google import genai
        from google.genai import types

        options = types.HttpOptions(base_url=self.server.origin)
        return self.using(genai.Client(api_key="none", http_options=options))

    @contextmanager
    def span(self, name: str, kind: str = "", **attributes: Any) -> Iterator[Span]:
        """A span of the application's own; ``__`` in names of attributes stands for a dot."""
        named = {key.replace("__", "."): value for key, value in attributes.items()}
        if kind:
            named["openinference.span.kind"] = kind
        with self.provider.get_tracer(SCOPE).start_as_current_span(name, attributes=named) as span:
            yield span


Run = Callable[[Session], Any]


@dataclass(frozen=True)
class Shape:
    """One shape.

    Attributes:
        name: Its name.
        run: Does it.
        needs: The package that must be instrumented for it: ``openai``, ``anthropic``, ``google_genai``,
            ``langfuse``; empty for spans of its own.
        facts: Whether the pictures are sent to a model, so that there are facts of what it saw.
    """

    name: str
    run: Run
    needs: str = ""

    def replay(self, session: Session) -> None:
        """Do it within a trace of its own; generated pictures are counted in."""
        before = len(session.server.generated)
        with session.clients:
            if self.needs == "langfuse":
                self.run(session)
            else:
                with session.span(self.name, "CHAIN", input__value=f"replay {self.name}"):
                    outcome = self.run(session)
                    if asyncio.iscoroutine(outcome):
                        _finish(outcome)
        session.given += session.server.generated[before:]


def _finish(work: Coroutine[Any, Any, Any]) -> None:
    """In a thread of its own, since tests with a browser have an event loop running."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(copy_context().run, asyncio.run, work).result()


SHAPES: list[Shape] = []


def shape(needs: str = "") -> Callable[[Run], Run]:
    """Adds a function to the corpus."""

    def add(run: Run) -> Run:
        SHAPES.append(Shape(run.__name__, run, needs))
        return run

    return add


def data_uri(data: bytes, kind: str = "PNG") -> str:
    return f"data:image/{kind.lower()};base64,{b64(data)}"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def image_part(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [*parts, text_part("What do you see?")]}


# Chat completions


@shape("openai")
def chat_image_url(session: Session) -> None:
    message = user(image_part(session.uri()))
    answer = session.openai.chat.completions.create(model=MODEL, messages=[message], temperature=0)
    assert "a red picture of 240 x 160" in answer.choices[0].message.content


@shape("openai")
def chat_image_url_as_bare_string(session: Session) -> None:
    part = {"type": "image_url", "image_url": session.uri()}
    session.openai.chat.completions.create(model=MODEL, messages=[user(part)])


@shape("openai")
def chat_small_picture(session: Session) -> None:
    message = user(image_part(session.uri(size=(24, 24))))
    session.openai.chat.completions.create(model=MODEL, messages=[message])


@shape("openai")
def chat_large_picture(session: Session) -> None:
    message = user(image_part(session.uri("JPEG", (2400, 1800))))
    session.openai.chat.completions.create(model=MODEL, messages=[message])


@shape("openai")
def chat_several_pictures_with_detail(session: Session) -> None:
    first = session.uri()
    parts = [
        image_part(first, detail="low"),
        image_part(session.uri("JPEG"), detail="high"),
        image_part(session.uri("WEBP"), detail="auto"),
        image_part(first, detail="low"),
    ]
    session.openai.chat.completions.create(model=MODEL, messages=[user(*parts)])


@shape("openai")
def chat_with_system_and_tool_messages(session: Session) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "open_page", "arguments": '{"page": 2}'}}
    messages = [
        {"role": "system", "content": [text_part("Compare with this."), image_part(session.uri())]},
        {"role": "user", "content": "What is on page 2?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": [image_part(session.uri())]},
    ]
    session.openai.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])


@shape("openai")
def chat_streamed(session: Session) -> None:
    stream = session.openai.chat.completions.create(
        model=MODEL,
        messages=[user(image_part(session.uri()))],
        stream=True,
        stream_options={"include_usage": True},
    )
    words = [c.choices[0].delta.content or "" for c in stream if c.choices]
    assert "a red picture" in "".join(words)


@shape("openai")
async def chat_async(session: Session) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=session.server.url, api_key="none") as client:
        message = user(image_part(session.uri()))
        await client.chat.completions.create(model=MODEL, messages=[message])


@shape("openai")
async def chat_async_streamed(session: Session) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=session.server.url, api_key="none") as client:
        message = user(image_part(session.uri()))
        stream = await client.chat.completions.create(model=MODEL, messages=[message], stream=True)
        assert [chunk async for chunk in stream]


@shape("openai")
def chat_on_azure(session: Session) -> None:
    import openai

    client = session.using(
        openai.AzureOpenAI(azure_endpoint=session.server.origin, api_version="2024-10-21", api_key="none")
    )
    client.chat.completions.create(model="inspection", messages=[user(image_part(session.uri()))])


@shape("openai")
def chat_on_vllm(session: Session) -> None:
    import openai

    client = session.using(openai.OpenAI(base_url=f"{session.server.origin}/serving/v1", api_key="EMPTY"))
    client.chat.completions.create(
        model="Qwen/Qwen2.5-VL-7B-Instruct",
        messages=[user(image_part(session.uri()))],
        extra_body={"mm_processor_kwargs": {"min_pixels": 784}},
    )


@shape("openai")
def chat_with_raw_response(session: Session) -> None:
    message = user(image_part(session.uri()))
    raw = session.openai.chat.completions.with_raw_response.create(model=MODEL, messages=[message])
    assert raw.parse().choices


@shape("openai")
def chat_with_schema(session: Session) -> None:
    schema = {"type": "object", "properties": {"colour": {"type": "string"}}}
    session.openai.chat.completions.create(
        model=MODEL,
        messages=[user(image_part(session.uri()))],
        response_format={"type": "json_schema", "json_schema": {"name": "seen", "schema": schema}},
    )


@shape("openai")
def chat_data_uri_in_text(session: Session) -> None:
    text = f"Compare ![before]({session.uri()}) with <img src='{session.uri('JPEG')}'> please."
    session.openai.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])


@shape("openai")
def chat_url(session: Session) -> None:
    message = user(image_part(session.url()))
    session.openai.chat.completions.create(model=MODEL, messages=[message])


@shape("openai")
def chat_that_answers_with_a_picture(session: Session) -> None:
    answer = session.openai.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Draw it in green."}],
        extra_body={"modalities": ["image", "text"]},
    )
    assert answer.choices[0].message.images


@shape("openai")
def chat_that_is_refused(session: Session) -> None:
    import openai

    client = session.using(
        openai.OpenAI(base_url=f"{session.server.origin}/nowhere", api_key="none", max_retries=0)
    )
    try:
        client.chat.completions.create(model=MODEL, messages=[user(image_part(session.uri()))], timeout=5)
    except openai.OpenAIError:
        return


# Responses


@shape("openai")
def responses_input_image(session: Session) -> None:
    parts = [
        {"type": "input_text", "text": "What do you see?"},
        {"type": "input_image", "image_url": session.uri(), "detail": "high"},
    ]
    answer = session.openai.responses.create(model=MODEL, input=[{"role": "user", "content": parts}])
    assert "a red picture of 240 x 160" in answer.output_text


@shape("openai")
def responses_function_call_output(session: Session) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "open_page", "arguments": '{"page": 2}'}
    output = [
        {"type": "input_text", "text": "Page 2:"},
        {"type": "input_image", "image_url": session.uri()},
        {"type": "input_image", "image_url": session.uri("JPEG")},
    ]
    result = {"type": "function_call_output", "call_id": "call_1", "output": output}
    asked = {"role": "user", "content": "What is on page 2?"}
    session.openai.responses.create(model=MODEL, input=[asked, call, result])


@shape("openai")
def responses_streamed(session: Session) -> None:
    parts = [{"type": "input_image", "image_url": session.uri()}]
    stream = session.openai.responses.create(
        model=MODEL, input=[{"role": "user", "content": parts}], stream=True
    )
    assert [event.type for event in stream][-1] == "response.completed"


@shape("openai")
async def responses_async(session: Session) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=session.server.url, api_key="none") as client:
        parts = [{"type": "input_image", "image_url": session.uri()}]
        await client.responses.create(model=MODEL, input=[{"role": "user", "content": parts}])


@shape("openai")
def responses_image_generation(session: Session) -> None:
    answer = session.openai.responses.create(
        model=MODEL, input="Draw a blue cat.", tools=[{"type": "image_generation"}]
    )
    assert answer.output[0].result


# Images


@shape("openai")
def image_generation(session: Session) -> None:
    session.openai.images.generate(model="gpt-image-1", prompt="a blue cat", n=2)


@shape("openai")
def image_generation_by_url(session: Session) -> None:
    before = len(session.server.generated)
    answer = session.openai.images.generate(model="dall-e-3", prompt="a green cat", response_format="url")
    # Only the address is in the trace.
    del session.server.generated[before:]
    session.urls.append(answer.data[0].url)


@shape("openai")
def image_edit(session: Session) -> None:
    file = ("before.png", session.picture(), "image/png")
    session.openai.images.edit(model="gpt-image-1", prompt="make it blue", image=file)


@shape("openai")
def image_edit_of_several(session: Session) -> None:
    files = [("a.png", session.picture(), "image/png"), ("b.png", session.picture(), "image/png")]
    session.openai.images.edit(model="gpt-image-1", prompt="make them green", image=files)


@shape("openai")
async def image_generation_async(session: Session) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=session.server.url, api_key="none") as client:
        await client.images.generate(model="gpt-image-1", prompt="a red cat")


# Anthropic


def anthropic_image(session: Session, kind: str = "PNG") -> dict[str, Any]:
    source = {"type": "base64", "media_type": f"image/{kind.lower()}", "data": b64(session.picture(kind))}
    return {"type": "image", "source": source}


@shape("anthropic")
def anthropic_base64(session: Session) -> None:
    message = user(anthropic_image(session), anthropic_image(session, "JPEG"))
    answer = session.anthropic.messages.create(model=CLAUDE, max_tokens=64, messages=[message])
    assert "a red picture of 240 x 160" in answer.content[0].text


@shape("anthropic")
def anthropic_tool_result(session: Session) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "open_page", "input": {"page": 2}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [anthropic_image(session)]}
    messages = [
        {"role": "user", "content": "What is on page 2?"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    session.anthropic.messages.create(
        model=CLAUDE,
        max_tokens=64,
        messages=messages,
        tools=[{"name": "open_page", "input_schema": {"type": "object", "properties": {}}}],
    )


@shape("anthropic")
def anthropic_streamed(session: Session) -> None:
    message = user(anthropic_image(session))
    with session.anthropic.messages.stream(model=CLAUDE, max_tokens=64, messages=[message]) as stream:
        assert "a red picture" in stream.get_final_text()


@shape("anthropic")
def anthropic_url(session: Session) -> None:
    part = {"type": "image", "source": {"type": "url", "url": session.url()}}
    session.anthropic.messages.create(model=CLAUDE, max_tokens=64, messages=[user(part)])


# Gemini


@shape("google_genai")
def gemini_inline_data(session: Session) -> None:
    from google.genai import types

    part = types.Part.from_bytes(data=session.picture(), mime_type="image/png")
    client = session.gemini
    answer = client.models.generate_content(model=GEMINI, contents=[part, "What do you see?"])
    assert "a red picture of 240 x 160" in answer.text


@shape("google_genai")
def gemini_streamed(session: Session) -> None:
    from google.genai import types

    part = types.Part.from_bytes(data=session.picture("JPEG"), mime_type="image/jpeg")
    contents = [types.Content(role="user", parts=[part, types.Part(text="What do you see?")])]
    client = session.gemini
    stream = client.models.generate_content_stream(model=GEMINI, contents=contents)
    assert [chunk.text for chunk in stream]


@shape("google_genai")
def gemini_image_generation(session: Session) -> None:
    from google.genai import types

    config = types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"])
    client = session.gemini
    answer = client.models.generate_content(
        model="gemini-2.5-flash-image", contents="Draw a yellow cat.", config=config
    )
    assert answer.candidates[0].content.parts[1].inline_data.data


# Spans of any instrumentor, and of the application


@shape()
def gen_ai_messages(session: Session) -> None:
    parts = [
        {"type": "text", "content": "What do you see?"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b64(session.picture())},
        {"type": "uri", "modality": "image", "uri": session.url()},
    ]
    made = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b64(session.picture())}
    answer = [{"type": "text", "content": "Two."}, made]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.output_tokens": 12,
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}]),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": answer, "finish_reason": "stop"}]
        ),
    }
    with session.span("chat " + MODEL, **attributes):
        pass


@shape()
def gen_ai_events(session: Session) -> None:
    content = json.dumps([image_part(session.uri()), text_part("What do you see?")])
    attributes = {"gen_ai.request.model": MODEL, "gen_ai.system": "openai"}
    with session.span("chat " + MODEL, "LLM", **attributes) as span:
        span.add_event("gen_ai.user.message", {"content": content})
        span.add_event("gen_ai.choice", {"message": json.dumps({"content": "One."})})


@shape()
def input_value_only(session: Session) -> None:
    """As LangChain's callbacks record it: the whole conversation in one JSON text."""
    human = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "HumanMessage"],
        "kwargs": {"content": [text_part("What do you see?"), image_part(session.uri())], "type": "human"},
    }
    value = json.dumps({"messages": [[human]]})
    attributes = {"input.value": value, "input.mime_type": "application/json", "output.value": "A page."}
    with session.span("ChatOpenAI", "LLM", **attributes):
        pass


@shape()
def markdown_in_a_chain(session: Session) -> None:
    text = f"Look:\n\n![scan]({session.uri()})\n\nand say what it is."
    attributes = {"input.value": text, "output.value": f"This: ![cut]({session.uri('JPEG')})"}
    with session.span("describe", "CHAIN", **attributes):
        pass


@shape()
def json_within_json(session: Session) -> None:
    request = json.dumps({"messages": [user(image_part(session.uri()))]})
    value = json.dumps({"body": request, "retries": 0})
    with session.span("queue", "CHAIN", input__value=value, input__mime_type="application/json"):
        pass


@shape()
def retriever_with_page_images(session: Session) -> None:
    attributes: dict[str, Any] = {"input.value": "total of the invoice"}
    for number in range(2):
        base = f"retrieval.documents.{number}.document"
        attributes |= {
            f"{base}.id": f"page-{number}",
            f"{base}.score": 0.9 - number / 10,
            f"{base}.content": f"Page {number}\n\n![page]({session.uri()})",
            f"{base}.metadata": json.dumps({"page": number, "thumbnail": session.uri("JPEG", (120, 90))}),
        }
    with session.span("retrieve", "RETRIEVER", **attributes):
        pass


@shape()
def tool_that_returns_a_picture(session: Session) -> None:
    output = {"page": 2, "image": {"mime_type": "image/png", "data": b64(session.picture())}}
    attributes = {
        "tool.name": "open_page",
        "input.value": '{"page": 2}',
        "input.mime_type": "application/json",
        "output.value": json.dumps(output),
        "output.mime_type": "application/json",
    }
    with session.span("open_page", "TOOL", **attributes):
        pass


@shape()
def failing_span(session: Session) -> None:
    with session.span("crash", "CHAIN", input__value=session.uri()) as span:
        error = ValueError(f"cannot read {session.uri()}")
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, str(error)))


@shape("openai")
def agent_that_passes_a_picture_around(session: Session) -> None:
    """The same picture in five spans: it is stored once."""
    uri = session.uri()
    with session.span("agent", "AGENT", input__value=json.dumps({"question": "?", "image": uri})):
        with session.span("look", "TOOL", output__value=json.dumps({"image": uri})):
            pass
        for _ in range(2):
            session.openai.chat.completions.create(model=MODEL, messages=[user(image_part(uri))])


# Observations of Langfuse's SDK


def observe(session: Session, **what: Any) -> None:
    from langfuse import get_client

    client = get_client(public_key=os.environ["LANGFUSE_PUBLIC_KEY"])
    with client.start_as_current_observation(name=session.name, as_type="generation", **what):
        pass


@shape("langfuse")
def langfuse_data_uri(session: Session) -> None:
    observe(session, input=[user(image_part(session.uri()))], output="One picture.", model=MODEL)


@shape("langfuse")
def langfuse_pil(session: Session) -> None:
    from PIL import Image

    image = Image.open(io.BytesIO(session.picture()))
    observe(session, input={"question": "What?", "pages": [image]}, output="A page.")


@shape("langfuse")
def langfuse_numpy(session: Session) -> None:
    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(session.picture())))
    observe(session, input={"image": pixels}, metadata={"camera": 3})


@shape("langfuse")
def langfuse_bytes(session: Session) -> None:
    observe(session, input={"image": session.picture("JPEG")}, output={"crop": session.picture()})


@shape("langfuse")
def langfuse_media(session: Session) -> None:
    from langfuse.media import LangfuseMedia

    media = LangfuseMedia(content_bytes=session.picture(), content_type="image/png")
    observe(session, input=[user(image_part(media))], output="A page.")


@shape("langfuse")
def langfuse_data_uri_in_text(session: Session) -> None:
    observe(session, input=f"Is {session.uri()} the same?", output="Yes.")


@shape("langfuse")
def langfuse_b64_json(session: Session) -> None:
    observe(session, input="Draw.", output={"data": [{"b64_json": b64(session.picture())}]})
