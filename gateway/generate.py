"""Write gateway/envoy.yaml, what `tintype gateway` prints by default: `make gen`. With --check, compare only."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

CONFIG = Path(__file__).with_name("envoy.yaml")
_HEADER = "# Generated from the protos by `make gen`: change gateway/ instead.\n"


def generated() -> str:
    """The configuration with defaults alone, whatever this machine's environment says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    environment |= {"TINTYPE_DEVELOPMENT": "false", "TINTYPE_SECRET": "x" * 32, "TINTYPE_CONFIG": os.devnull}
    # A secret must be set in production; none of it gets into the configuration.
    command = [sys.executable, "-m", "cli.main", "gateway"]
    return _HEADER + subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Parse the flags and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the output differs")
    if not parser.parse_args().check:
        CONFIG.write_text(generated())
    elif not CONFIG.exists() or CONFIG.read_text() != generated():
        sys.exit("gateway/envoy.yaml differs from what the protos make; run `make gen`")


if __name__ == "__main__":
    main()
