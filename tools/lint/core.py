"""What a rule is, and how a file is checked against all of them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SKIP_CODE = "HB100"
_SKIP = re.compile(r"#\s*lint:\s*allow\s+(HB[0-9]{3})(\s*--\s*\S.*)?$")


@dataclass(frozen=True)
class Source:
    """A parsed file, by its path from the repository's root."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        """Return whether the file only exists for tests and measurements."""
        return bool({"tests", "benchmarks", "examples", "tools"} & set(self.path.parts))

    def within(self, *patterns: str) -> bool:
        """Return whether the path starts with one of ``patterns`` (parts may be globs)."""
        for pattern in patterns:
            parts = PurePosixPath(pattern).parts
            head = PurePosixPath(*self.path.parts[: len(parts)])
            if head.match(pattern) and len(self.path.parts) >= len(parts):
                return True
        return False


Finding = tuple[int, str]
"""A line number and what is wrong there."""


@dataclass(frozen=True)
class Rule:
    """One thing that the code must not do."""

    code: str
    summary: str
    applies: Callable[[Source], bool]
    find: Callable[[Source], Iterator[Finding]]


@dataclass(frozen=True, order=True)
class Violation:
    """A place that breaks a rule."""

    path: PurePosixPath
    line: int
    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.what}"


def parse(path: PurePosixPath, text: str) -> Source:
    """Return a file ready to be checked."""
    return Source(path, text, ast.parse(text, filename=str(path)))


def check(source: Source, rules: Sequence[Rule]) -> list[Violation]:
    """Return what in ``source`` breaks ``rules``, after its allowances; unused ones count too."""
    found = [
        Violation(source.path, line, rule.code, what)
        for rule in rules
        if rule.applies(source)
        for line, what in rule.find(source)
    ]
    allowed = _allowances(source)
    kept = [one for one in found if (one.line, one.code) not in allowed]
    used = {(one.line, one.code) for one in found}
    known = {rule.code for rule in rules}
    for (line, code), has_reason in allowed.items():
        if not has_reason:
            what = f"an allowance of {code} needs its reason: `# lint: allow {code} -- why`"
            kept.append(Violation(source.path, line, SKIP_CODE, what))
        elif (line, code) not in used or code not in known:
            what = f"nothing on this line breaks {code}; remove the allowance"
            kept.append(Violation(source.path, line, SKIP_CODE, what))
    return sorted(kept)


def _allowances(source: Source) -> dict[tuple[int, str], bool]:
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        match = _SKIP.search(token.string) if token.type == tokenize.COMMENT else None
        if match:
            found[token.start[0], match[1]] = match[2] is not None
    return found


def check_files(root: Path, paths: Iterable[Path], rules: Sequence[Rule]) -> list[Violation]:
    """Return the violations of every file, sorted."""
    found: list[Violation] = []
    for path in paths:
        relative = PurePosixPath(path.relative_to(root))
        found += check(parse(relative, path.read_text(encoding="utf-8")), rules)
    return sorted(found)
