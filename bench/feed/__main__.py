"""What a feed page costs where many readers ask: ``python -m bench.feed``.

1,000 readers (``--sample``: 300) follow 100 of 300 authors each; every page is the 20 newest posts of
those, checked after every series. Each round starts the services anew and runs all series beside a
bare grpc.aio echo of the same bytes. The servers are processes of their own; this one is the load
generator. Ends with 1 where a page is wrong or a call failed, never for a figure.

``--profile warm`` or ``--profile older`` shows instead where the services' time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.feed.figures import Figure, compared, figures
from bench.feed.profiling import profile
from bench.feed.rounds import Measured, Plan, WrongPage, measure
from bench.installed import installed
from bench.world import Size, build

RESULTS = Path(__file__).parent.parent / "results" / "feed.json"
ENGINES = {"sqlite": (), "cassandra": ("stack.cassandra=true",)}
_COMPARED = "Cassandra over SQLite"
FULL, SAMPLE = Plan(rounds=5, flat_out_s=5, paced_s=15), Plan(rounds=3, flat_out_s=2, paced_s=5)


def parse() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(prog="python -m bench.feed", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="300 readers and short rounds: minutes in all")
    parser.add_argument("--readers", type=int, help="how many readers there are")
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--profile", choices=("warm", "older"), help="where the services' time goes in this series")
    return parser.parse_args()


async def run(engine: str, size: Size, plan: Plan) -> Measured:
    """Everything of one engine, on an installation of its own."""
    with tempfile.TemporaryDirectory() as directory:
        async with installed(Path(directory), *ENGINES[engine]) as installation:
            return await measure(installation, await build(installation, size), plan)


def show(title: str, found: list[Figure]) -> None:
    """A table for people."""
    table = Table("", "", "min", "median", "max", "target", "", title=title)
    series = ""
    for one in found:
        if one.series != series:
            table.add_section()
        values = (f"{value:,.0f}" if value >= 100 else f"{value:.2f}" for value in (one.least, one.median, one.most))
        verdict = "" if one.met is None else "met" if one.met else "missed"
        table.add_row(one.series if one.series != series else "", one.measure, *values, str(one.target or ""), verdict)
        series = one.series
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def keep(size: Size, plan: Plan, found: dict[str, list[Figure]]) -> None:
    """The same for programs: bench/results/feed.json."""
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    figures_of = {name: [one.as_json() for one in some] for name, some in found.items()}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    whole = {"machine": machine, "world": asdict(size), "plan": asdict(plan), "figures": figures_of}
    RESULTS.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """Measure, print, write JSON."""
    arguments = parse()
    size = Size(arguments.readers or (300 if arguments.sample else 1_000))
    plan = SAMPLE if arguments.sample else FULL
    plan = Plan(arguments.rounds or plan.rounds, plan.flat_out_s, plan.paced_s)
    engines = list(ENGINES) if arguments.engine == "both" else [arguments.engine]
    if arguments.profile:
        asyncio.run(profile(ENGINES[engines[0]], size, arguments.profile))
        return
    measured: dict[str, Measured] = {}
    found: dict[str, list[Figure]] = {}
    for engine in engines:
        measured[engine] = asyncio.run(run(engine, size, plan))
        found[engine] = figures(measured[engine])
        show(engine, found[engine])
        keep(size, plan, found)
    if len(measured) == len(ENGINES):
        found[_COMPARED] = compared(measured["sqlite"], measured["cassandra"])
        show(_COMPARED, found[_COMPARED])
        keep(size, plan, found)
    if failures := [text for one in measured.values() for text in one.failures]:
        raise WrongPage(f"{len(failures)} calls failed: {', '.join(sorted(set(failures)))}")


if __name__ == "__main__":
    try:
        main()
    except WrongPage as wrong:
        sys.exit(str(wrong))
