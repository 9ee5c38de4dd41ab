"""The mesh in one process, for tests: real modules on real servers, settled instead of slept for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from mesh import config
from mesh.app import Module, Process
from mesh.auth import tokens
from mesh.auth.keys import KeyRing
from mesh.clock import Clock, SystemClock
from mesh.rpc.call import Call, current

_HOUR_MS = 3_600_000
ALL_SCOPES = frozenset({"read", "write", "account"})


class Harness:
    """A running process and the means to call it as somebody."""

    def __init__(self, process: Process, keys: KeyRing) -> None:
        self.process = process
        self._keys = keys

    def stub(self, stub_class: Any) -> Any:
        """A client of a service, through the whole interceptor chain, as a peer of the mesh."""
        return self.process.channels.stub(stub_class)

    def token(self, user_id: int, session_id: int = 1, roles: frozenset[str] = frozenset()) -> str:
        """An access token for a user, signed by the installation's key."""
        return tokens.sign(
            self._keys,
            user_id=user_id,
            session_id=session_id,
            scopes=ALL_SCOPES,
            roles=roles,
            now_ms=self.process.clock.now_ms(),
            life_ms=_HOUR_MS,
        )

    @contextmanager
    def user(self, user_id: int) -> Iterator[None]:
        """Calls made in this block carry the user's token."""
        metadata = {"authorization": f"Bearer {self.token(user_id)}"}
        call = Call(None, metadata, None, self.process.registry.closing)  # type: ignore[arg-type]
        mark = current.set(call)
        try:
            yield
        finally:
            current.reset(mark)

    async def settle(self) -> None:
        """Wait until nothing is on its way any more."""
        await self.process.settle()


@asynccontextmanager
async def running(
    modules: Sequence[Module],
    state_dir: Path,
    *,
    redis_url: str = "",
    s3: Any = None,
    clock: Clock | None = None,
    flags: dict[str, str] | None = None,
    whole: bool = False,
) -> AsyncIterator[Harness]:
    """Run these modules in this process on fresh state. ``s3`` is a running :class:`stack.s3.S3Server`;
    ``whole`` as in :class:`~mesh.app.Process`: most tests run a part of the mesh."""
    values = {"state_dir": str(state_dir), "grpc_address": "127.0.0.1:0", "telemetry.metrics_address": ""}
    if redis_url:
        values["redis.url"] = redis_url
    if s3 is not None:
        values |= {
            "blobs.endpoint": f"{s3.host}:{s3.port}",
            "blobs.access_key": s3.access_key,
            "blobs.secret_key": s3.secret_key,
            "blobs.region": s3.region,
        }
    sections = {module.name: module.config for module in modules if module.config}
    settings = config.load(sections, flags={**values, **(flags or {})})
    keys = KeyRing(settings.keys_dir, clock or SystemClock(), rotate_ms=365 * 24 * _HOUR_MS, overlap_ms=0)
    keys.refresh()
    async with Process(settings, modules, clock, whole) as process:
        yield Harness(process, keys)
