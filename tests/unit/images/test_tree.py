from __future__ import annotations

from types import MappingProxyType

from bad_images import usable_image

from vlmops.images import Image, images_in, map_images

ONE, TWO = (
    Image.from_bytes(usable_image("plain.png"), "one"),
    Image.from_bytes(usable_image("plain.jpg"), "two"),
)


def test_pictures_are_found_in_order_however_deep():
    tree = {"a": [ONE, {"b": (TWO, "text", None)}], "c": MappingProxyType({"d": ONE})}
    assert [image.source for image in images_in(tree)] == ["one", "two", "one"]


def test_one_picture_is_a_tree_and_text_is_none():
    assert list(images_in(ONE)) == [ONE]
    assert list(images_in("text")) == list(images_in(None)) == list(images_in(b"bytes")) == []


def test_pictures_are_replaced_and_the_rest_is_kept():
    tree = {"a": [ONE, {"b": (TWO, 1.5)}], "c": MappingProxyType({"d": None})}
    assert map_images(tree, lambda image: image.source) == {
        "a": ["one", {"b": ("two", 1.5)}],
        "c": {"d": None},
    }
    assert tree["a"][0] is ONE


def test_a_tree_without_pictures_is_copied_equal():
    tree = {"a": [1, "x", {"b": ()}]}
    copy = map_images(tree, lambda image: None)
    assert copy == tree
    assert copy["a"] is not tree["a"]
