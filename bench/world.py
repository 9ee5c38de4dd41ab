"""Many readers, each of whom follows many authors: the world that feeds are measured in.

Accounts, photos and posts come by the public API. The follows are written by the graph's own
repository while the services are down, which is a hundred times faster; so they announce nothing.
They are there before the posts, and the readers have been seen: the real fan-out carries every post.
"""

from __future__ import annotations

import asyncio
import io
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import grpc
from PIL import Image
from tintype.edge.v1 import accounts_pb2, feed_pb2, media_pb2, posts_pb2, resources_pb2

from cli.client import Client, bearer, chunks_of
from mesh.clock import SystemClock
from mesh.ids import MAX_NODE, IdGenerator
from mesh.storage import TimedOut, Unavailable, open_store
from services.graph.circle_store import CircleStore
from services.graph.edges import Edge, State
from services.graph.schema import TABLES
from services.graph.store import Count, GraphStore
from stack.installation import Installation

PAGE = 20
PASSWORD = "silver-and-salt"  # noqa: S105
_AT_ONCE = 32
_WRITES_AT_ONCE = 128
_TRIES = 10
_FULL_S = 600.0
_AGAIN_S = 0.2
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a world is; ``followees`` of the authors, drawn at random, are followed by each reader."""

    readers: int
    authors: int = 300
    followees: int = 100
    posts_each: int = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and a token that lives as long as the benchmark."""

    name: str
    user_id: int
    token: str


@dataclass(frozen=True, slots=True)
class World:
    """The readers, and the posts that the first page of each must show: the newest of those they follow."""

    readers: list[Person]
    pages: dict[int, list[str]]


async def build(installation: Installation, size: Size, seed: int = 1) -> World:
    """Fill a fresh installation; returns once every reader's first page is full and right.

    Raises ``TimeoutError`` where the posts do not arrive in ten minutes.
    """
    random, services = Random(seed), installation.process("services")
    with _told("accounts and photos"):
        readers, media = await _people(installation, size)
    authors = [author.user_id for author in media]
    follows = {reader.user_id: random.sample(authors, size.followees) for reader in readers}
    with _told("follows"):
        await services.stop()
        await _follow(installation, follows)
        await services.start()
    async with Client(direct(installation)) as client, asyncio.timeout(_FULL_S):
        with _told("posts, until every feed is full"):
            await each(readers, lambda reader: _until_shown(client, reader, []))
            posts = await _posts(client, media, size.posts_each, random)
            pages = {reader: _newest(posts, followed) for reader, followed in follows.items()}
            await each(readers, lambda reader: _until_shown(client, reader, pages[reader.user_id]))
    return World(readers, pages)


def direct(installation: Installation) -> str:
    """host:port of the services, past the gateway."""
    return f"127.0.0.1:{installation.section.grpc_port}"


async def each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], at_once: int = _AT_ONCE
) -> list[Result]:
    """The results in order, so many under way at once."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: Item) -> Result:
        async with gate:
            return await work(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


async def patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    """A call that may be repeated, until a busy machine has answered it."""
    for _ in range(_TRIES - 1):
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise
            await asyncio.sleep(_AGAIN_S)
    return await call()


def shown(page: bytes) -> list[str]:
    """The posts of a page as gRPC carries it."""
    return [item.post.post_id for item in feed_pb2.GetFeedResponse.FromString(page).items]


async def _people(installation: Installation, size: Size) -> tuple[list[Person], dict[Person, str]]:
    """The readers, and the authors with a finished medium each."""
    async with Client(direct(installation)) as client:
        readers = await each([f"reader{number}" for number in range(size.readers)], lambda n: _register(client, n))
        authors = await each([f"author{number}" for number in range(size.authors)], lambda n: _register(client, n))
        photo = _photo()
        media = await each(authors, lambda author: _upload(client, author, photo))
    return readers, dict(zip(authors, media, strict=True))


async def _register(client: Client, name: str) -> Person:
    request = accounts_pb2.RegisterRequest(
        request_id=str(uuid.uuid4()), username=name, email=f"{name}@example.com", password=PASSWORD
    )
    answer = await patiently(lambda: client.accounts.Register(request, timeout=20))
    return Person(name, int(answer.account.user_id), answer.session.access_token)


def _photo() -> bytes:
    """A picture large enough for every variant."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((1080, 1080)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


async def _upload(client: Client, author: Person, photo: bytes) -> str:
    """A finished medium's id."""
    medium = await client.upload(chunks_of(photo), "photo.jpg", str(uuid.uuid4()), author.token)
    watch = media_pb2.WatchMediaRequest(media_id=medium.media_id)
    async for message in client.media.WatchMedia(watch, timeout=120, metadata=bearer(author.token)):
        if message.media.state == resources_pb2.Media.READY:
            break
    return str(medium.media_id)


async def _follow(installation: Installation, follows: dict[int, list[int]]) -> None:
    """Edges, what is derived from them, and counts, as following one by one would leave them."""
    settings: Any = installation.settings
    url = installation.process("services").env["TINTYPE_STORAGE__URL"] or settings.storage_url
    tables, ids = await open_store(url, "graph", SystemClock()), IdGenerator(SystemClock(), MAX_NODE)
    await tables.create(TABLES)
    graph, circles = GraphStore(tables, settings.graph.follower_shards), CircleStore(tables, ids)

    async def begin(reader: int) -> None:
        for author in follows[reader]:
            edge = Edge(reader, author).changed(State(following=True), ids.next())
            await _surely(graph.claim, edge)
            await _surely(circles.show, edge)
            await _surely(graph.project, edge)
        await graph.write_tally(Count(reader, "following", len(follows[reader]), fold=1))

    followers = Counter(author for followed in follows.values() for author in followed)
    await each(follows, begin, _WRITES_AT_ONCE)
    await each(followers, lambda author: graph.write_tally(Count(author, "followers", followers[author], fold=1)))
    await tables.close()


async def _surely(write: Callable[[Edge], Awaitable[object]], edge: Edge) -> None:
    """A write that may be repeated, until a busy store has taken it."""
    for _ in range(_TRIES - 1):
        with suppress(TimedOut, Unavailable):
            await write(edge)
            return
    await write(edge)


async def _posts(client: Client, media: dict[Person, str], each_makes: int, random: Random) -> dict[int, list[int]]:
    """The posts of each author, who post by turns in random order."""
    posts: dict[int, list[int]] = {author.user_id: [] for author in media}
    for _ in range(each_makes):
        turns = random.sample(list(media), len(media))
        for author_id, post_id in await each(turns, lambda author: _post(client, author, media[author])):
            posts[author_id].append(post_id)
    return posts


async def _post(client: Client, author: Person, media_id: str) -> tuple[int, int]:
    """The author's id and the post's."""
    request = posts_pb2.CreatePostRequest(
        request_id=str(uuid.uuid4()), media_ids=[media_id], caption=f"By {author.name} #bench"
    )
    answer = await patiently(lambda: client.call(client.posts.CreatePost, request, author.token))
    return author.user_id, int(answer.post.post_id)


def _newest(posts: dict[int, list[int]], followed: Iterable[int]) -> list[str]:
    found = sorted((post for author in followed for post in posts[author]), reverse=True)
    return [str(post) for post in found[:PAGE]]


async def _until_shown(client: Client, reader: Person, wanted: list[str]) -> None:
    """Ask until the first page is as it should be."""
    request = feed_pb2.GetFeedRequest(page_size=PAGE)
    while True:
        answer = await patiently(lambda: client.call(client.feed.GetFeed, request, reader.token))
        if [item.post.post_id for item in answer.items] == wanted:
            return
        await asyncio.sleep(_AGAIN_S)


@contextmanager
def _told(step: str) -> Iterator[None]:
    """Say how long a step took."""
    began = time.perf_counter()
    yield
    print(f"{step}: {time.perf_counter() - began:.0f} s", flush=True)
