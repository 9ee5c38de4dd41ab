"""What decides how stored data is laid out: kept with the data at the first start, and the same ever after.

A shard's number or a bucket's is made from such a setting whenever a row is written or looked for, so with another
value what is there would not be found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from mesh.config import ConfigError
from mesh.events.events import OUTBOX_TABLES
from mesh.personal import nobodys
from mesh.storage import Store, TimedOut, WriteMode, table


@dataclass(frozen=True, slots=True)
class Pinned:
    """A setting with the value that the data was laid out by."""

    name: str
    value: int


LAYOUT = table(
    "layout",
    Pinned,
    partition=("name",),
    mode=WriteMode.COMPARE_AND_SET,
    personal=nobodys("how the data is laid out"),
)

SHARED_TABLES = (*OUTBOX_TABLES, LAYOUT)
"""What every module's store has beside the module's own tables."""


async def pin(store: Store, settings: Mapping[str, int]) -> None:
    """Keep these settings where they are new. Raises :class:`ConfigError` where the data was laid out by another
    value. May be repeated; of processes that start at once with different values one goes on."""
    for name, value in settings.items():
        with suppress(TimedOut):  # whether it is there is read just after
            await store.insert_if_absent(LAYOUT, LAYOUT.encode(Pinned(name, value)))
        row = await store.get(LAYOUT, {"name": name})
        if row and (kept := LAYOUT.decode(row)).value != value:
            raise ConfigError(
                f"{name}: is {value}, but what is stored was laid out by {kept.value}: set it to {kept.value}"
            )
        if not row:
            raise TimedOut(f"{name}: not known to be kept with the data; start again")
