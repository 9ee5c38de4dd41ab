"""What the graph publishes (RelationChanged, in the order of each user's own changes) and listens to."""

from __future__ import annotations

from tintype.events.v1 import graph_pb2

from mesh.events import Event, Handler, Holds, NewEvent
from services.graph.changes import Changes
from services.graph.circles import Circles
from services.graph.edges import Edge
from services.graph.relations import Relations


def relation_changed(before: Edge, after: Edge) -> NewEvent:
    """The event that tells of an edge's change."""
    message = graph_pb2.RelationChanged(
        user_id=after.user_id,
        target_id=after.target_id,
        following=after.state.following,
        requested=after.state.requested,
        blocking=after.state.blocking,
        muting=after.state.muting,
        close_friend=after.state.close_friend,
        was_following=before.state.following,
        was_blocking=before.state.blocking,
        version=after.version,
    )
    return NewEvent(message, key=after.user_id)


def holds(changes: Changes) -> Holds:
    """Settles an intent that was left behind."""

    async def settle(event: Event) -> bool:
        return await changes.settle(event.message.user_id, event.message.target_id, event.id)

    return settle


def forgetting(relations: Relations, circles: Circles) -> Handler:
    """Drops what this process remembers of a relation that changed, here or elsewhere."""

    async def forget(event: Event) -> None:
        pair = (event.message.user_id, event.message.target_id)
        relations.forget(*pair)
        circles.forget(*pair)

    return forget
