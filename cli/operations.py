"""Operating an installation: seed, config, health, schema, gateway, search reindex."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import typer
from rich.console import Console

_console = Console(highlight=False)
Set = typer.Option(None, "--set", help="key=value, over environment and file.")
search = typer.Typer(help="The search index.", no_args_is_help=True)


def seed(
    gateway: str | None = typer.Option(
        None, envvar="TINTYPE_GATEWAY", help="Another installation's gateway: host:port."
    ),
    set_: list[str] = Set,
) -> None:
    """Fill the running installation with the demo world; what is there already stays as it is."""
    from cli import configuration
    from cli.client import explain_all
    from cli.demo.world import World

    target = configuration.gateway(gateway, configuration.load(set_))
    try:
        filled = asyncio.run(World(target, _console).fill())
    except Exception as error:
        typer.secho(f"the demo world was not finished: {explain_all(error)}", fg="red", err=True)
        raise typer.Exit(1) from None
    _console.print("the demo world is complete" if filled else "the demo world is there already")


def config(set_: list[str] = Set) -> None:
    """Print the configuration in force; secrets are masked."""
    import yaml

    from cli import configuration
    from mesh.config import masked

    values = json.loads(configuration.load(set_).model_dump_json())
    print(yaml.safe_dump(masked(values), sort_keys=False, allow_unicode=True), end="")


def health(set_: list[str] = Set) -> None:
    """Say whether the running installation is well; exit 1 where it is not."""
    import httpx

    from cli import configuration

    stack = configuration.load(set_).stack
    try:
        answer = httpx.get(f"http://127.0.0.1:{stack.gateway_port}/healthz", timeout=5).json()
    except (httpx.HTTPError, ValueError) as error:
        typer.secho(f"the gateway does not answer on port {stack.gateway_port}: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
    for part, why in answer.get("problems", {}).items():
        _console.print(f"[red]{part}[/red]: {why}")
    _console.print("serving" if answer.get("serving") else "[red]not serving[/red]")
    raise typer.Exit(0 if answer.get("serving") else 1)


def schema(
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would change, and change nothing."),
    set_: list[str] = Set,
) -> None:
    """Say what the tables lack and add it; safe at any time, from anywhere, beside processes of other versions."""
    from cli import configuration
    from cli.holdings import tables
    from mesh.clock import SystemClock
    from mesh.storage import Corrupt, Gap, StorageError, open_store

    settings = configuration.load(set_)

    async def bring(name: str) -> None:
        store = await open_store(settings.storage_url, name, SystemClock())
        try:
            differences = await store.compare(tables()[name])
            for difference in differences:
                _console.print(f"{name}: {difference}", markup=False)
            if not differences:
                _console.print(f"{name}: as declared")
            if dry_run and any(difference.gap is Gap.CONFLICT for difference in differences):
                raise Corrupt(f"{name}: what does not agree has to be migrated by hand")
            if not dry_run:
                await store.create(tables()[name])
        finally:
            await store.close()

    async def run() -> None:
        for name in tables():
            await bring(name)

    try:
        asyncio.run(run())
    except (StorageError, ValueError) as error:
        typer.secho(f"storage: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


def gateway(
    listen: str = typer.Option("0.0.0.0:8080", help="Where Envoy listens."),
    admin: str = typer.Option("127.0.0.1:9901"),
    edge: str = typer.Option("edge:9090", help="The edge's gRPC address."),
    s3: str = typer.Option("minio:9000", help="The S3 store."),
    jwks: Path = typer.Option(Path("/keys/public/jwks.json"), help="The public key set, as Envoy sees it."),
    descriptors: Path = typer.Option(
        Path("/etc/envoy/descriptors.binpb"), help="The descriptor set, as Envoy sees it."
    ),
    otlp: str = typer.Option("", help="An OpenTelemetry collector's gRPC address."),
    set_: list[str] = Set,
) -> None:
    """Print Envoy's configuration, generated from the contracts."""
    import yaml

    from cli import configuration
    from gateway import render
    from gateway.options import GatewayOptions

    settings = configuration.load(set_)
    options = GatewayOptions(
        listen=listen,
        admin=admin,
        edge=edge,
        s3=s3,
        region=settings.blobs.region,
        jwks=jwks,
        descriptors=descriptors,
        development=settings.development,
        otlp=otlp,
        rates=settings.rates.by_class,
    )
    print(yaml.safe_dump(render(options), sort_keys=False), end="")


@search.command()
def reindex(set_: list[str] = Set) -> None:
    """Rebuild the whole index from the services that own the facts, while the old one still serves."""

    from tintype.search.v1 import search_pb2
    from tintype.search.v1.search_pb2_grpc import SearchServiceStub

    from cli import configuration
    from cli.inside import inside

    async def work(stub: SearchServiceStub) -> None:
        answer = await stub.Reindex(search_pb2.ReindexRequest(), timeout=600)
        _console.print(f"indexed {answer.user_count} people and {answer.post_count} posts")

    inside(configuration.load(set_), SearchServiceStub, work)
