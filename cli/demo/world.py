"""The demo world: thirty people who follow each other unevenly, two hundred photographs, and talk.

Filled through the public API like any client's doing. Every act carries a request id derived from
what it is, so that an interrupted filling is simply repeated: what is there already stays one.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any

import grpc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tintype.edge.v1 import (
    accounts_pb2,
    engagement_pb2,
    graph_pb2,
    media_pb2,
    posts_pb2,
    resources_pb2,
)

from cli.client import Client, bearer, chunks_of
from cli.demo import captions
from cli.demo.people import DEMO_PASSWORD, PEOPLE, Person
from cli.demo.pictures import PHOTOS, draw_avatar, draw_photo, kind_of

_SIDE_BY_SIDE = 4
_TRIES = 6
_NAMESPACE = uuid.UUID("5e7b4d1c-3a4f-4f0e-9d57-0c2f5f6a7b10")
_RETRIED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
}


class World:
    """Fills the installation behind a gateway, whose host:port is ``target``.

    ``people`` and ``photos`` make it smaller: the first so many of each. The last of the people tells about
    themselves when all else is there: so the world itself says that it is complete, to whoever asks it.
    """

    def __init__(self, target: str, console: Console, people: int = len(PEOPLE), photos: int = PHOTOS) -> None:
        self._target = target
        self._console = console
        self._people = PEOPLE[:people]
        self._photos = photos
        self._random = Random(1839)
        self._tokens: dict[str, str] = {}
        self._posts: list[str] = []

    async def fill(self) -> bool:
        """Fill what is missing; False where the world was complete already."""
        async with Client(self._target) as self._client:
            if await self._complete():
                return False
            await self._fill()
        return True

    async def _complete(self) -> bool:
        """Whether the last act was done. Raises what the gateway answers, but that this person is not known."""
        last = self._people[-1]
        try:
            token = await self._client.log_in(last.username, DEMO_PASSWORD)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                return False
            raise
        answer = await self._client.call(self._client.accounts.GetMe, accounts_pb2.GetMeRequest(), token)
        return bool(answer.account.bio)

    async def _fill(self) -> None:
        columns = (
            TextColumn("demo world: {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        bar = self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=not bar) as progress:
            await self._run(progress, "people", [self._person(n) for n in range(len(self._people))])
            await self._run(progress, "follows", list(self._follows()))
            await self._run(progress, "photographs", [self._photo(seed) for seed in range(self._photos)])
            await self._run(progress, "likes and comments", list(self._talk()))
            await _persistently(lambda: self._tell(self._people[-1]))

    async def _run(self, progress: Progress, name: str, work: list[Callable[[], Awaitable[None]]]) -> None:
        """Do all of it, a few at a time. Where nobody watches a bar, say so in a line."""
        task = progress.add_task(name, total=len(work))
        if not self._console.is_terminal:
            self._console.print(f"demo world: {len(work)} {name}")
        waiting = iter(work)

        async def worker() -> None:
            for act in waiting:
                await _persistently(act)
                progress.advance(task)

        async with asyncio.TaskGroup() as group:
            for _ in range(_SIDE_BY_SIDE):
                group.create_task(worker())

    def _person(self, number: int) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            person = self._people[number]
            request = accounts_pb2.RegisterRequest(
                request_id=_id("person", person.username),
                username=person.username,
                email=f"{person.username}@example.com",
                password=DEMO_PASSWORD,
                display_name=person.name,
            )
            answer = await self._client.accounts.Register(request, timeout=20)
            token = self._tokens[person.username] = answer.session.access_token
            picture = await asyncio.to_thread(draw_avatar, number, person.name)
            medium = await self._upload(picture, f"{person.username}.jpg", token)
            account = resources_pb2.Account(avatar_media_id=medium.media_id)
            update = accounts_pb2.UpdateMeRequest(account=account)
            await self._client.call(self._client.accounts.UpdateMe, update, token)
            if person is not self._people[-1]:
                await self._tell(person)

        return act

    async def _tell(self, person: Person) -> None:
        update = accounts_pb2.UpdateMeRequest(account=resources_pb2.Account(bio=person.bio))
        await self._client.call(self._client.accounts.UpdateMe, update, self._tokens[person.username])

    def _follows(self) -> Iterable[Callable[[], Awaitable[None]]]:
        """A power law: the n-th person is followed by about 1/n^0.7 of the others."""
        for rank, followed in enumerate(self._people):
            for follower in self._people:
                if follower is not followed and self._random.random() < 0.95 / (rank + 1) ** 0.55:
                    yield self._follow(follower.username, followed.username)

    def _follow(self, follower: str, followed: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            request = graph_pb2.FollowRequest(user=f"@{followed}")
            await self._client.call(self._client.graph.Follow, request, self._tokens[follower])

        return act

    def _photo(self, seed: int) -> Callable[[], Awaitable[None]]:
        random = Random(seed)
        # The well-followed post more, as they do.
        author = self._people[min(int(random.paretovariate(0.9)) - 1, 400) % len(self._people)].username
        kind = kind_of(seed)
        caption = captions.caption(random, kind)
        place = captions.place(random, kind) if random.random() < 0.7 else None

        async def act() -> None:
            token = self._tokens[author]
            photo = await asyncio.to_thread(draw_photo, seed)
            medium = await self._upload(photo, f"photo-{seed:03d}.jpg", token)
            request = posts_pb2.CreatePostRequest(
                request_id=_id("post", str(seed)), media_ids=[medium.media_id], caption=caption
            )
            if place:
                request.place.name = place.name
                request.place.latitude, request.place.longitude = place.latitude, place.longitude
            answer = await self._client.call(self._client.posts.CreatePost, request, token)
            self._posts.append(answer.post.post_id)

        return act

    async def _upload(self, picture: bytes, filename: str, token: str) -> Any:
        """A ready medium."""
        medium = await self._client.upload(chunks_of(picture), filename, _id("upload", filename), token)
        watch = media_pb2.WatchMediaRequest(media_id=medium.media_id)
        async for message in self._client.media.WatchMedia(watch, timeout=60, metadata=bearer(token)):
            if message.media.state in (resources_pb2.Media.READY, resources_pb2.Media.FAILED):
                return message.media
        return medium

    def _talk(self) -> Iterable[Callable[[], Awaitable[None]]]:
        """Likes by the dozen, a few comments; some posts get most of both."""
        for post_id in sorted(self._posts):
            fame = self._random.random() ** 2
            for person in self._people:
                if self._random.random() < 0.05 + 0.6 * fame:
                    yield self._like(post_id, person.username)
            for number in range(int(4 * fame + self._random.random())):
                yield self._comment(post_id, self._random.choice(self._people).username, number)

    def _like(self, post_id: str, username: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            request = engagement_pb2.LikePostRequest(post_id=post_id)
            await self._client.call(self._client.engagement.LikePost, request, self._tokens[username])

        return act

    def _comment(self, post_id: str, username: str, number: int) -> Callable[[], Awaitable[None]]:
        text = captions.comment(self._random)

        async def act() -> None:
            request = engagement_pb2.CreateCommentRequest(
                post_id=post_id, request_id=_id("comment", post_id, str(number)), text=text
            )
            await self._client.call(self._client.engagement.CreateComment, request, self._tokens[username])

        return act


async def _persistently(act: Callable[[], Awaitable[None]]) -> None:
    """Repeat an act that the server could not take just now; every one of them may be repeated."""
    for attempt in range(_TRIES):
        try:
            return await act()
        except grpc.aio.AioRpcError as error:
            if error.code() not in _RETRIED or attempt == _TRIES - 1:
                raise
            await asyncio.sleep(0.5 * 2**attempt)
    return None


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))
