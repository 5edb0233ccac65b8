"""``python -m tools.mutation [MODULE ...] [--sample PERCENT] [--jobs N]``: list what survives.

Works on copies of the tree in a scratch folder, one for each job; the tree itself stays as it is.
Exits with 1 when the unchanged code fails its tests, with 0 otherwise: survivors are to be judged.
"""

from __future__ import annotations

import argparse
import os
import queue
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from tools.mutation.config import ROOT, chosen, is_idle, judges_of, rule_modules, session_config

COPIED = ("libs", "services", "sandbox", "tests", "cli", "conftest.py", "pyproject.toml")
REPORT = ROOT / "build" / "mutation.txt"
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed."""

    module: Path
    line: int
    operator: str
    diff: str

    def __str__(self) -> str:
        changed = [
            row for row in self.diff.splitlines() if row[:1] in "+-" and row[1:2] not in "+-"
        ]
        head = f"{self.module}:{self.line} {self.operator}"
        return "\n".join([head, *(f"    {row}" for row in changed)])


@dataclass(frozen=True)
class Outcome:
    """What became of the changes of one module."""

    module: Path
    tried: int
    survivors: tuple[Survivor, ...]


def main(arguments: Sequence[str]) -> int:
    """Mutate the rule modules and report the survivors."""
    options = _options(arguments)
    try:
        modules = chosen(rule_modules(), options.modules)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="hb-mutation-") as scratch:
        trees = _copies(Path(scratch), options.jobs)
        free: queue.Queue[Path] = queue.Queue()
        for tree in trees:
            free.put(tree)

        def examine(module: Path) -> Outcome:
            tree = free.get()
            try:
                return _examine(tree, module, options.sample)
            finally:
                free.put(tree)

        with ThreadPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(examine, modules))
    return _report(outcomes)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="for example increments or journal/legs")
    parser.add_argument("--sample", type=int, default=100, metavar="PERCENT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


def _copies(scratch: Path, count: int) -> list[Path]:
    trees = [scratch / f"tree{number}" for number in range(count)]
    without = shutil.ignore_patterns("__pycache__")
    for tree in trees:
        tree.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=without)
            else:
                shutil.copy(source, tree / name)
    return trees


def _examine(tree: Path, module: Path, percent: int) -> Outcome:
    """Try the changes of one module in a tree of its own."""
    name = module.with_suffix("").name
    config, session = tree / f"{name}.toml", tree / f"{name}.sqlite"
    python = f"{sys.executable} -B"
    config.write_text(session_config(module, judges_of(module, tree), python))
    _run(tree, "cosmic-ray", "init", str(config), str(session))
    _run(tree, "cosmic-ray", "baseline", str(config))
    _run(tree, "cr-filter-operators", str(session), str(config))
    _leave_out(session, percent)
    _run(tree, "cosmic-ray", "exec", str(config), str(session))
    outcome = _outcome(module, session)
    print(f"{module}: {outcome.tried} tried, {len(outcome.survivors)} survived", flush=True)
    return outcome


def _run(tree: Path, program: str, *arguments: str) -> None:
    """Run one of cosmic-ray's programs; its tests import the rules of ``tree``, not ours."""
    paths = [tree / part for part in ("libs/billing", "libs/common", "libs/connectors", "services")]
    paths += sorted((tree / "services").iterdir())
    path = os.pathsep.join(str(each) for each in (tree, *paths, tree / "sandbox", tree / "cli"))
    environment = {**os.environ, "PYTHONPATH": path, "CI": ""}
    command = [str(_BIN / program), *arguments]
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = f"{done.stdout}{done.stderr}"[-3000:]
        raise SystemExit(f"{program} {arguments[0]} failed in {tree}:\n{words}")


def _leave_out(session: Path, percent: int) -> None:
    """Skip all but a part of the changes, the same part each time."""
    if percent >= 100:
        return
    chance = random.Random(percent)
    skipped = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
    with use_db(str(session), WorkDB.Mode.open) as work:
        for item in sorted(work.pending_work_items, key=lambda each: str(each.mutations)):
            if chance.random() * 100 >= percent:
                work.set_result(item.job_id, skipped)


def _outcome(module: Path, session: Path) -> Outcome:
    survivors, tried = [], 0
    with use_db(str(session), WorkDB.Mode.open) as work:
        for item, result in work.completed_work_items:
            if result.worker_outcome is WorkerOutcome.SKIPPED:
                continue
            change = item.mutations[0]
            if is_idle(change.operator_name, result.diff or ""):
                continue
            tried += 1
            if result.test_outcome is TestOutcome.SURVIVED:
                survivors.append(
                    Survivor(module, change.start_pos[0], change.operator_name, result.diff or "")
                )
    return Outcome(module, tried, tuple(sorted(survivors, key=lambda each: each.line)))


def _report(outcomes: Sequence[Outcome]) -> int:
    tried = sum(outcome.tried for outcome in outcomes)
    survivors = [each for outcome in outcomes for each in outcome.survivors]
    last = f"mutation: {tried} changes tried, {len(survivors)} survived"
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n\n".join([*map(str, survivors), last]) + "\n", encoding="utf-8")
    print(*map(str, survivors), sep="\n\n")
    print(f"\nlisted in {REPORT.relative_to(ROOT)}\n{last}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
