"""How the media service is put together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from tintype.events.v1.media_pb2 import AssetProcessed, AssetUploaded, PostChanged
from tintype.media.v1 import assets_pb2, posts_pb2

from mesh.app import Context, Module
from mesh.config import Limit, Section
from mesh.events import Event
from mesh.live import Hub
from mesh.storage import Store
from services.media.assets import Assets
from services.media.imaging.pool import ImageWorker
from services.media.imaging.rendered import Limits
from services.media.memory import return_large_buffers
from services.media.messages import asset_message, post_entry
from services.media.posts import Posts
from services.media.processing import Processing
from services.media.schema import TABLES
from services.media.server import AssetsServer, PostsServer
from services.media.store import MediaStore
from services.media.sweep import Sweep
from services.media.uploads import Uploads


class MediaSection(Section):
    """Uploads, their processing, and what is kept in memory."""

    max_upload_bytes: Annotated[int, Limit("bytes", "the largest photo")] = Field(
        64 * 1024 * 1024, ge=1024, le=1 << 30, description="largest file taken"
    )
    image_processes: int = Field(2, ge=1, le=64, description="photos rendered at a time")
    keep_originals: bool = Field(True, description="keep what was uploaded beside the variants")
    heartbeat_seconds: float = Field(5.0, gt=0, le=60, description="longest silence of a watched asset")
    cached_assets: int = Field(20_000, ge=1, description="finished assets kept in memory (some 2 KB each)")
    cached_posts: int = Field(20_000, ge=1, description="posts kept in memory for two seconds (some 2 KB each)")


async def build(ctx: Context) -> None:
    """Wire the service."""
    section: MediaSection = ctx.section
    return_large_buffers()
    tables = await ctx.store(TABLES)
    store, outbox = MediaStore(tables), ctx.outbox(tables)
    assets = Assets(store, asset_message, section.cached_assets, Hub(ctx.clock, section.heartbeat_seconds, limit=1))
    posts = Posts(store, assets, outbox, ctx.ids, ctx.clock, post_entry, section.cached_posts)
    uploads = Uploads(store, ctx.blobs, outbox, ctx.ids, ctx.clock, section.max_upload_bytes)
    images = ImageWorker(section.image_processes, Limits(source_bytes=section.max_upload_bytes))
    processing = Processing(store, ctx.blobs, outbox, images, section.keep_originals)

    ctx.on_start(images.start)
    ctx.on_stop(images.stop)
    ctx.on_stop(processing.stop)
    ctx.background("sweep", Sweep(store, ctx.blobs, ctx.clock, processing.process).run)
    ctx.on_settle(processing.idle)
    _handle_events(ctx, processing, assets, posts, tables)
    ctx.serve(assets_pb2.DESCRIPTOR.services_by_name["AssetsService"], AssetsServer(uploads, assets))
    ctx.serve(posts_pb2.DESCRIPTOR.services_by_name["PostsService"], PostsServer(posts))


def _handle_events(
    ctx: Context,
    processing: Processing,
    assets: Assets[assets_pb2.Asset],
    posts: Posts[assets_pb2.Asset],
    store: Store,
) -> None:
    async def uploaded(event: Event) -> None:
        await processing.process(event.message.asset_id)

    async def processed(event: Event) -> None:
        assets.changed(event.message.asset_id)

    async def post_changed(event: Event) -> None:
        posts.changed(event.message.post_id)

    ctx.subscribe("media", {AssetUploaded: uploaded}, store)
    ctx.tail("media", {AssetProcessed: processed, PostChanged: post_changed})


MODULE = Module("media", build, MediaSection)
