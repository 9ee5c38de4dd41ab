"""Claiming a key once: the row that stands under it, this one or the one that came before."""

from __future__ import annotations

from mesh.storage import Row, Store, TableSpec, TimedOut


async def standing(store: Store, table: TableSpec, row: Row) -> Row:
    """Claim a key with a row; the row that now stands under it, whole. May be repeated.

    The caller tells whose it is by a column that no two claims share. Raises what the store raises;
    after ``TimedOut`` the row may still appear, so nothing may be concluded from its absence.
    """
    try:
        outcome = await store.insert_if_absent(table, row)
    except TimedOut:
        found = await store.get(table, {name: row[name] for name in table.key_columns})
        if found is None:
            raise
        return found
    if outcome.applied:
        return {**dict.fromkeys(table.columns), **row}
    assert outcome.current is not None, "a claim is lost to a row"
    return outcome.current
