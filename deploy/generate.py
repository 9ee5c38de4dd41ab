"""Give every service its container, its address and its place among the collector's targets: `make gen`. With --check,
compare only.

A new service gets a block of the usual form, with the next node number; what a block says beyond that (volumes, more
memory) is written into it by hand and stays. The block of a service that is gone goes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path

from cli.modules import modules

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(
    r"(?:  #.*\n)*  (?P<name>\w+):\n    <<: \*service\n    command: \[serve, --target, (?P=name)\]\n(?:    .*\n)*\n"
)
_NODE = re.compile(r'TINTYPE_NODE: "(\d+)"')
_ADDRESSES = re.compile(r"(?<=  TINTYPE_ADDRESSES: >-\n)(?:    .*\n)+")
_TARGETS = re.compile(r"(?<=            - targets:\n)(?:                - .*\n)+")
_NEW = """  {name}:
    <<: *service
    command: [serve, --target, {name}]
    environment: {{<<: *environment, TINTYPE_NODE: "{node}"}}

"""


def containers(text: str, names: list[str]) -> str:
    """docker-compose.yml with a container and an address for each of these, the last one's block last."""
    text = _BLOCK.sub(lambda block: block[0] if block["name"] in names else "", text)
    there = {block["name"]: block[0] for block in _BLOCK.finditer(text)}
    first = max(int(node) for node in _NODE.findall(text)) + 1
    missing = [name for name in names if name not in there]
    new = "".join(_NEW.format(name=name, node=node) for node, name in enumerate(missing, first))
    text = text.replace(there[names[-1]], new + there[names[-1]])
    where = json.dumps({name: f"{name}:9090" for name in names})
    return _ADDRESSES.sub(textwrap.indent(textwrap.fill(where, 110), "    ") + "\n", text)


def scraped(text: str, names: list[str]) -> str:
    """The collector's configuration with these as the targets of its scraping."""
    return _TARGETS.sub("".join(f"                - {name}:9464\n" for name in names), text)


def main() -> None:
    """Parse the flags and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    check = parser.parse_args().check
    names = [module.name for module in modules()]
    for path, completed in (("docker-compose.yml", containers), ("deploy/otel-collector.yaml", scraped)):
        text = (ROOT / path).read_text()
        if not check:
            (ROOT / path).write_text(completed(text, names))
        elif completed(text, names) != text:
            sys.exit(f"{path} does not have the services that are there; run `make gen`")


if __name__ == "__main__":
    main()
