"""`tintype posts`: take posts down and put them back, as an operator of the installation."""

from __future__ import annotations

import typer

app = typer.Typer(help="Take posts down and put them back.", no_args_is_help=True)
Set = typer.Option(None, "--set", help="key=value, over environment and file.")
Id = typer.Argument(..., metavar="ID", help="The post's id.")


@app.command()
def remove(post: str = Id, set_: list[str] = Set) -> None:
    """Take a post down: nobody sees it any more, its author included. May be repeated."""
    _set_removed(post, set_, removed=True)
    typer.echo(f"post {post} is removed; `tintype posts restore {post}` brings it back as it was")


@app.command()
def restore(post: str = Id, set_: list[str] = Set) -> None:
    """Put a removed post back as it was. May be repeated."""
    _set_removed(post, set_, removed=False)
    typer.echo(f"post {post} is shown as it was")


def _set_removed(post: str, set_: list[str], *, removed: bool) -> None:
    from tintype.media.v1 import posts_pb2
    from tintype.media.v1.posts_pb2_grpc import PostsServiceStub
    from tintype.type.v1 import content_pb2

    from cli import configuration
    from cli.inside import inside
    from mesh import ids

    post_id = ids.parse(post)
    if post_id is None:
        typer.secho(f"{post} is no post's id", fg="red", err=True)
        raise typer.Exit(1)

    async def work(stub: PostsServiceStub) -> None:
        kind = content_pb2.RESTRICTION_REMOVED
        await stub.SetRestriction(posts_pb2.SetRestrictionRequest(post_id=post_id, restriction=kind, holds=removed))

    inside(configuration.load(set_), PostsServiceStub, work)
