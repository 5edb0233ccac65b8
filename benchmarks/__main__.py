"""The command line of the benchmarks."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import typer
from rich.console import Console

from benchmarks.children import log_to_standard_error
from benchmarks.servers import open_servers
from benchmarks.suite import Part, Plan, Suite

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    only: list[Part] = typer.Option([], help="Run these parts alone; repeat for several."),
    rounds: int = typer.Option(3, min=1, help="Turns that the contenders take; medians count."),
    records: int = typer.Option(20_000, min=1000, help="Records per round of floor and ours."),
    peer_records: int = typer.Option(2_000, min=200, help="Records per round of the peer."),
    latency_seconds: float = typer.Option(25, min=5, help="Length of the steady load."),
    memory_records: int = typer.Option(200_000, min=10_000, help="Records of the memory run."),
    large: bool = typer.Option(False, help="Also measure with much stored (takes long)."),
    large_rows: int = typer.Option(10_000_000, min=10_000, help="Rows stored for that."),
    profiles: Path | None = typer.Option(None, help="Profile the services into this directory."),
) -> None:
    """Measure the floor, the straightforward peer and Hourbridge; exit 1 if a number is missed."""
    everything = set(Part) if large else set(Part) - {Part.SCALE}
    plan = Plan(
        parts=frozenset(only or everything),
        rounds=rounds,
        records=records,
        peer_records=peer_records,
        latency_seconds=latency_seconds,
        memory_records=memory_records,
        large_rows=large_rows,
        profiles=profiles,
    )
    log_to_standard_error()
    console = Console(stderr=True)
    with open_servers() if plan.needs_servers else nullcontext() as servers:
        report = Suite(servers, plan, console.log).run()
    report.show(Console())
    print(report.json_line())
    sys.exit(0 if report.is_kept else 1)


if __name__ == "__main__":
    app()
