"""People who upload, post, follow, like and comment while something dies under them, and keep count."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.faults.doors import Door, NotAcknowledged
from tests.faults.ledger import Ledger, Made, Switch
from tests.mesh.mesh_client import Person, photo

PATIENCE_S = 60.0
"""How long a request is tried again under its id before the test is over."""
_PAUSE_S = 0.2
_GIVEN_UP = 0.15
"""Share of unanswered requests that are never sent again, as of a client that went away."""
MAY_PASS = {"DEPENDENCY_UNAVAILABLE", "DEADLINE_EXCEEDED", "OVERLOADED", "SHUTTING_DOWN"}
"""Reasons that tell a client to try again. Anything else (INTERNAL before all) is a bug."""


class Load:
    """Some people at work until told to stop. Which of them does what comes from the seed."""

    def __init__(self, people: Sequence[Person], doors: Sequence[Door], seed: int, *, gateway_dies: bool) -> None:
        self.ledger = Ledger()
        self._people = people
        self._doors = doors
        self._dice = random.Random(seed)
        self._silence_allowed = gateway_dies
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Everybody begins; two hands each."""
        for person in self._people:
            for _ in range(2):
                dice = random.Random(self._dice.random())
                self._tasks.append(asyncio.create_task(self._work(person, dice)))

    async def stop(self) -> None:
        """Begin nothing new, bring to an end what has begun."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    async def _work(self, who: Person, dice: random.Random) -> None:
        deeds = [self._post, self._follow, self._like, self._like, self._like, self._comment, self._comment]
        await self._post(who, dice)
        while not self._stopping.is_set():
            await dice.choice(deeds)(who, dice)

    async def _post(self, who: Person, dice: random.Random) -> None:
        """Upload a photo and post it as soon as it is ready."""
        upload = Made(who.user_id, str(uuid.uuid4()), "")
        content = self.ledger.contents[upload.request_id] = photo(160, 120)
        self.ledger.uploads.append(upload)
        media = await self._until_told(lambda door: door.upload(who, upload.request_id, content), dice)
        if media is None:
            return
        upload.id = media["mediaId"]
        word = f"w{uuid.uuid4().hex}"
        post = Made(who.user_id, str(uuid.uuid4()), word, upload.id)
        self.ledger.posts.append(post)
        made = await self._until_told(
            lambda door: door.post(who, post.request_id, upload.id, word), dice, meanwhile=("MEDIA_NOT_READY",)
        )
        if made is not None:
            assert made["caption"] == word
            post.id = made["postId"]

    async def _follow(self, who: Person, dice: random.Random) -> None:
        whom = dice.choice([person for person in self._people if person != who])
        pair = (who.user_id, whom.user_id)
        if pair in self.ledger.follows:
            return
        switch = self.ledger.follows[pair] = Switch()
        await self._set(switch, True, lambda door: door.follow(who, whom), dice)

    async def _like(self, who: Person, dice: random.Random) -> None:
        """Like, or take it back. Where a try went unanswered it is left at that: it may still be on its way."""
        post = self._some_post(dice)
        if post is None:
            return
        pair = (who.user_id, post.id)
        switch = self.ledger.likes.get(pair)
        if switch is not None and (switch.final or not switch.sure):
            return
        switch = self.ledger.likes[pair] = switch or Switch()
        wanted = not switch.on
        await self._set(switch, wanted, lambda door: door.like(who, post.id, wanted), dice)

    async def _comment(self, who: Person, dice: random.Random) -> None:
        post = self._some_post(dice)
        if post is None:
            return
        comment = Made(who.user_id, str(uuid.uuid4()), f"c{uuid.uuid4().hex}", post.id)
        self.ledger.comments.append(comment)
        made = await self._until_told(lambda door: door.comment(who, comment.request_id, post.id, comment.text), dice)
        if made is not None:
            comment.id = made["commentId"]

    def _some_post(self, dice: random.Random) -> Made | None:
        posts = self.ledger.known_posts()
        return dice.choice(posts) if posts else None

    async def _set(self, switch: Switch, on: bool, send: Callable[[Door], Awaitable[Any]], dice: random.Random) -> None:
        """Change a switch that nobody else touches meanwhile: it is in doubt until the answer."""
        switch.sure, tries = False, 0

        async def counted(door: Door) -> Any:
            nonlocal tries
            tries += 1
            return await send(door)

        if await self._until_told(counted, dice) is not None:
            switch.on, switch.sure, switch.final = on, True, tries > 1

    async def _until_told(
        self, send: Callable[[Door], Awaitable[Any]], dice: random.Random, meanwhile: Sequence[str] = ()
    ) -> Any:
        """The answer, asking again under the same id through whichever door; None where it is given up."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await send(dice.choice(self._doors))
            except NotAcknowledged as failure:
                if failure.reason not in meanwhile:
                    self._note(failure)
                    if dice.random() < _GIVEN_UP:
                        return None
                if time.monotonic() > until:
                    raise AssertionError(f"still not acknowledged after {PATIENCE_S:g} s: {failure}") from failure
                await asyncio.sleep(_PAUSE_S)

    def _note(self, failure: NotAcknowledged) -> None:
        """A failure must say what a client can do about it."""
        self.ledger.failures.append(str(failure))
        if not failure.reason and self._silence_allowed:
            return
        assert failure.reason in MAY_PASS, f"a fault beneath must not show as {failure}"
        assert failure.message

    @property
    def failed(self) -> bool:
        """Whether somebody ended before they were told to."""
        return any(task.done() and not self._stopping.is_set() for task in self._tasks)


async def settle_doubts(ledger: Ledger, people: Sequence[Person], doors: Sequence[Door]) -> None:
    """Send every create once more under its id: what was acknowledged answers alike, the rest is made now."""
    by_id = {person.user_id: person for person in people}
    for number, upload in enumerate(ledger.uploads):
        door, content = doors[number % len(doors)], ledger.contents[upload.request_id]
        media = await door.upload(by_id[upload.owner], upload.request_id, content)
        _same(upload, media["mediaId"])
    for number, post in enumerate(ledger.posts):
        door = doors[number % len(doors)]
        made = await door.post(by_id[post.owner], post.request_id, post.inside, post.text)
        _same(post, made["postId"])
    for number, comment in enumerate(ledger.comments):
        door = doors[number % len(doors)]
        made = await door.comment(by_id[comment.owner], comment.request_id, comment.inside, comment.text)
        _same(comment, made["commentId"])
    for (user, post_id), switch in ledger.likes.items():
        if not switch.sure:
            await doors[0].like(by_id[user], post_id, True)
            switch.on, switch.sure = True, True
    for (user, whom), switch in ledger.follows.items():
        if not switch.sure:
            await doors[1].follow(by_id[user], by_id[whom])
            switch.on, switch.sure = True, True


def _same(made: Made, answered: str) -> None:
    assert made.id in ("", answered), f"{made.request_id} made {made.id} and, sent again, {answered}"
    made.id = answered
