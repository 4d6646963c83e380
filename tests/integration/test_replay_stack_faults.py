"""Faults as urllib3, http.client, httpx and aiohttp clients meet them: the same as live."""

import asyncio
import contextlib
import http.client

import aiohttp
import pytest
import tape
import urllib3

from replayer.session import offline

FAULTS: tuple[tuple[str, type[Exception], type[Exception], type[Exception]], ...] = (
    ("reset", ConnectionResetError, urllib3.exceptions.ProtocolError, aiohttp.ClientOSError),
    ("timeout", TimeoutError, urllib3.exceptions.ReadTimeoutError, aiohttp.ServerTimeoutError),
    ("truncated", http.client.IncompleteRead, urllib3.exceptions.ProtocolError, aiohttp.ClientPayloadError),
)


@pytest.mark.parametrize(("fault", "plain", "pooled", "asynchronous"), FAULTS)
def test_a_fault_is_the_error_the_client_would_meet(
    fault: str, plain: type[Exception], pooled: type[Exception], asynchronous: type[Exception]
) -> None:
    url = "https://sso.tandemdiabetes.com/"

    def on_plain() -> None:
        with contextlib.closing(http.client.HTTPSConnection("sso.tandemdiabetes.com", timeout=5)) as connection:
            connection.request("GET", "/")
            connection.getresponse().read()

    async def on_aiohttp() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session, session.get(url) as response:
            await response.read()

    with offline(tape.session(), faults=[f"any:1+:{fault}"]):
        with pytest.raises(plain):
            on_plain()
        with urllib3.PoolManager() as pool, pytest.raises(pooled):
            pool.request("GET", url, retries=False, timeout=5)
        with pytest.raises(asynchronous):
            asyncio.run(on_aiohttp())


def test_a_slow_answer_is_the_whole_answer_all_the_same() -> None:
    async def ask() -> bytes:
        async with aiohttp.ClientSession() as session, session.get("https://sso.tandemdiabetes.com/") as response:
            return await response.read()

    with offline(tape.session(), faults=["any:1:drip", "any:2:late=30"], virtual_clock=True):
        assert asyncio.run(ask()) == b"<html></html>"
        login = tape.session().exchanges[1].request
        assert urllib3.request("POST", login.url, json={"username": "a", "password": "b"}, timeout=60).status == 200
