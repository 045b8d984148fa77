"""Values of Python's parser, json-repair and jsonschema."""

from __future__ import annotations


def test_reference_vectors(failing_vectors):
    assert failing_vectors("structured_output") == []
