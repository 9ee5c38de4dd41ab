"""One process of Tintype: built whole, then started in order; drained, then stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property, partial

import grpc
import structlog

from mesh.app.context import Context, Module
from mesh.app.health import Health, reason
from mesh.app.layout import SHARED_TABLES, pin
from mesh.app.neighbours import Neighbours
from mesh.app.queues import QueueAge
from mesh.app.wiring import Wiring
from mesh.auth.caller import Caller
from mesh.auth.keys import jwks_path
from mesh.auth.peers import PeerTokens
from mesh.auth.tokens import TokenVerifier
from mesh.blobs.client import S3Options
from mesh.blobs.contract import BlobStore
from mesh.blobs.s3 import S3BlobStore
from mesh.cache.client import Cache
from mesh.cache.connection import CacheOptions
from mesh.clock import Clock, SystemClock
from mesh.config import BlobSection, ConfigError, Settings
from mesh.events.events import Events
from mesh.ids import IdGenerator
from mesh.paging import PageTokens
from mesh.rpc import checks
from mesh.rpc.chain import Chain
from mesh.rpc.channels import Channels
from mesh.rpc.server import Registry, Server
from mesh.storage import Store, TableSpec, open_store
from mesh.storage.wrappers import Observed, Retrying
from mesh.telemetry import LoopLag

_log = structlog.get_logger("process")
GRACE_S = 10.0
"""How long calls under way may take to finish when the process drains."""
STEP_S = 5.0
"""How long one part may take to stop."""
_PROBE_EVERY_S = 1.0
_OPEN_TIMEOUT_S = 300.0
"""All together. Creating every table in an empty Cassandra takes a very busy machine minutes, and the lease
of a process that was killed while it did so has to expire first."""


class Process:
    """The modules that the targets choose, with what they share. Use as ``async with``. ``whole``: refuse to start
    where something that they call or hear is nowhere."""

    def __init__(
        self, settings: Settings, modules: Sequence[Module], clock: Clock | None = None, whole: bool = True
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ids = IdGenerator(self.clock, settings.node)
        self.page_tokens = PageTokens(settings.derived_key("page tokens"))
        self.modules = choose(settings.targets, modules)
        names = {module.name for module in self.modules}
        remote = {area: address for area, address in settings.addresses.items() if area not in names}
        self.whole, self.wiring = whole, Wiring(remote)
        secret = settings.derived_key("mesh").hex()
        peers = PeerTokens(secret, "+".join(sorted(names)), self.clock)
        verifier = TokenVerifier(jwks_path(settings.keys_dir), self.clock)
        self.session_check: checks.SessionCheck = _any_session
        authentication = checks.Authentication(verifier, peers.verify, lambda caller: self.session_check(caller))
        self.registry = Registry(Chain([checks.request_id, authentication, checks.authorisation], checks.validation))
        self.channels = Channels("+".join(sorted(names)), self.registry, remote, peers)
        self.events = Events(settings.redis.url, self.clock, self.ids, settings.events)
        self.queues = QueueAge(self.events, self.clock, settings.events.max_age_s)
        self.health = Health(Neighbours(self.channels))
        self.health.dependencies["events"] = self.queues.probe
        self.foreign: list[grpc.GenericRpcHandler] = []
        self.starting: list[Callable[[], Awaitable[None]]] = []
        self.background: dict[str, Callable[[], Awaitable[None]]] = {}
        self.stopping: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self.settling: list[Callable[[], Awaitable[None]]] = []
        self.port = 0
        self.server: Server | None = None
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._failure: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Process:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def wait(self) -> None:
        """Return never; raise when a part of the process has failed, with its name and reason."""
        assert self._failure is not None
        await self._failure

    async def settle(self, timeout_s: float = 30) -> None:
        """Wait until no event is undelivered and no background work is left: for tests and seeding."""
        async with asyncio.timeout(timeout_s):
            for _ in range(2):  # work that a first round finished may have published events
                for settle in self.settling:
                    await settle()
                await self.events.settle(timeout_s)

    @cached_property
    def cache(self) -> Cache:
        """Redis, as a cache; opened for the first module that asks."""
        cache = Cache(CacheOptions(self.settings.redis.url))
        self.stopping.append(("cache", cache.close))
        self.health.dependencies["redis"] = reason(cache.health)
        return cache

    @cached_property
    def blobs(self) -> BlobStore:
        """The S3 store; opened for the first module that asks, its bucket made before anything starts."""
        blobs = S3BlobStore(_blob_options(self.settings.blobs))
        self.starting.append(blobs.ensure_bucket)
        self.stopping.append(("blobs", blobs.close))
        self.health.dependencies["blob store"] = reason(blobs.health)
        return blobs

    async def open_store(self, name: str, tables: Sequence[TableSpec], layout: Mapping[str, int]) -> Store:
        """Open a module's store, create its tables and pin what decides their layout."""
        engine = await open_store(self.settings.storage_url, name, self.clock)
        store = Observed(Retrying(engine), name)
        self.stopping.append((f"{name} store", store.close))
        await store.create([*tables, *SHARED_TABLES])
        await pin(store, {**layout, "events.shards": self.settings.events.shards})
        # A store without tables of the module's own keeps what its consumers give up: it serves on without.
        needed = self.health.probes if tables else self.health.dependencies
        needed[f"{name}/storage"] = reason(store.health)
        return store

    async def _start(self) -> None:
        started = time.monotonic()
        self._failure = asyncio.get_running_loop().create_future()
        await self._build()
        await self.events.start()
        self._watch("loop lag", LoopLag().run)
        for name, work in self.background.items():
            self._watch(name, work)
        self.server = server = Server(self.registry, self.settings.development)
        for handler in self.foreign:
            server.add(handler)
        await server.set_health(await self.health.look())
        self.port = await server.start(self.settings.grpc_address)
        self._watch("health", partial(self._tell_health, server))
        ms = round((time.monotonic() - started) * 1000)
        _log.info("serving", targets=[module.name for module in self.modules], port=self.port, ms=ms)

    async def _build(self) -> None:
        """Build the modules in order, each opening what it needs, then run what they do at the start."""
        part = "the start"
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT_S):
                for module in self.modules:
                    part = module.name
                    await module.build(Context(self, module))
                if self.whole:
                    self.wiring.require(self.registry.services)
                part = "the start"
                for start in self.starting:
                    await start()
        except TimeoutError:
            raise TimeoutError(f"{part}: not ready within {_OPEN_TIMEOUT_S:g} s") from None

    async def _stop(self) -> None:
        """Not serving, drain, consumers finish, then everything in reverse order; each step bounded."""
        if self.server is not None:
            await self._quietly("server", self.server.stop(GRACE_S), GRACE_S + 2)
        await self._quietly("events", self.events.stop(GRACE_S), GRACE_S + 2)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._quietly("channels", self.channels.close(), 2)
        for name, stop in reversed(self.stopping):
            await self._quietly(name, stop(), STEP_S)

    async def _quietly(self, name: str, step: Awaitable[None], seconds: float) -> None:
        """One step of stopping: whatever it does, the next steps follow."""
        try:
            async with asyncio.timeout(seconds):
                await step
        except Exception as error:  # a part that cannot stop must not keep the others from it
            _log.warning("did not stop cleanly", part=name, error=repr(error))

    def _watch(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await work()

        task = asyncio.create_task(run(), name=name)
        self._tasks[task] = name
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A background part that ends takes the process down, with its reason."""
        if task.cancelled() or self._failure is None or self._failure.done():
            return
        error = task.exception() or RuntimeError("ended by itself")
        self._failure.set_exception(PartFailed(f"{self._tasks[task]} failed: {error!r}"))
        with contextlib.suppress(Exception):
            self._failure.exception()

    async def _tell_health(self, server: Server) -> None:
        """Tell grpc.health.v1 the truth each second."""
        while True:
            await asyncio.sleep(_PROBE_EVERY_S)
            serving = await self.health.look()
            if not self.registry.closing.is_set():
                await server.set_health(serving)


def _any_session(caller: Caller) -> None:
    """Where no module knows of sessions, a token holds until it expires."""


def _blob_options(section: BlobSection) -> S3Options:
    return S3Options(
        endpoint=f"{'https' if section.secure else 'http'}://{section.endpoint}",
        bucket=section.bucket,
        access_key=section.access_key,
        secret_key=section.secret_key.get_secret_value(),
        region=section.region,
    )


class PartFailed(Exception):
    """A part of the process failed; the process must stop."""


def choose(targets: Sequence[str], modules: Sequence[Module]) -> list[Module]:
    """The modules that the targets name, in their own order. Raises ConfigError for an unknown one."""
    known = {module.name for module in modules}
    if unknown := set(targets) - known - {"all"}:
        raise ConfigError(f"targets: {sorted(unknown)} unknown; choose from all, {', '.join(sorted(known))}")
    return [module for module in modules if "all" in targets or module.name in targets]
