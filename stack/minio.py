"""A real MinIO on this machine, built from its Go module: a second S3 store to try the blobs on.

Upstream is archived and unpatched; it is one backend among several and never the default.
Building takes about four minutes and 2 GB of caches, so it is a target of its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from stack.ports import LOOPBACK
from stack.probe import http_get
from stack.process import LogLine, Process, ProcessFailed
from stack.s3 import IDENTITY, S3Server, identity

MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
DEFAULT_PORT = 9000
PORT_SETTING = "TINTYPE_S3_PORT"
BUILD_SECONDS = 1_800.0


async def build(cache: Path) -> Path:
    """The MinIO program in ``cache``, built there the first time; raises :class:`ProcessFailed`."""
    program = cache / VERSION / "minio"
    if not program.exists():
        await asyncio.to_thread(_install, program.parent)
    return program


def minio_server(
    program: Path,
    directory: Path,
    port: int = DEFAULT_PORT,
    *,
    access_key: str | None = None,
    secret_key: str | None = None,
    log: Path | LogLine | None = None,
) -> S3Server:
    """A MinIO with its data in ``directory``, not started yet. Keys as for :func:`stack.s3.s3_server`."""
    data = directory / "data"
    data.mkdir(parents=True, exist_ok=True)
    access_key, secret_key = identity(directory / IDENTITY, access_key, secret_key)
    process = Process(
        "minio",
        [program, "server", "--quiet", "--address", f"{LOOPBACK}:{port}", data],
        lambda: _live(port),
        log or directory / "minio.log",
        {port: PORT_SETTING},
        env={
            "MINIO_ROOT_USER": access_key,
            "MINIO_ROOT_PASSWORD": secret_key,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        },
    )
    return S3Server(process, LOOPBACK, port, access_key, secret_key)


def _install(directory: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise ProcessFailed("MinIO is built from source: install Go 1.24 or newer")
    directory.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        [go, "install", "-trimpath", "-ldflags", "-s -w", f"{MODULE}@{VERSION}"],
        env={**os.environ, "CGO_ENABLED": "0", "GOBIN": str(directory.resolve())},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if built.returncode:
        raise ProcessFailed(f"MinIO was not built: {' | '.join(built.stderr.splitlines()[-5:])}")


async def _live(port: int) -> bool:
    return (await http_get(f"http://{LOOPBACK}:{port}/minio/health/live")).status_code == 200
