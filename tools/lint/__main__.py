"""``python -m tools.lint [--list]``: check every Python file that git knows or would add."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.lint.core import check_files
from tools.lint.rules import RULES

ROOT = Path(__file__).parents[2]


def python_files(root: Path) -> list[Path]:
    """Return the tracked and addable Python files below ``root``."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:  # an unpacked archive has no history
        names = [str(path.relative_to(root)) for path in root.rglob("*.py")]
        names = [name for name in names if not name.startswith((".", "build/"))]
    return [root / name for name in sorted(set(names)) if (root / name).is_file()]


def main() -> int:
    """Print violations and return the exit code."""
    if "--list" in sys.argv:
        for rule in RULES:
            print(f"{rule.code}  {rule.summary}")
        return 0
    files = python_files(ROOT)
    violations = check_files(ROOT, files, RULES)
    for violation in violations:
        print(violation)
    print(f"{len(files)} files, {len(violations)} violation(s) of the project's own rules")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
