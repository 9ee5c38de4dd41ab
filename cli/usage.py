"""Using Tintype from the command line: upload, feed, watch."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn
from rich.table import Table

from cli.demo.people import DEMO_PASSWORD

if TYPE_CHECKING:
    from cli.client import Client

_console = Console(highlight=False)
Gateway = typer.Option(None, "--gateway", envvar="TINTYPE_GATEWAY", help="Another installation's gateway: host:port.")
User = typer.Option("ana.souza", "--user", "-u", envvar="TINTYPE_USER", help="Who you are.")
Password = typer.Option(DEMO_PASSWORD, "--password", envvar="TINTYPE_PASSWORD", help="The demo world's by default.")
_FOREVER_S = 24 * 3600.0


def signed_in(gateway: str | None, user: str, password: str, work: Callable[[Client, str], Awaitable[None]]) -> None:
    """Log in, do the work, and say what went wrong in one line."""
    import grpc

    from cli import configuration
    from cli.client import Client, explain

    target = configuration.gateway(gateway)

    async def run() -> None:
        async with Client(target) as client:
            await work(client, await client.log_in(user, password))

    try:
        asyncio.run(run())
    except grpc.aio.AioRpcError as error:
        typer.secho(explain(error), fg="red", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def upload(
    photo: Path = typer.Argument(..., exists=True, dir_okay=False, help="A JPEG, PNG or WebP file."),
    caption: str = typer.Option(None, help="Publish it as a post with this caption."),
    gateway: str | None = Gateway,
    user: str = User,
    password: str = Password,
) -> None:
    """Upload a photo, wait until it is ready, and publish it where a caption is given."""
    from tintype.edge.v1 import posts_pb2, resources_pb2

    from cli.client import chunks_of_file

    async def work(client: Client, token: str) -> None:
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=_console) as progress:
            bar = progress.add_task("upload", total=photo.stat().st_size)
            chunks = chunks_of_file(photo, lambda size: progress.advance(bar, size))
            medium = await client.upload(chunks, photo.name, str(uuid.uuid4()), token)
        medium = await _until_done(client, medium, token)
        if medium.state == resources_pb2.Media.FAILED:
            _console.print(f"[red]{medium.failure.message} ({medium.failure.reason})[/red]")
            raise typer.Exit(1)
        _console.print(f"medium {medium.media_id} is ready: {medium.width} × {medium.height}")
        for variant in medium.variants:
            _console.print(f"  {variant.width:>5} × {variant.height:<5} {variant.url}", soft_wrap=True)
        if caption is not None:
            create = posts_pb2.CreatePostRequest(media_ids=[medium.media_id], caption=caption)
            answer = await client.call(client.posts.CreatePost, create, token)
            _console.print(f"post {answer.post.post_id} is published")

    signed_in(gateway, user, password, work)


async def _until_done(client: Client, medium: Any, token: str) -> Any:
    from tintype.edge.v1 import media_pb2

    from cli.client import bearer

    request = media_pb2.WatchMediaRequest(media_id=medium.media_id)
    async for message in client.media.WatchMedia(request, timeout=120, metadata=bearer(token)):
        if message.HasField("media"):
            medium = message.media
    return medium


def feed(
    pages: int = typer.Option(1, min=1, max=100, help="How many pages of twenty."),
    gateway: str | None = Gateway,
    user: str = User,
    password: str = Password,
) -> None:
    """Show the home feed."""
    from tintype.edge.v1 import feed_pb2

    async def work(client: Client, token: str) -> None:
        table = Table("post", "author", "when", "likes", "comments", "caption", box=None)
        page_token = ""
        for _ in range(pages):
            request = feed_pb2.GetFeedRequest(page_size=20, page_token=page_token)
            answer = await client.call(client.feed.GetFeed, request, token)
            for item in answer.items:
                post = item.post
                when = post.create_time.ToDatetime().strftime("%d %b %H:%M")
                counts = (str(post.like_count), str(post.comment_count))
                table.add_row(post.post_id, post.author.username, when, *counts, post.caption)
            page_token = answer.next_page_token
            if not page_token:
                break
        _console.print(table)

    signed_in(gateway, user, password, work)


def watch(
    post_ids: list[str] = typer.Argument(..., help="Posts to watch."),
    gateway: str | None = Gateway,
    user: str = User,
    password: str = Password,
) -> None:
    """Watch likes and comments of posts as they happen, until Ctrl-C."""
    from tintype.edge.v1 import live_pb2

    from cli.client import bearer

    async def work(client: Client, token: str) -> None:
        kinds = live_pb2.WatchPostsResponse
        request = live_pb2.WatchPostsRequest(post_ids=post_ids)
        async for message in client.live.WatchPosts(request, timeout=_FOREVER_S, metadata=bearer(token)):
            if message.kind == kinds.LIKES:
                counts = f"{message.like_count} likes, {message.comment_count} comments"
                _console.print(f"post {message.post_id}: {counts}")
            elif message.kind == kinds.COMMENT:
                comment = message.comment
                _console.print(f"post {message.post_id}: {comment.author.username}: {comment.text}", markup=False)
            elif message.kind == kinds.END:
                _console.print(f"the stream ends: {message.end_reason}")
            elif message.kind != kinds.HEARTBEAT:
                _console.print(f"post {message.post_id}: {kinds.Kind.Name(message.kind).lower()}")

    signed_in(gateway, user, password, work)
