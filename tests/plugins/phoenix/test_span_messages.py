"""Messages from the flat attributes of a span."""

from __future__ import annotations

from typing import Any

from vlmops_phoenix.span_messages import messages_of


def shown(url: str) -> tuple[str, str]:
    return ("picture", url)


def attributes(side: str, *messages: dict[str, Any]) -> dict[str, Any]:
    return {
        f"llm.{side}_messages.{number}.message.{key}": value
        for number, message in enumerate(messages)
        for key, value in message.items()
    }


def test_plain_text_stays_text() -> None:
    found = messages_of(attributes("output", {"role": "assistant", "content": "7"}), "output", shown)
    assert found == [{"role": "assistant", "content": "7"}]


def test_text_and_pictures_come_in_their_order() -> None:
    part = "contents.{}.message_content."
    message = {
        "role": "user",
        part.format(1) + "type": "image",
        part.format(1) + "image.image.url": "a.png",
        part.format(0) + "type": "text",
        part.format(0) + "text": "Compare",
        part.format(10) + "image.image.url": "k.png",
        part.format(2) + "image.image.url": "b.png",
    }
    [found] = messages_of(attributes("input", message), "input", shown)
    assert found["content"] == ["Compare", ("picture", "a.png"), ("picture", "b.png"), ("picture", "k.png")]


def test_a_single_picture_is_still_a_list() -> None:
    message = {"contents.0.message_content.image.image.url": "a.png"}
    assert messages_of(attributes("input", message), "input", shown) == [{"content": [("picture", "a.png")]}]


def test_more_than_ten_messages_keep_their_order() -> None:
    given = [{"role": "user", "content": str(n)} for n in range(12)]
    found = messages_of(dict(reversed(attributes("input", *given).items())), "input", shown)
    assert [message["content"] for message in found] == [str(n) for n in range(12)]


def test_the_other_side_and_other_attributes_are_passed_over() -> None:
    both = {
        **attributes("input", {"role": "user", "content": "q"}),
        **attributes("output", {"role": "assistant", "content": "a"}),
        "llm.model_name": "m",
        "input.value": "q",
    }
    assert messages_of(both, "output", shown) == [{"role": "assistant", "content": "a"}]


def test_parts_of_unknown_kind_are_left_out_and_empty_text_is_kept() -> None:
    part = "contents.{}.message_content."
    message = {part.format(0) + "type": "audio", part.format(1) + "text": ""}
    assert messages_of(attributes("input", message), "input", shown) == [{"content": ""}]


def test_a_tool_call_has_no_content() -> None:
    message = {"role": "assistant", "tool_calls.0.tool_call.function.name": "zoom"}
    assert messages_of(attributes("output", message), "output", shown) == [{"role": "assistant"}]


def test_no_messages() -> None:
    assert messages_of({"input.value": "q"}, "input", shown) == []
