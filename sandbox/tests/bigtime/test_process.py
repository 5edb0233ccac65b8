"""The stand-in as a process of its own, stopped by a signal, its books kept in a file."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx


def test_a_firm_from_a_file_survives_the_process(tmp_path: Path) -> None:
    seed, books = tmp_path / "firm.json", tmp_path / "books.json"
    action = ["enter_time", {"Dt": "2026-10-06", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1}]
    action[1] |= {"Hours_IN": "1.5", "submitted": True}
    tables = {
        "staff": [{"SName": "Berg"}],
        "clients": [{"Nm": "Acme"}],
        "projects": [{"Nm": "Roof", "ClientId": 1}],
        "labor_codes": [{"Nm": "Design"}],
    }
    seed.write_text(json.dumps({"realm": "acme", "tables": tables, "actions": [action]}))
    shown = []
    for _ in range(2):
        command = [sys.executable, "-m", "hourbridge.sandbox.bigtime", "--port", "0"]
        command += ["--seed", str(seed), "--snapshot", str(books)]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = next(found[0] for line in running.stdout if (found := re.findall("http.*", line)))
            headers = {"X-Auth-ApiToken": "acme-key", "X-Auth-Realm": "acme"}
            span = {"StartDt": "2026-10-01", "EndDt": "2026-10-31"}
            shown.append(httpx.get(f"{url}time/Sheet/1", params=span, headers=headers).json())
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)
        assert running.returncode == 0
    assert shown[0] == shown[1]
    assert [row["ClientNm"] for row in shown[0]] == ["Acme"]
