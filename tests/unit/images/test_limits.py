from __future__ import annotations

import pytest

from vlmops.errors import UsageError
from vlmops.images import ImageLimits


def test_the_environment_stands_where_no_argument_does(monkeypatch):
    monkeypatch.setenv("VLMOPS_IMAGE_MAX_PIXELS", "5e6")
    monkeypatch.setenv("VLMOPS_IMAGE_MAX_BYTES", "1000")
    monkeypatch.setenv("VLMOPS_IMAGE_TIMEOUT", "2.5")
    assert ImageLimits.from_environment() == ImageLimits(5_000_000, 1000, 2.5)
    monkeypatch.setenv("VLMOPS_IMAGE_TIMEOUT", "")
    assert ImageLimits.from_environment().timeout == ImageLimits().timeout


@pytest.mark.parametrize(("name", "value"), [("MAX_PIXELS", "many"), ("MAX_BYTES", "-1"), ("TIMEOUT", "nan")])
def test_nonsense_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"VLMOPS_IMAGE_{name}", value)
    with pytest.raises(UsageError, match=name if value == "many" else name.lower()):
        ImageLimits.from_environment()
