"""``python -m tools.freeze_schemas 1.2.3``: keep a release's messages for later comparisons."""

from __future__ import annotations

import re
import sys

from hourbridge.common.messages import schemas
from tools import pages


def main(arguments: list[str]) -> int:
    """Freeze one release; refuse a version that exists or messages that break an older one."""
    if len(arguments) != 1 or not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", arguments[0]):
        print("usage: python -m tools.freeze_schemas MAJOR.MINOR.PATCH", file=sys.stderr)
        return 2
    problems = schemas.check(pages.DOCS)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    print(f"froze {schemas.freeze(pages.DOCS, arguments[0]).relative_to(pages.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
