"""Long work: exports, erasures, encodings, what is to happen at a time or every so often.

A job is a row; its work is done in steps. What is promised:

* A job that was submitted is worked on until it is done, cancelled, or has failed ``MAX_TRIES`` times at one step.
* **Each step at least once**, in order: a step whose end was not kept comes again with the same cursor, in another
  process perhaps. So a step's effect is idempotent, and two of the same may overlap for a moment: who works for
  longer than the lease, without a sign of life, is taken for dead.
* A process that is killed loses its lease after ``Limits.lease_s``; then another goes on from the last cursor.
* No job runs before its time; how late it runs is said by ``Limits``: at a time each process works on so many, and
  for one owner on so many, and owners take turns.
* A cancelled job does no further step; one under way is told (``asyncio.CancelledError``) within a third of a lease.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

MAX_TRIES = 8
"""Failures of one step, with growing pauses (five seconds to ten minutes), before the job has failed."""


class State(StrEnum):
    """The life of a job; all but the first are final."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of long work."""

    job_id: int
    """Of the caller's choosing, from the installation's ids: the same one is the same job."""
    kind: str
    """Says who does it."""
    owner_id: int
    """For whom: owners share the capacity fairly."""
    arguments: str = "{}"
    """What the work is told; JSON by custom."""
    at_ms: int = 0
    """Its time: it does not begin before."""
    every_ms: int = 0
    """Once done, it begins again at the next of the times that are so far apart, counted from its first; 0: never."""
    due_ms: int = 0
    """When anybody may take it up: at its time, at the end of a pause, or of the lease of whoever holds it."""
    cursor: str = ""
    """Where the next step begins, in the words of the work; empty at first."""
    done: int = 0
    total: int = 0
    """Progress, in units of the work's choosing; ``total`` 0: not known."""
    state: State = State.OPEN
    tries: int = 0
    """Failures of the step that is next."""
    error: str = ""
    """Of its latest failure."""
    holder: int = 0
    """Who works on it: an id made anew each time that it is taken up; 0: nobody."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Next:
    """A step was done, another follows from ``cursor``, after a pause of ``after_ms``."""

    cursor: str
    done: int = 0
    total: int = 0
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The last step was done."""


Step: TypeAlias = Next | Done
Work: TypeAlias = Callable[[Job], Awaitable[Step]]
"""Does the step that ``job.cursor`` names, in minutes at most. Whatever it raises is a failure, tried again."""
