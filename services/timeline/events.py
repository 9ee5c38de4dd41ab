"""What the timeline does about posts and follows. It publishes nothing."""

from __future__ import annotations

from tintype.events.v1.graph_pb2 import RelationChanged
from tintype.events.v1.media_pb2 import PostChanged

from mesh.events import Event, Handlers
from services.timeline.author_store import AuthorStore
from services.timeline.fanout import FanOut
from services.timeline.following import Following
from services.timeline.home import Home
from services.timeline.model import Ref, author_bucket


def posts(authors: AuthorStore, fanout: FanOut) -> Handlers:
    """New posts travel to their readers; archived, deleted and restricted ones are counted out."""

    async def post_changed(event: Event) -> None:
        post: PostChanged = event.message
        await authors.add_post(post.author_id, post.post_id)
        listed = not (post.archived or post.deleted or post.restrictions)
        await authors.set_state(post.author_id, post.post_id, post.version, listed)
        await authors.recount(post.author_id, author_bucket(post.post_id))
        if post.version == 1:
            await fanout.deliver(Ref(post.post_id, post.author_id))

    return {PostChanged: post_changed}


def relations(home: Home) -> Handlers:
    """A new follow brings the followee's newest posts. An end of it deletes nothing: reading filters."""

    async def relation_changed(event: Event) -> None:
        relation: RelationChanged = event.message
        if relation.following and not relation.was_following:
            await home.backfill(relation.user_id, relation.target_id)

    return {RelationChanged: relation_changed}


def invalidation(following: Following) -> Handlers:
    """Every process forgets at once whom a reader followed."""

    async def relation_changed(event: Event) -> None:
        if event.message.following != event.message.was_following:
            following.forget(event.message.user_id)

    return {RelationChanged: relation_changed}
