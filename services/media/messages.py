"""Domain values as messages and back: the one place that knows both."""

from __future__ import annotations

from collections.abc import Sequence

from tintype.media.v1 import assets_pb2, posts_pb2
from tintype.type.v1 import content_pb2

from services.media.model import Asset, Audience, Failed, Place, Post, Ready, Restriction
from services.media.places import make_place


def asset_message(asset: Asset) -> assets_pb2.Asset:
    original = asset.original
    message = assets_pb2.Asset(
        asset_id=original.asset_id,
        owner_id=original.owner_id,
        state=f"ASSET_STATE_{asset.state}",
        create_time_ms=original.create_time_ms,
        filename=original.filename,
        size_bytes=original.size_bytes,
    )
    match asset.outcome:
        case Failed(reason, text):
            message.failure_reason, message.failure_message = reason, text
        case Ready() as ready:
            _add_ready(message, ready)
    return message


def _add_ready(message: assets_pb2.Asset, ready: Ready) -> None:
    message.width, message.height = ready.width, ready.height
    message.blurhash, message.dominant_colour = ready.blurhash, ready.dominant_colour
    for variant in ready.variants:
        message.variants.add(
            name=variant.name,
            format=variant.format,
            width=variant.width,
            height=variant.height,
            size_bytes=variant.size_bytes,
            object_key=variant.object_key,
        )


def post_message(post: Post, assets: Sequence[assets_pb2.Asset]) -> posts_pb2.Post:
    return posts_pb2.Post(
        post_id=post.post_id,
        author_id=post.author_id,
        assets=assets,
        caption=post.caption,
        place=place_message(post.place) if post.place else None,
        audience=audience_value(post.audience),
        comments_disabled=post.comments_disabled,
        archived=post.archived,
        create_time_ms=post.create_time_ms,
        version=post.version,
        hashtags=post.hashtags,
        restrictions=restriction_values(post),
    )


def place_message(place: Place) -> content_pb2.Place:
    return content_pb2.Place(
        place_id=place.place_id, name=place.place_name, latitude=place.latitude, longitude=place.longitude
    )


def place_of(message: content_pb2.Place) -> Place:
    """The place that a request names, with its id. Raises INVALID_FIELD."""
    latitude = message.latitude if message.HasField("latitude") else None
    longitude = message.longitude if message.HasField("longitude") else None
    return make_place(message.name, latitude, longitude)


def audience_value(audience: Audience) -> content_pb2.Audience:
    value: content_pb2.Audience = content_pb2.Audience.Value(f"AUDIENCE_{audience}")
    return value


def restriction_values(post: Post) -> list[content_pb2.Restriction]:
    return [content_pb2.Restriction.Value(f"RESTRICTION_{each}") for each in post.restrictions]


def restriction_of(value: content_pb2.Restriction) -> Restriction:
    return Restriction(content_pb2.Restriction.Name(value).removeprefix("RESTRICTION_"))


def audience_of(value: content_pb2.Audience) -> Audience:
    """Unspecified is everyone."""
    if value == content_pb2.AUDIENCE_UNSPECIFIED:
        return Audience.EVERYONE
    return Audience(content_pb2.Audience.Name(value).removeprefix("AUDIENCE_"))


def post_entry(post: Post, assets: Sequence[assets_pb2.Asset]) -> bytes:
    """A BatchGetPostsResponse of one post. Such entries put one after another are the response of all of them:
    that is how repeated fields are encoded, and it costs a twentieth of building the whole."""
    entry: bytes = posts_pb2.BatchGetPostsResponse(posts=[post_message(post, assets)]).SerializeToString()
    return entry
