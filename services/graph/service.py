"""The rules of the graph: who may follow, ask, block and mute whom, and what follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mesh.errors import Problem, exhausted, invalid, not_found
from services.graph import edges
from services.graph.changes import Changes
from services.graph.edges import Relation, State, Transition
from services.graph.relations import Relations
from services.graph.store import GraphStore

DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class Person:
    """What the graph needs to know of an account."""

    user_id: int
    private: bool
    hidden: bool


People = Callable[[int], Awaitable[Person | None]]
"""Looks an account up; None where there is none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one person may keep. ``listed``: of blocks, of mutes and of close friends each."""

    following: int
    listed: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of user ids, newest first. ``cursor`` is empty at the end."""

    user_ids: list[int]
    cursor: bytes


@dataclass(frozen=True, slots=True)
class FollowCounts:
    """How many follow a person, and whom they follow."""

    user_id: int
    followers: int
    following: int


class Graph:
    """The graph's operations. The first argument is always the person who acts or looks."""

    def __init__(
        self, store: GraphStore, changes: Changes, relations: Relations, people: People, limits: Limits
    ) -> None:
        self._store = store
        self._changes = changes
        self._relations = relations
        self._people = people
        self._limits = limits

    async def follow(self, user_id: int, target_id: int) -> Relation:
        """Follow, or ask where the account is private. May be repeated."""
        person = await self._reachable(user_id, target_id)
        if person.hidden:
            raise _no_such_user()
        wanted: Transition = edges.asked if person.private else edges.followed
        if not (await self._store.edge(user_id, target_id)).state.following:
            await self._check_room_to_follow(user_id, "you follow")
        edge = await self._changes.change(user_id, target_id, wanted)
        if not (edge.state.following or edge.state.requested):
            # Blocked in the same moment.
            raise _no_such_user()
        return await self._relation(user_id, target_id)

    async def unfollow(self, user_id: int, target_id: int) -> Relation:
        """Neither follow nor ask any longer. May be repeated."""
        return await self._change(user_id, target_id, edges.unfollowed)

    async def remove_follower(self, user_id: int, follower_id: int) -> Relation:
        """Take a follower away. May be repeated."""
        _check_other(user_id, follower_id)
        await self._changes.change(follower_id, user_id, edges.removed)
        return await self._relation(user_id, follower_id)

    async def answer(self, user_id: int, follower_id: int, accept: bool) -> Relation:
        """Grant or refuse a request. May be repeated with the same answer."""
        _check_other(user_id, follower_id)
        if accept and (await self._store.edge(follower_id, user_id)).state.requested:
            await self._check_room_to_follow(follower_id, "who asks follows")
        await self._changes.change(follower_id, user_id, _granted if accept else _refused)
        return await self._relation(user_id, follower_id)

    async def block(self, user_id: int, target_id: int) -> Relation:
        """Block: ends following and asking both ways. May be repeated."""
        return await self._set_listed(user_id, target_id, "blocking", edges.blocked)

    async def unblock(self, user_id: int, target_id: int) -> Relation:
        """End a block. May be repeated."""
        return await self._change(user_id, target_id, edges.unblocked)

    async def set_mute(self, user_id: int, target_id: int, muting: bool) -> Relation:
        """Mute, or end it. May be repeated."""
        if not muting:
            return await self._change(user_id, target_id, edges.unmuted)
        await self._reachable(user_id, target_id)
        return await self._set_listed(user_id, target_id, "muting", edges.muted)

    async def set_close_friend(self, user_id: int, target_id: int, close_friend: bool) -> Relation:
        """Count somebody among one's close friends, or no longer. May be repeated."""
        if not close_friend:
            return await self._change(user_id, target_id, edges.unfriended)
        await self._reachable(user_id, target_id)
        return await self._set_listed(user_id, target_id, "close_friend", edges.befriended)

    async def relations(self, viewer_id: int, user_ids: Sequence[int]) -> list[Relation]:
        """How the viewer stands to each, in the order asked; at most two seconds old."""
        return await self._relations.of(viewer_id, user_ids)

    async def counts(self, user_ids: Sequence[int]) -> list[FollowCounts]:
        """Counts of each, in the order asked."""
        unique = list(dict.fromkeys(user_ids))
        keys = [(user_id, kind) for user_id in unique for kind in ("followers", "following")]
        values = {(count.user_id, count.kind): count.value for count in await self._store.counts(keys)}
        return [FollowCounts(each, values[each, "followers"], values[each, "following"]) for each in user_ids]

    async def list_own(self, user_id: int, name: str, page_size: int, cursor: bytes) -> Page:
        """A page of whom a person is ``name`` (following, blocking, muting, close_friend)."""
        found, before = await self._store.outgoing(user_id, name, page_size or DEFAULT_PAGE, _before(cursor))
        return Page(found, _cursor(before))

    async def list_towards(self, user_id: int, name: str, page_size: int, cursor: bytes) -> Page:
        """A page of who is ``name`` (following, requested) towards a person."""
        found, before = await self._store.incoming(user_id, name, page_size or DEFAULT_PAGE, _before(cursor))
        return Page(found, _cursor(before))

    async def scan_followers(self, author_id: int, shard: int, after_id: int, limit: int) -> list[int]:
        """One page of one shard of an author's followers, in id order."""
        if shard >= self.shards:
            raise invalid("shard", f"must be 0 to {self.shards - 1}")
        return await self._store.followers(author_id, shard, after_id, limit)

    @property
    def shards(self) -> int:
        """Over how many shards a person's followers spread."""
        return self._store.shards

    async def _change(self, user_id: int, target_id: int, transition: Transition) -> Relation:
        _check_other(user_id, target_id)
        await self._changes.change(user_id, target_id, transition)
        return await self._relation(user_id, target_id)

    async def _set_listed(self, user_id: int, target_id: int, name: str, transition: Transition) -> Relation:
        """Put somebody on a list that has a limit."""
        _check_other(user_id, target_id)
        if not (await self._store.edge(user_id, target_id)).since[name]:
            if await self._people(target_id) is None:
                raise _no_such_user()
            listed, _ = await self._store.outgoing(user_id, name, self._limits.listed)
            if len(listed) >= self._limits.listed:
                raise exhausted("RELATION_LIMIT", f"the list holds {self._limits.listed} people: remove one first")
        return await self._change(user_id, target_id, transition)

    async def _reachable(self, user_id: int, target_id: int) -> Person:
        """The person, unless there is none or a block stands between: both answer alike."""
        _check_other(user_id, target_id)
        person = await self._people(target_id)
        both = await self._store.edges([(user_id, target_id), (target_id, user_id)])
        if person is None or any(edge.state.blocking for edge in both):
            raise _no_such_user()
        return person

    async def _check_room_to_follow(self, user_id: int, who: str) -> None:
        if (await self._store.tally((user_id, "following"))).value >= self._limits.following:
            raise exhausted("FOLLOW_LIMIT", f"{who} {self._limits.following} people already, which is the limit")

    async def _relation(self, user_id: int, target_id: int) -> Relation:
        return (await self._relations.of(user_id, [target_id]))[0]


def _granted(state: State) -> State:
    if not (state.requested or state.following):
        raise _no_such_request()
    return edges.accepted(state)


def _refused(state: State) -> State:
    if not (state.requested or state.declined):
        raise _no_such_request()
    return edges.declined(state)


def _check_other(user_id: int, target_id: int) -> None:
    if user_id == target_id:
        raise invalid("user_id", "must be somebody else", "SELF_NOT_ALLOWED")


def _no_such_user() -> Problem:
    return not_found("USER_NOT_FOUND", "there is no such user")


def _no_such_request() -> Problem:
    return not_found("FOLLOW_REQUEST_NOT_FOUND", "this person does not ask to follow you")


def _before(cursor: bytes) -> int:
    if not cursor:
        return 0
    before = int.from_bytes(cursor, "big", signed=True)
    if len(cursor) != 8 or before <= 0:
        raise invalid("cursor", "must be the next_cursor of an earlier page", "INVALID_CURSOR")
    return before


def _cursor(before: int) -> bytes:
    return before.to_bytes(8, "big", signed=True) if before else b""
