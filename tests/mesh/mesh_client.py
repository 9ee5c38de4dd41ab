"""Clients of a whole installation: REST with httpx, server-sent events, pictures to upload."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import ssl
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from PIL import Image

T = TypeVar("T")
PASSWORD = "correct horse"
JSON = "application/json"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_serial = itertools.count(1)
_RUN = uuid.uuid4().hex[:6]


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a session."""

    user_id: str
    username: str
    token: str
    session_id: str
    refresh_token: str

    @property
    def at(self) -> str:
        """The person as ``{user}`` takes them."""
        return f"@{self.username}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.bearer.items())


def unique(prefix: str = "p") -> str:
    """A name that nobody has in this run."""
    return f"{prefix}{_RUN}{next(_serial)}"


def registration(name: str) -> dict[str, str]:
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "displayName": name.title()}


def photo(width: int = 400, height: int = 300) -> bytes:
    """A small JPEG unlike any other."""
    picture = Image.effect_noise((width // 8, height // 8), 80).resize((width, height)).convert("RGB")
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=85, comment=uuid.uuid4().bytes)
    return content.getvalue()


async def eventually(look: Callable[[], Awaitable[T]], within_s: float = 5.0) -> T:
    """What ``look`` answers once it is true; fails when it is not within this time."""
    last: T | None = None
    try:
        async with asyncio.timeout(within_s):
            while not (last := await look()):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s; last seen: {last!r}") from None
    return last


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """An error's body, checked: a JSON google.rpc.Status with exactly one ErrorInfo, and no trace of gRPC."""
    assert answer.headers["content-type"] == JSON, answer.text
    status = answer.json()
    assert set(status) == {"code", "message", "details"}, status
    assert isinstance(status["code"], int)
    assert status["message"]
    [info] = [detail for detail in status["details"] if detail["@type"] == ERROR_INFO]
    assert info["domain"] == "tintype"
    no_trace_of_grpc(answer)
    return {"http": answer.status_code, "code": status["code"], "reason": info["reason"], "message": status["message"]}


def no_trace_of_grpc(answer: httpx.Response) -> None:
    assert not [name for name in answer.headers if name.startswith("grpc-")], dict(answer.headers)


class Rest:
    """The REST door."""

    def __init__(self, url: str) -> None:
        self.url = url
        no_authorities = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: loading the CA files would take 20 ms
        self.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=15, verify=no_authorities)

    async def __aenter__(self) -> Rest:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def ask(self, verb: str, path: str, who: Person | None = None, **more: Any) -> httpx.Response:
        """One request as somebody, or as nobody."""
        headers = {**(who.bearer if who else {}), **more.pop("headers", {})}
        return await self.http.request(verb, path, headers=headers, **more)

    async def ok(self, verb: str, path: str, who: Person | None = None, **more: Any) -> Any:
        """The JSON of an answer that must be 200."""
        answer = await self.ask(verb, path, who, **more)
        assert answer.status_code == 200, f"{verb} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == JSON
        no_trace_of_grpc(answer)
        return answer.json()

    async def refused(self, verb: str, path: str, who: Person | None = None, **more: Any) -> tuple[int, str]:
        """HTTP status and reason of an answer that must be an error."""
        error = error_of(await self.ask(verb, path, who, **more))
        return error["http"], error["reason"]

    async def register(self, prefix: str = "p") -> Person:
        answer = await self.ok("POST", "/v1/accounts", json=registration(unique(prefix)))
        return person_of(answer)

    async def upload(self, who: Person, content: bytes | None = None) -> str:
        """Upload a photo and wait until it is ready; its id."""
        answer = await self.ok(
            "POST", "/v1/media:upload", who, content=content or photo(), headers={"content-type": "image/jpeg"}
        )
        media_id = str(answer["media"]["mediaId"])
        media = await self.until_ready(who, media_id)
        assert media["state"] == "READY", media
        return media_id

    async def until_ready(self, who: Person, media_id: str) -> Any:
        """Watch a medium until it is ready or failed."""
        media: Any = None
        async with self.events(f"/v1/media/{media_id}:watch", who) as messages:
            async for message in messages:
                media = message["media"] or media
        return media

    async def publish(self, who: Person, caption: str = "", **more: Any) -> Any:
        """A post with a new photo."""
        body = {"mediaIds": [await self.upload(who)], "caption": caption, **more}
        return (await self.ok("POST", "/v1/posts", who, json=body))["post"]

    async def follow(self, who: Person, whom: Person) -> Any:
        return (await self.ok("PUT", f"/v1/me/following/{whom.at}", who))["viewer"]

    async def go_private(self, who: Person, private: bool = True) -> None:
        await self.ok("PATCH", "/v1/me?updateMask=private", who, json={"private": private})

    @asynccontextmanager
    async def events(self, path: str, who: Person) -> AsyncIterator[AsyncGenerator[Any]]:
        """The messages of a stream, which must begin within a few seconds."""
        async with asyncio.timeout(60), self.http.stream("GET", path, headers=who.bearer, timeout=20) as answer:
            if answer.status_code != 200:
                await answer.aread()
                raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
            assert answer.headers["content-type"] == "text/event-stream"
            no_trace_of_grpc(answer)
            messages = _messages(answer)
            try:
                yield messages
            finally:
                await messages.aclose()


async def _messages(answer: httpx.Response) -> AsyncGenerator[Any]:
    async for line in answer.aiter_lines():
        if line:
            assert line.startswith("data: "), line
            yield json.loads(line.removeprefix("data: "))


def person_of(answer: Any) -> Person:
    """Who an answer to registering or logging in is about."""
    account, session = answer["account"], answer["session"]
    return Person(
        account["userId"],
        account["username"],
        session["accessToken"],
        session["sessionId"],
        session["refreshToken"],
    )


def image_url(post: Any) -> str:
    """The link to a post's first photo."""
    return str(post["media"][0]["variants"][0]["url"])
