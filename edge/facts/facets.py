"""Facets: what a service adds to somebody else's resource.

A facet fills fields of the public message of a post: the counts of engagement, what the viewer did with it.
It is a memory of parts, serialised: concatenated messages of one type merge when they are parsed
(https://protobuf.dev/programming-guides/encoding/#last-one-wins), so a post is its own part and its facets'
parts one after the other, and adding a facet touches no surface and no other facet.

Each facet says what happens when its service is away: either it is **left out**, and the post says so by the
facet's name in ``left_out``, or the whole answer is **refused**.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tintype.edge.v1 import resources_pb2 as public
from tintype.engagement.v1 import engagement_pb2

from edge.mesh import Mesh
from mesh.errors import Code, Problem
from mesh.memory import Memory

AWAY_S = 1.0
"""How long a facet that may be left out is waited for."""
_INT32_MAX = 2**31 - 1


class Away(Enum):
    """What becomes of an answer whose facet cannot be read."""

    LEAVE_OUT = "leave out"
    REFUSE = "refuse"


Load = Callable[[list[Any]], Awaitable[Mapping[Any, bytes]]]


@dataclass(frozen=True)
class Facet:
    """Parts of posts by post id, or by (viewer id, post id) where ``per_viewer``."""

    name: str
    per_viewer: bool
    memory: Memory[Any, bytes]

    def keys(self, viewer_id: int, post_ids: Iterable[int]) -> list[Any]:
        """What to ask the memory for."""
        return [(viewer_id, post_id) for post_id in post_ids] if self.per_viewer else list(post_ids)


def facets(mesh: Mesh, max_age_s: float) -> list[Facet]:
    """The facets of a post, in the order in which they are shown."""

    async def counts(post_ids: list[int]) -> Mapping[int, bytes]:
        request = engagement_pb2.BatchGetCountsRequest(post_ids=post_ids)
        answer = await mesh.engagement.BatchGetCounts(request, timeout=AWAY_S)
        return {each.post_id: counts_part(each) for each in answer.counts}

    async def viewer(keys: list[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """Keys of one viewer: the caller."""
        request = engagement_pb2.BatchGetViewerStatesRequest(post_ids=[post_id for _, post_id in keys])
        answer = await mesh.engagement.BatchGetViewerStates(request, timeout=AWAY_S)
        liked = frozenset(answer.liked_post_ids)
        return {key: _VIEWER[key[1] in liked] for key in keys}

    return [
        _facet("counts", counts, Away.LEAVE_OUT, max_age_s, 200_000),
        _facet("viewer", viewer, Away.LEAVE_OUT, max_age_s, 500_000, per_viewer=True),
    ]


def _facet(name: str, load: Load, away: Away, max_age_s: float, size: int, *, per_viewer: bool = False) -> Facet:
    if away is Away.LEAVE_OUT:
        load = _or_left_out(name, load)
    return Facet(name, per_viewer, Memory(load, max_age_s, size, asked=name))


def _or_left_out(name: str, load: Load) -> Load:
    """Where the service is away, parts that say so: for as long as a part is kept, it is not asked again."""
    left_out = bytes(public.Post(left_out=[name]).SerializeToString())

    async def loaded(keys: list[Any]) -> Mapping[Any, bytes]:
        try:
            return await load(keys)
        except Problem as problem:
            if problem.code not in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED):
                raise
            return dict.fromkeys(keys, left_out)

    return loaded


def counts_part(counts: engagement_pb2.PostCounts) -> bytes:
    """Counts as a part of a post."""
    part = public.Post(like_count=count(counts.like_count), comment_count=count(counts.comment_count))
    return bytes(part.SerializeToString())


def count(value: int) -> int:
    """A count as a JSON number."""
    return max(0, min(value, _INT32_MAX))


_VIEWER = {liked: bytes(public.Post(viewer={"liked": liked}).SerializeToString()) for liked in (False, True)}
