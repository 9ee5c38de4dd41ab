"""The events that this service publishes."""

from __future__ import annotations

from tintype.events.v1 import media_pb2

from mesh.events import NewEvent
from services.media.messages import audience_value, place_message, restriction_values
from services.media.model import Asset, Original, Post, Ready


def asset_uploaded(original: Original) -> NewEvent:
    message = media_pb2.AssetUploaded(asset_id=original.asset_id, owner_id=original.owner_id)
    return NewEvent(message, original.asset_id)


def asset_processed(asset: Asset) -> NewEvent:
    ready = isinstance(asset.outcome, Ready)
    message = media_pb2.AssetProcessed(asset_id=asset.asset_id, owner_id=asset.owner_id, ready=ready)
    return NewEvent(message, asset.asset_id)


def post_changed(post: Post) -> NewEvent:
    message = media_pb2.PostChanged(
        post_id=post.post_id,
        author_id=post.author_id,
        caption=post.caption,
        hashtags=post.hashtags,
        place=place_message(post.place) if post.place else None,
        audience=audience_value(post.audience),
        archived=post.archived,
        deleted=post.deleted,
        version=post.version,
        create_time_ms=post.create_time_ms,
        restrictions=restriction_values(post),
    )
    return NewEvent(message, post.post_id)
