"""Writes docs/personal-data.md from what the services declare: ``python docs/personal_data.py``."""

from __future__ import annotations

import sys
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from cli.holdings import Kept, kept
from mesh.app.layout import SHARED_TABLES

PAGE = Path(__file__).with_name("personal-data.md")
_HEAD = """# Personal data

Everything that keeps data, and whose it is. Written from the code by `python docs/personal_data.py`; a test refuses
whatever does not say it.

*Whose* names the columns or fields that hold people's ids: a row is the data of each of them. *Through* says where to
look where the ids are of something else. Tables stand in the services' own stores; buckets are prefixes of keys in the
blob store; streams are events on the bus, which outboxes keep for `events.retention_hours`; caches are families of keys
in Redis, gone with their time.
"""


def page() -> str:
    """The whole page."""
    everywhere = {table.name for table in SHARED_TABLES}
    own = [each for each in kept() if each.name not in everywhere]
    sections = [_section(f"`{service}`", list(those)) for service, those in groupby(own, attrgetter("service"))]
    shared = [Kept("", "table", table.name, table.personal) for table in SHARED_TABLES]
    return _HEAD + "".join([*sections, _section("Every service beside", shared)])


def _section(title: str, those: list[Kept]) -> str:
    rows = [f"| {each.kind} | `{each.name}` | {_whose(each)} |" for each in those]
    return "\n".join([f"\n## {title}\n", "| what | name | whose |", "|---|---|---|", *rows, ""])


def _whose(each: Kept) -> str:
    personal = each.personal
    assert personal is not None, f"{each.service} {each.kind} {each.name} does not say whose data it is"
    if personal.nobodys:
        return f"nobody's: {personal.nobodys}"
    owners = ", ".join(f"`{owner}`" for owner in personal.owners)
    return f"{owners}, through {personal.through}" if personal.through else owners


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.name} is written\n")
