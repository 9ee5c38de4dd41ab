"""`tintype users`: look accounts up, hide and show them, as an operator of the installation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="Look accounts up, hide and show them.", no_args_is_help=True)
_console = Console(highlight=False)
User = typer.Argument(..., help="An id or @username.")
Set = typer.Option(None, "--set", help="key=value, over environment and file.")


@app.command("list")
def list_users(
    limit: int = typer.Option(100, min=1, max=10_000, help="How many at most."), set_: list[str] = Set
) -> None:
    """List accounts, oldest first."""
    from tintype.accounts.v1 import accounts_pb2

    table = _table()

    async def work(stub: Any) -> None:
        after, left = 0, limit
        while left > 0:
            request = accounts_pb2.ListUsersRequest(page_size=min(left, 200), after_user_id=after)
            answer = await stub.ListUsers(request)
            for user in answer.users:
                _row(table, user)
            left -= len(answer.users)
            after = answer.next_after_user_id
            if not after:
                break

    _inside(set_, work)
    _console.print(table)


@app.command()
def show(user: str = User, set_: list[str] = Set) -> None:
    """Show one account."""
    from tintype.accounts.v1 import accounts_pb2

    table = _table()

    async def work(stub: Any) -> None:
        request = accounts_pb2.BatchGetUsersRequest(user_ids=[await _user_id(stub, user)])
        for found in (await stub.BatchGetUsers(request)).users:
            _row(table, found)

    _inside(set_, work)
    if not table.row_count:
        _refuse(user)
    _console.print(table)


@app.command()
def hide(user: str = User, set_: list[str] = Set) -> None:
    """Hide an account: nothing of it is shown to anybody else. May be repeated."""
    _set_hidden(user, set_, hidden=True)


@app.command()
def unhide(user: str = User, set_: list[str] = Set) -> None:
    """Show a hidden account again, as it was. May be repeated."""
    _set_hidden(user, set_, hidden=False)


def _set_hidden(user: str, set_: list[str], *, hidden: bool) -> None:
    from tintype.accounts.v1 import accounts_pb2

    table = _table()

    async def work(stub: Any) -> None:
        request = accounts_pb2.SetHiddenRequest(user_id=await _user_id(stub, user), hidden=hidden)
        _row(table, (await stub.SetHidden(request)).user)

    _inside(set_, work)
    _console.print(table)


async def _user_id(stub: Any, user: str) -> int:
    """The id that the argument names; ends the command where it is a name that nobody has."""
    from tintype.accounts.v1 import accounts_pb2

    from mesh import ids

    if (user_id := ids.parse(user)) is not None:
        return user_id
    name = user.removeprefix("@").lower()
    found = await stub.ResolveUsernames(accounts_pb2.ResolveUsernamesRequest(usernames=[name]))
    return int(found.user_ids.get(name, 0)) or _refuse(user)


def _refuse(user: str) -> NoReturn:
    typer.secho(f"there is no account {user}", fg="red", err=True)
    raise typer.Exit(1)


def _inside(set_: list[str], work: Callable[[Any], Awaitable[None]]) -> None:
    from tintype.accounts.v1.accounts_pb2_grpc import AccountsServiceStub

    from cli import configuration
    from cli.inside import inside

    inside(configuration.load(set_), AccountsServiceStub, work)


def _table() -> Table:
    return Table("id", "username", "name", "private", "hidden", box=None)


def _row(table: Table, user: Any) -> None:
    yes = {True: "yes", False: ""}
    table.add_row(str(user.user_id), user.username, user.display_name, yes[user.private], yes[user.hidden])
