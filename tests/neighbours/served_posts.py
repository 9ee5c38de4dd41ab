"""A media service that knows who wrote which post, for the one question engagement asks of it."""

from __future__ import annotations

from typing import Any

from tintype.media.v1 import posts_pb2

from mesh.app import Context, Module
from tests.neighbours.unserved import Unserved


class ServedPosts(Unserved):
    """Serves PostsService.BatchGetPosts over a dict from post id to author id."""

    def __init__(self, authors: dict[int, int]) -> None:
        self._authors = authors

    async def BatchGetPosts(self, request: Any, call: Any) -> Any:
        known = [post for post in request.post_ids if post in self._authors]
        return posts_pb2.BatchGetPostsResponse(
            posts=[posts_pb2.Post(post_id=post, author_id=self._authors[post]) for post in known]
        )


def media_module(authors: dict[int, int]) -> Module:
    """A module named media in whose place the real one would stand."""

    async def build(ctx: Context) -> None:
        ctx.serve(posts_pb2.DESCRIPTOR.services_by_name["PostsService"], ServedPosts(authors))

    return Module(name="media", build=build)
