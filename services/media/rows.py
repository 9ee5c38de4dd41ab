"""Domain values to rows and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from mesh.storage import Row
from services.media.model import (
    Asset,
    AssetState,
    Audience,
    Failed,
    Original,
    Outcome,
    Place,
    Post,
    Ready,
    Variant,
)
from services.media.schema import OUTCOME_COLUMNS

_NO_OUTCOME: dict[str, Any] = dict.fromkeys(OUTCOME_COLUMNS)


def original_row(original: Original) -> Row:
    return asdict(original)


def original_of(row: Row) -> Original:
    return Original(**{name: row[name] for name in Original.__dataclass_fields__})  # type: ignore[arg-type]


def outcome_row(outcome: Outcome) -> Row:
    """Every outcome column, so that rows of a table with a life are whole."""
    if isinstance(outcome, Failed):
        failure = {"failure_reason": outcome.reason, "failure_message": outcome.message}
        return {**_NO_OUTCOME, "state": AssetState.FAILED.value, **failure}
    variants = json.dumps([asdict(variant) for variant in outcome.variants], separators=(",", ":"))
    return {
        **_NO_OUTCOME,
        "state": AssetState.READY.value,
        "width": outcome.width,
        "height": outcome.height,
        "blurhash": outcome.blurhash,
        "dominant_colour": outcome.dominant_colour,
        "variants": variants,
    }


def outcome_of(row: Row) -> Outcome | None:
    values: dict[str, Any] = dict(row)
    if values["state"] is None:
        return None
    if values["state"] == AssetState.FAILED:
        return Failed(values["failure_reason"], values["failure_message"])
    variants = tuple(Variant(**variant) for variant in json.loads(values["variants"]))
    return Ready(values["width"], values["height"], values["blurhash"], values["dominant_colour"], variants)


def asset_of(row: Row | None) -> Asset | None:
    """None too where only the outcome has arrived: an atomic write is not an isolated one."""
    if row is None or row["owner_id"] is None:
        return None
    return Asset(original_of(row), outcome_of(row))


def post_row(post: Post) -> Row:
    place = post.place or Place("", "")
    return {
        "post_id": post.post_id,
        "version": post.version,
        "author_id": post.author_id,
        "asset_ids": json.dumps(post.asset_ids),
        "caption": post.caption,
        "hashtags": json.dumps(post.hashtags, ensure_ascii=False),
        "place_id": place.place_id or None,
        "place_name": place.name or None,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "audience": post.audience.value,
        "comments_disabled": post.comments_disabled,
        "archived": post.archived,
        "deleted": post.deleted,
        "create_time_ms": post.create_time_ms,
    }


def post_of(row: Row) -> Post:
    values: dict[str, Any] = dict(row)
    place = None
    if values["place_id"]:
        place = Place(values["place_id"], values["place_name"], values["latitude"], values["longitude"])
    return Post(
        post_id=values["post_id"],
        author_id=values["author_id"],
        version=values["version"],
        asset_ids=tuple(json.loads(values["asset_ids"])),
        caption=values["caption"],
        hashtags=tuple(json.loads(values["hashtags"])),
        place=place,
        audience=Audience(values["audience"]),
        comments_disabled=values["comments_disabled"],
        archived=values["archived"],
        deleted=values["deleted"],
        create_time_ms=values["create_time_ms"],
    )
