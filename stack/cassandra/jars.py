"""Fetches Cassandra's jars once, by Maven coordinates, into a directory that many runs share."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "5.0.8"
DEFAULT_CACHE = Path(__file__).parents[2] / ".cache" / "cassandra"
_POM = Path(__file__).with_name("pom.xml")
_FETCH_S = 600


def available() -> str | None:
    """What is missing on this machine to run Cassandra, or None."""
    missing = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"{' and '.join(missing)} not found on PATH: install a JDK 17 and Maven" if missing else None


def provision(cache: Path = DEFAULT_CACHE) -> Path:
    """The directory that holds the jars, fetched (22 s, 66 MB) if this is the first time.

    Safe to call from several processes: one fetches, the rest wait. Raises :class:`RuntimeError`
    with Maven's own words when it fails.
    """
    lib = cache / f"lib-{VERSION}"
    if not lib.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "lock"):
            if not lib.is_dir():
                _fetch(cache, lib)
    return lib


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(cache: Path, lib: Path) -> None:
    """Into a directory of its own, then renamed: a directory that is there is complete."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        pom = shutil.copy(_POM, scratch)
        jars = Path(scratch, "lib")
        command = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies"]
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=_FETCH_S, check=False)
        if done.returncode != 0 or not any(jars.glob(f"cassandra-all-{VERSION}.jar")):
            raise RuntimeError(f"Maven could not fetch Cassandra {VERSION}:\n{(done.stdout + done.stderr)[-2000:]}")
        os.rename(jars, lib)
