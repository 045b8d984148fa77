"""What importing vlmops costs and offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import vlmops

HEAVY = ("PIL", "fsspec", "httpx", "langfuse", "numpy", "openai", "pandas", "phoenix", "pydantic", "rich")


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    ["import vlmops", "import vlmops.evaluators", "import vlmops.images", "import vlmops.datasets"],
)
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert loaded_after(statement).isdisjoint(HEAVY)


@pytest.mark.parametrize("adapter", ["vlmops_phoenix", "vlmops_langfuse"])
def test_importing_an_adapter_does_not_import_its_sdk(adapter: str) -> None:
    assert loaded_after(f"import {adapter}").isdisjoint({"phoenix", "langfuse", "opentelemetry", "pandas"})


def test_public_names_are_sorted_and_exist() -> None:
    assert vlmops.__all__ == sorted(vlmops.__all__)
    assert all(getattr(vlmops, name) is not None for name in vlmops.__all__)
    assert dir(vlmops) == vlmops.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Picture'"):
        _ = vlmops.Picture  # type: ignore[attr-defined]
