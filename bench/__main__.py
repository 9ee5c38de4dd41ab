"""Every benchmark, one after the other: ``make bench``. Results go to bench/results as JSON."""

from __future__ import annotations

import subprocess
import sys

BENCHES = ("bench.feed", "bench.fanout", "bench.upload", "bench.variants.run", "bench.load")


def main() -> int:
    """Run each in a process of its own, so that none measures another's leavings."""
    failed = []
    for name in BENCHES:
        print(f"── {name}", flush=True)
        if subprocess.run([sys.executable, "-m", name], check=False).returncode:
            failed.append(name)
    if failed:
        print("failed:", ", ".join(failed))
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
