"""Asks a server on this machine over HTTP."""

from __future__ import annotations

import ssl

import httpx

_SECONDS = 2.0


async def http_get(url: str) -> httpx.Response:
    """The answer to a GET of a loopback URL, past any proxy of the environment; ``OSError`` without one."""
    return await _request("GET", url)


async def http_post(url: str) -> httpx.Response:
    """The same for an empty POST."""
    return await _request("POST", url)


async def _request(method: str, url: str) -> httpx.Response:
    no_authorities = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: loading the CA files would take 20 ms
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_SECONDS, verify=no_authorities) as client:
            return await client.request(method, url)
    except httpx.TransportError as error:
        raise ConnectionError(str(error)) from error
