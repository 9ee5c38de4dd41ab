"""The `tintype` command."""

from __future__ import annotations

import typer

from cli import events, jobs, operations, people, posts, serve, up, usage

app = typer.Typer(
    name="tintype",
    help="Run, fill, look into and use Tintype.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up.up)
app.command()(serve.serve)
app.command()(operations.seed)
app.command()(operations.config)
app.command()(operations.health)
app.command()(events.events)
app.command()(operations.schema)
app.command()(operations.gateway)
app.command()(usage.upload)
app.command()(usage.feed)
app.command()(usage.watch)
app.add_typer(operations.search, name="search")
app.add_typer(people.app, name="users")
app.add_typer(posts.app, name="posts")
app.add_typer(jobs.app, name="jobs")

if __name__ == "__main__":
    app()
