"""Requests to Phoenix: what is tried again, and what its refusals say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext

import httpx
import pytest

from vlmops.errors import PlatformError, PlatformUnavailable
from vlmops_phoenix.annotation_configs import PhoenixAnnotationConfigs
from vlmops_phoenix.connection import PhoenixConnection
from vlmops_phoenix.settings import PhoenixSettings

Connected = Callable[..., PhoenixConnection]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_passes_is_tried_again(connected: Connected, status: int) -> None:
    answers = [httpx.Response(status), httpx.Response(200, json={"data": 1})]
    assert await connected(lambda _: answers.pop(0)).get("/v1/x") == {"data": 1}


async def test_what_does_not_pass_is_unavailable(connected: Connected) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, text="starting")

    with pytest.raises(PlatformUnavailable, match="503: starting"):
        await connected(answer).get("/v1/x")
    assert len(asked) == 4


async def test_a_refusal_is_not_tried_again(connected: Connected) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(422, text="splits must be a list")

    with pytest.raises(PlatformError, match="POST /v1/x with 422: splits must be a list"):
        await connected(answer).post("/v1/x", {})
    assert len(asked) == 1


@pytest.mark.parametrize(("status", "refused"), [(409, False), (422, True)])
async def test_a_config_is_there_only_if_the_status_says_so(
    connected: Connected, status: int, refused: bool
) -> None:
    configs = PhoenixAnnotationConfigs(connected(lambda _: httpx.Response(status, text="config 'bus-409'")))
    with pytest.raises(PlatformError, match="422") if refused else nullcontext():
        await configs.create({"name": "bus-409"})


@pytest.mark.parametrize("status", [401, 403])
async def test_without_access_it_says_which_variable_to_set(connected: Connected, status: int) -> None:
    with pytest.raises(PlatformError, match="PHOENIX_API_KEY"):
        await connected(lambda _: httpx.Response(status)).get("/v1/x")


async def test_no_server_is_unavailable_and_named(connected: Connected) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(PlatformUnavailable, match=r"http://phoenix does not answer \(ConnectError\)"):
        await connected(answer).get("/v1/x")


async def test_a_server_that_is_no_phoenix_is_found_out(connected: Connected) -> None:
    with pytest.raises(PlatformError, match="is it a Phoenix"):
        await connected(lambda _: httpx.Response(200, text="<html>")).get("/v1/x")


async def test_errors_of_graphql_are_errors(connected: Connected) -> None:
    body = {"data": None, "errors": [{"message": "not allowed"}]}
    with pytest.raises(PlatformError, match="not allowed"):
        await connected(lambda _: httpx.Response(200, json=body)).graphql("query { x }", {})


async def test_every_page_is_read(connected: Connected) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        cursor = request.url.params.get("cursor")
        page = {"data": [3], "next_cursor": None} if cursor else {"data": [1, 2], "next_cursor": "c"}
        return httpx.Response(200, json=page)

    assert [element async for element in connected(answer).pages("/v1/x", {"limit": 2})] == [1, 2, 3]


def test_a_new_event_loop_gets_connections_of_its_own() -> None:
    connection = PhoenixConnection(PhoenixSettings("http://phoenix"))

    async def pool() -> httpx.AsyncClient:
        assert connection.http is connection.http
        return connection.http

    assert asyncio.run(pool()) is not asyncio.run(pool())
