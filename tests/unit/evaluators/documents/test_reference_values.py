"""Values of the reference implementations."""

from __future__ import annotations

from pathlib import Path


def test_reference_vectors(failing_vectors):
    assert failing_vectors("documents") == []


def test_values_of_the_references_on_random_input(failing_vectors):
    """Made by running the references named in each entry; ties on which their solvers differ left out."""
    assert failing_vectors(Path(__file__).with_name("differential.json")) == []
