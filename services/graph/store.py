"""The graph's repository: edges, counts and what is derived from edges, over the table contract."""

from __future__ import annotations

import asyncio
import heapq
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mesh.counting import Entry, ExactCounter, Standing
from mesh.storage import MAX_KEYS, Bound, Delete, Mutation, Outcome, Put, Row, Store, Value
from services.graph import schema
from services.graph.edges import LISTS, RELATION_FLAGS, Counted, Edge, Key, Relation, State
from services.graph.schema import CountRow, EdgeRow, Follower, Incoming, Outgoing, RelationRow

KINDS = ("followers", "following")
_MIRRORED = {
    "following": "followed_by",
    "requested": "requested_by",
    "blocking": "blocked_by",
    "close_friend": "close_friend_of",
}
LISTED_OUT = ("following", "blocking", "muting", "close_friend")
_LISTED_IN = ("following", "requested")
_CHANGED = (*(f"{name}_since" for name in LISTS), "declined", "ever_followed", "version", "event_ids")
"""Columns of an edge that its own changes set; the others note how it was counted."""
_ENTRY = struct.Struct(">q?q")


@dataclass(frozen=True, slots=True)
class Counting:
    """An edge as it counts for one of its two people: claimed while it follows."""

    kind: str
    user_id: int
    target_id: int

    @property
    def subject(self) -> tuple[int, str]:
        """Whose count it is, and which."""
        return (self.target_id if self.kind == "followers" else self.user_id), self.kind

    @property
    def key(self) -> Key:
        """The edge."""
        return self.user_id, self.target_id


@dataclass(frozen=True, slots=True)
class Count:
    """A count, the number of its latest fold, and the edges which that took in. Fold 0: no row."""

    user_id: int
    kind: str
    value: int = 0
    fold: int = 0
    entries: tuple[Entry[Counting], ...] = ()

    def folded(self, entries: Sequence[Entry[Counting]]) -> Count:
        """This count after one more fold."""
        value = self.value + sum(1 if entry.holds else -1 for entry in entries)
        return replace(self, value=value, fold=self.fold + 1, entries=tuple(entries))

    def other(self, counting: Counting) -> int:
        """The other person of an edge that counts here."""
        return counting.user_id if self.kind == "followers" else counting.target_id

    def counting(self, other_id: int) -> Counting:
        """The edge between the counted person and another."""
        edge = (other_id, self.user_id) if self.kind == "followers" else (self.user_id, other_id)
        return Counting(self.kind, *edge)


Counter: TypeAlias = ExactCounter[tuple[int, str], Counting, Count]
"""Counts followers and followings."""


class GraphStore:
    """Reads and writes the graph. ``shards``: over how many partitions a person's followers spread;
    it must stay what it was when the first edge was written."""

    def __init__(self, store: Store, shards: int) -> None:
        self._store = store
        self.shards = shards

    async def edge(self, user_id: int, target_id: int) -> Edge:
        """The truth about one edge, read linearizably."""
        key = (user_id, target_id)
        return _edge(key, await self._store.get(schema.EDGES, _pair(key)))

    async def edges(self, keys: Sequence[Key]) -> list[Edge]:
        """The truth about many edges, in the order asked."""
        rows = await self._store.multi_get(schema.EDGES, [_pair(key) for key in keys]) if keys else []
        return [_edge(key, row) for key, row in zip(keys, rows, strict=True)]

    async def claim(self, edge: Edge) -> Outcome:
        """Make this the edge, where it was at the version before."""
        row = schema.EDGES.encode(_edge_row(edge))
        if edge.version == 1:
            return await self._store.insert_if_absent(schema.EDGES, row)
        changes = {name: row[name] for name in _CHANGED}
        return await self._store.update_if(schema.EDGES, _pair(edge.key), changes, {"version": edge.version - 1})

    async def tally(self, subject: tuple[int, str]) -> Count:
        """One count, read linearizably."""
        return (await self.counts([subject]))[0]

    async def counts(self, keys: Sequence[tuple[int, str]]) -> list[Count]:
        """Many counts, in the order asked."""
        wanted: list[Row] = [{"user_id": user_id, "kind": kind} for user_id, kind in keys]
        rows = await self._store.multi_get(schema.COUNTS, wanted) if wanted else []
        return [_count(key, row) for key, row in zip(keys, rows, strict=True)]

    async def write_tally(self, count: Count) -> bool:
        """Make this the count, where the fold before was the last one; whether it is."""
        packed = b"".join(_ENTRY.pack(count.other(entry.claim), entry.holds, entry.before) for entry in count.entries)
        row = CountRow(count.user_id, count.kind, count.value, count.fold, packed)
        if count.fold == 1:
            return (await self._store.insert_if_absent(schema.COUNTS, schema.COUNTS.encode(row))).applied
        key, changes = schema.COUNTS.key(row), schema.COUNTS.changes(row)
        return (await self._store.update_if(schema.COUNTS, key, changes, {"tick": count.fold - 1})).applied

    async def standings(self, claims: Sequence[Counting]) -> list[Standing[Counting]]:
        """How edges stand, for the counts of their people."""
        edges = await self.edges([claim.key for claim in claims])
        marks = [edge.counted[claim.kind] for claim, edge in zip(claims, edges, strict=True)]
        found = zip(claims, edges, marks, strict=True)
        return [Standing(claim, edge.state.following, mark.included, mark.tick) for claim, edge, mark in found]

    async def mark_counted(self, entry: Entry[Counting]) -> None:
        """Note on an edge that a fold took it in; nothing where that was noted already."""
        kind = entry.claim.kind
        changes = {f"{kind}_counted": entry.holds, f"{kind}_tick": entry.after}
        await self._store.update_if(schema.EDGES, _pair(entry.claim.key), changes, {f"{kind}_tick": entry.before})

    async def projected_version(self, edge: Edge) -> int:
        """Which version of an edge the derived rows show."""
        return (await self._shown(edge.key)).version

    async def project(self, edge: Edge) -> None:
        """Write every row that is derived from an edge, in one atomic write. May be repeated."""
        shown = await self._shown(edge.key)
        mutations = [*self._relation_rows(edge), *self._follower_rows(edge)]
        for name in LISTS:
            before, now = getattr(shown, f"{name}_since"), edge.since[name]
            if before and before != now:
                mutations += [Delete(put.table, put.row) for put in self._list_rows(edge, name, before)]
            if now:
                mutations += self._list_rows(edge, name, now)
        await self._store.write(mutations)

    async def relations(self, viewer_id: int, user_ids: Sequence[int]) -> list[Relation]:
        """How a viewer and others stand to each other, in the order asked."""
        return [_relation(row) for row in await self._relation_rows_of([(viewer_id, user) for user in user_ids])]

    async def outgoing(self, user_id: int, name: str, limit: int, before: int = 0) -> tuple[list[int], int]:
        """A page of a person's own list, newest first, and the ``before`` of the next page (0: the end)."""
        start = Bound((before,), inclusive=False) if before else None
        partition: Row = {"user_id": user_id, "list": name}
        rows = await self._store.slice(schema.OUTGOING, partition, limit=limit, start=start)
        found = [(entry.since, entry.target_id) for entry in map(schema.OUTGOING.decode, rows)]
        return await self._still_true(user_id, f"{name}_since", found), found[-1][0] if len(found) == limit else 0

    async def incoming(self, user_id: int, name: str, limit: int, before: int = 0) -> tuple[list[int], int]:
        """A page of who stands so to a person, newest first, merged from all shards."""
        start = Bound((before,), inclusive=False) if before else None
        pages = await asyncio.gather(
            *(
                self._store.slice(
                    schema.INCOMING, {"target_id": user_id, "list": name, "shard": shard}, limit=limit, start=start
                )
                for shard in range(self.shards)
            )
        )
        entries = [schema.INCOMING.decode(row) for page in pages for row in page]
        found = heapq.nlargest(limit, ((entry.since, entry.user_id) for entry in entries))
        column = f"{_MIRRORED[name]}_since"
        return await self._still_true(user_id, column, found), found[-1][0] if len(found) == limit else 0

    async def followers(self, author_id: int, shard: int, after_id: int, limit: int) -> list[int]:
        """One page of one shard of an author's followers, in id order."""
        start = Bound((after_id,), inclusive=False) if after_id else None
        partition = {"author_id": author_id, "shard": shard}
        rows = await self._store.slice(schema.FOLLOWERS, partition, limit=limit, start=start)
        return [schema.FOLLOWERS.decode(row).follower_id for row in rows]

    async def _still_true(self, user_id: int, column: str, found: Sequence[tuple[int, int]]) -> list[int]:
        """Leave out list rows that a race between two changes left behind: the relation row knows."""
        rows = await self._relation_rows_of([(user_id, other_id) for _, other_id in found])
        pairs = zip(found, rows, strict=True)
        return [other_id for (since, other_id), row in pairs if getattr(row, column) == since]

    async def _shown(self, key: Key) -> RelationRow:
        (row,) = await self._relation_rows_of([key])
        return row

    async def _relation_rows_of(self, keys: Sequence[Key]) -> list[RelationRow]:
        pages = [keys[at : at + MAX_KEYS] for at in range(0, len(keys), MAX_KEYS)]
        reads = (self._store.multi_get(schema.RELATIONS, [_pair(key) for key in page]) for page in pages)
        rows = [row for found in await asyncio.gather(*reads) for row in found]
        return [schema.RELATIONS.decode(row) if row else RelationRow(*key) for key, row in zip(keys, rows, strict=True)]

    def _relation_rows(self, edge: Edge) -> list[Mutation]:
        own = {f"{name}_since": edge.since[name] for name in LISTS}
        mirrored = {f"{seen}_since": edge.since[name] for name, seen in _MIRRORED.items()}
        return [
            Put(schema.RELATIONS, {**_pair(edge.key), **own, "version": edge.version}),
            Put(schema.RELATIONS, {**_pair((edge.target_id, edge.user_id)), **mirrored}),
        ]

    def _follower_rows(self, edge: Edge) -> list[Mutation]:
        key = schema.FOLLOWERS.encode(Follower(edge.target_id, edge.user_id % self.shards, edge.user_id))
        if edge.state.following:
            return [Put(schema.FOLLOWERS, key)]
        return [Delete(schema.FOLLOWERS, key)] if edge.ever_followed else []

    def _list_rows(self, edge: Edge, name: str, since: int) -> list[Put]:
        user_id, target_id = edge.key
        rows = []
        if name in LISTED_OUT:
            entry = Outgoing(user_id, name, since, target_id)
            rows.append(Put(schema.OUTGOING, schema.OUTGOING.encode(entry)))
        if name in _LISTED_IN:
            seen = Incoming(target_id, name, user_id % self.shards, since, user_id)
            rows.append(Put(schema.INCOMING, schema.INCOMING.encode(seen)))
        return rows


def _pair(key: Key) -> dict[str, Value]:
    return {"user_id": key[0], "target_id": key[1]}


def _edge_row(edge: Edge) -> EdgeRow:
    following, requested, blocking, muting, close_friend = (edge.since[name] for name in LISTS)
    return EdgeRow(
        *edge.key,
        following,
        requested,
        blocking,
        muting,
        close_friend,
        declined=edge.state.declined,
        ever_followed=edge.ever_followed,
        version=edge.version,
        event_ids=edge.event_ids,
    )


def _edge(key: Key, found: Row | None) -> Edge:
    if found is None:
        return Edge(*key, counted=dict.fromkeys(KINDS, Counted()))
    row = schema.EDGES.decode(found)
    since = {name: getattr(row, f"{name}_since") for name in LISTS}
    return Edge(
        *key,
        state=State(**{name: bool(since[name]) for name in LISTS}, declined=row.declined),
        since=since,
        ever_followed=row.ever_followed,
        version=row.version,
        event_ids=row.event_ids,
        counted={
            "followers": Counted(row.followers_counted, row.followers_tick),
            "following": Counted(row.following_counted, row.following_tick),
        },
    )


def _count(key: tuple[int, str], found: Row | None) -> Count:
    if found is None:
        return Count(*key)
    row = schema.COUNTS.decode(found)
    count = Count(*key, value=row.value, fold=row.tick)
    pending = _ENTRY.iter_unpack(row.pending)
    entries = (Entry(count.counting(other), holds, before, count.fold) for other, holds, before in pending)
    return replace(count, entries=tuple(entries))


def _relation(row: RelationRow) -> Relation:
    return Relation(row.target_id, **{flag: getattr(row, f"{flag}_since") > 0 for flag in RELATION_FLAGS})
