"""Passwords: what may be one, and hashing it with Argon2id (RFC 9106) without stopping the world.

Hashing is meant to be expensive, so it runs in a few threads of its own, and where too many wait
the next one is refused at once instead of queueing for longer than its caller will wait.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mesh.errors import exhausted, invalid
from mesh.limits import longest

T = TypeVar("T")

MIN_CHARS = 8
MAX_CHARS = longest("edge.v1.accounts.RegisterRequest.password")
_COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())
"""The most common passwords of eight and more characters in published leaks."""


def check_password(password: str, username: str) -> None:
    """Raise PASSWORD_TOO_WEAK for one that is short, long, common, or holds the username."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise _weak(f"must be {MIN_CHARS} to {MAX_CHARS} characters")
    folded = password.casefold()
    if folded in _COMMON or len(set(folded)) < 3:
        raise _weak("is one of the first that anybody would try: choose another")
    if username and username in folded:
        raise _weak("must not contain the username")


class Passwords:
    """Hashes and verifies. ``memory_kib``, ``passes`` and ``lanes`` are Argon2id's m, t and p;
    ``threads`` hash at once and at most ``waiting`` more wait."""

    def __init__(self, memory_kib: int, passes: int, lanes: int, threads: int, waiting: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._room = threads + waiting
        self._decoy = self._hasher.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        """The hash to keep, in PHC form. Raises OVERLOADED."""
        return await self._run(lambda: self._hasher.hash(_folded(password)))

    async def verify(self, password: str, kept: str | None) -> bool:
        """Whether this is the password. None (nobody's) costs the same work. Raises OVERLOADED."""
        matches = await self._run(lambda: self._verify(password, kept or self._decoy))
        return matches and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    async def close(self) -> None:
        """Finish what is being hashed."""
        await asyncio.to_thread(self._threads.shutdown)

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, _folded(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._room <= 0:
            raise exhausted("OVERLOADED", "too many people are signing in at this moment; try again", 1000)
        self._room -= 1
        try:
            future = self._threads.submit(work)
        except BaseException:
            self._room += 1
            raise
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(future)

    def _leave(self) -> None:
        """A place is free only when its thread is, whether or not anybody still waits for the answer."""
        self._room += 1


def _folded(password: str) -> str:
    """The same bytes from every keyboard (NIST SP 800-63B, section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _weak(expected: str) -> Exception:
    return invalid("password", expected, "PASSWORD_TOO_WEAK")
