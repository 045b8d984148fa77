"""Which spans fit a query, where Phoenix's own list cannot be asked."""

from __future__ import annotations

import pytest

from vlmops.platforms import ExecutionQuery
from vlmops_phoenix.executions import admitted, span_parameters


@pytest.mark.parametrize(
    ("attributes", "fits"),
    [
        ({"vlmops.environment": "staging"}, True),
        ({"deployment.environment.name": "staging"}, True),
        ({"deployment.environment": "staging"}, True),
        ({"vlmops.environment": "production", "deployment.environment": "staging"}, False),
        ({}, False),
    ],
)
def test_a_query_chooses_an_environment(attributes: dict[str, str], fits: bool) -> None:
    span = {"attributes": attributes}
    assert admitted(ExecutionQuery(environment="staging"), span, ()) is fits
    assert admitted(ExecutionQuery(), span, ())


def test_what_phoenix_cannot_choose_is_looked_for_beyond_the_limit() -> None:
    assert span_parameters(ExecutionQuery(limit=3), 200)["limit"] == 3
    assert span_parameters(ExecutionQuery(limit=3, environment="staging"), 200)["limit"] == 200
