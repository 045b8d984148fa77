"""How Hypothesis tries examples, in all unit tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Its own profile for CI tries the same examples each time, so that more of them would find something once and
# never again. Where people work they are new each time, and as many as Hypothesis thinks good.
EXAMPLES = 50 if "CI" in os.environ else settings.default.max_examples

# How long an example takes says nothing on a busy machine.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=EXAMPLES
)
settings.load_profile("untimed")
