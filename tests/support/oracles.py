"""Accounting programs that nobody here wrote, as judges of our journals: hledger and beancount."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from decimal import Decimal
from functools import cache
from pathlib import Path

from tests.support.provisioning import apt_install, give_up

_SECONDS_MAX = 120


@cache
def hledger() -> str:
    """Return the path of hledger; installs it where that is possible, else gives up loudly."""
    found = shutil.which("hledger")
    if found is None and apt_install("hledger"):
        found = shutil.which("hledger")
    if found is None:
        give_up("hledger", "install Debian's hledger")
    return found


@cache
def _beside_python(name: str) -> str:
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        give_up(name, "install the development requirements (make setup)")
    return str(found)


def check_hledger(journal: Path) -> None:
    """Fail unless hledger accepts the journal strictly, in the order of its dates."""
    _run([hledger(), "-f", str(journal), "check", "--strict", "ordereddates"], journal)


def check_beancount(journal: Path) -> None:
    """Fail unless beancount accepts the journal."""
    _run([_beside_python("bean-check"), "--no-cache", str(journal)], journal)


def hledger_balances(journal: Path, *arguments: str) -> dict[tuple[str, str], Decimal]:
    """Return hledger's balances by account and currency, with any of its report options."""
    report = ["balance", "--no-total", "--layout=bare", "-O", "csv", *arguments]
    rows = _rows(_run([hledger(), "-f", str(journal), *report], journal))
    return {(account, currency): Decimal(amount) for account, currency, amount in rows}


def hledger_register(journal: Path, *query: str) -> list[str]:
    """Return the codes of the transactions that a query finds, for example ``tag:kind=invoice``."""
    command = [hledger(), "-f", str(journal), "register", "-O", "csv", *query]
    return list(dict.fromkeys(row[2] for row in _rows(_run(command, journal))))


def beancount_rows(journal: Path, query: str) -> list[list[str]]:
    """Return the rows of a query in beancount's query language."""
    command = [_beside_python("bean-query"), "-f", "csv", str(journal), query]
    return [[cell.strip() for cell in row] for row in _rows(_run(command, journal))]


def _rows(table: str) -> list[list[str]]:
    """Return the rows of a CSV table under its heading."""
    return list(csv.reader(io.StringIO(table)))[1:]


def _run(command: list[str], journal: Path) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    if done.returncode != 0:
        program = Path(command[0]).name
        text = f"{program} refuses {journal}:\n{done.stdout}{done.stderr}"
        raise AssertionError(text)
    return done.stdout
