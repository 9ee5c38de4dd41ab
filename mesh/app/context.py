"""What a module gets to build itself from, and how it joins the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from mesh.blobs.contract import BlobStore
from mesh.cache.client import Cache
from mesh.clock import Clock
from mesh.config import Settings
from mesh.events import Handlers, Outbox
from mesh.ids import IdGenerator
from mesh.paging import PageTokens
from mesh.rpc.channels import service_of
from mesh.rpc.checks import SessionCheck
from mesh.storage import Store, TableSpec

if TYPE_CHECKING:
    from mesh.app.process import Process

Stub = TypeVar("Stub")


@dataclass(frozen=True, slots=True)
class Module:
    """A part of Tintype that can run in any process: its wiring is one coroutine function.

    ``name`` is its area, its configuration section and its target. What it opens through its context the process
    opens, and nothing else.
    """

    name: str
    build: Callable[[Context], Awaitable[None]]
    config: type[Any] | None = None


class Context:
    """One module's view of its process. Everything opened through it is closed by the process."""

    def __init__(self, process: Process, module: Module) -> None:
        self._process = process
        self._module = module

    @property
    def settings(self) -> Settings:
        """The whole configuration."""
        return self._process.settings

    @property
    def section(self) -> Any:
        """The module's own configuration section."""
        return getattr(self._process.settings, self._module.name)

    @property
    def clock(self) -> Clock:
        """The time of day."""
        return self._process.clock

    @property
    def ids(self) -> IdGenerator:
        """Makes ids."""
        return self._process.ids

    @property
    def cache(self) -> Cache:
        """Redis, as a cache."""
        return self._process.cache

    @property
    def blobs(self) -> BlobStore:
        """The S3 store."""
        return self._process.blobs

    @property
    def page_tokens(self) -> PageTokens:
        """Signs cursors for the public."""
        return self._process.page_tokens

    async def store(self, tables: Sequence[TableSpec], layout: Mapping[str, int] | None = None) -> Store:
        """Open the module's own store, its tables (and its outbox) created. ``layout``: the values of its settings
        that decide where rows lie. Raises ConfigError where the data was laid out by others."""
        settings = {f"{self._module.name}.{name}": value for name, value in (layout or {}).items()}
        return await self._process.open_store(self._module.name, tables, settings)

    def outbox(self, store: Store) -> Outbox:
        """The module's outgoing events, kept in its store."""
        self._process.wiring.publishes.add(self._module.name)
        return self._process.events.outbox(self._module.name, store)

    def subscribe(self, area: str, handlers: Handlers, store: Store) -> None:
        """Handle another service's events, each once in effect among all processes of this module. The module's
        store keeps those that it gives up."""
        self._process.wiring.hears[area].add(self._module.name)
        self._process.events.subscribe(self._module.name, area, handlers, store)
        self._process.queues.watch(area, self._module.name)

    def tail(self, area: str, handlers: Handlers) -> None:
        """See every new event of a service in this process: for live streams and invalidation."""
        self._process.wiring.hears[area].add(self._module.name)
        self._process.events.tail(area, handlers)

    def stub(self, stub_class: Callable[[Any], Stub]) -> Stub:
        """A client of another service, wherever it runs."""
        self._process.wiring.calls[service_of(stub_class).full_name].add(self._module.name)
        return self._process.channels.stub(stub_class)

    def serve(self, service: ServiceDescriptor, servicer: object) -> None:
        """Serve a gRPC service behind the interceptors."""
        self._process.registry.add(service, servicer)

    def serve_foreign(self, handler: grpc.GenericRpcHandler) -> None:
        """Serve a protocol that is not Tintype's own, outside the interceptors (Envoy's ext_authz)."""
        self._process.foreign.append(handler)

    def on_start(self, start: Callable[[], Awaitable[None]]) -> None:
        """Run once every module of the process is built, before it serves."""
        self._process.starting.append(start)

    def background(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run for the life of the process; that it ends, or fails, ends the process with its reason."""
        self._process.background[f"{self._module.name}/{name}"] = work

    def on_stop(self, stop: Callable[[], Awaitable[None]]) -> None:
        """Run when the process stops, after it has drained, in reverse order of registration."""
        self._process.stopping.append((self._module.name, stop))

    def on_settle(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Wait here until the module's own background work is done: tests settle the mesh by it."""
        self._process.settling.append(settle)

    def health(self, name: str, probe: Callable[[], Awaitable[str]]) -> None:
        """A probe that answers "" when well, else why not. Asked every second."""
        self._process.health.probes[f"{self._module.name}/{name}"] = probe

    def unwell(self) -> Mapping[str, str]:
        """Which parts of this process are unwell, and why; empty where all is well."""
        return self._process.health.unwell

    def degraded(self) -> Mapping[str, str]:
        """What this process does without just now, and why; it serves what it can."""
        return self._process.health.degraded

    def check_sessions(self, check: SessionCheck) -> None:
        """Ask this of every signed-in caller of the public API."""
        self._process.session_check = check
