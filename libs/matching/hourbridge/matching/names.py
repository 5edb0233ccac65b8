"""Names as systems compare them, as a ledger takes them, and as people mean them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CACHED_MAX = 65_536
_SPACES = re.compile(r"\s+")
_DELETED = re.compile(r"\s+\(deleted(?:\s+\d+)?\)(?:\s+\d+)?$", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^\w]+", re.UNICODE)
_INITIALS = re.compile(r"\b(?:\w\.){2,}")

CHARACTERS_MAX = {"term": 31, "payment_method": 31}
CHARACTERS_MAX_OTHERWISE = 100
"""What forms of the ledger show of a name; its interface takes more of some."""
_QUOTES_REFUSED = frozenset({"item", "account"})

_LEGAL_FORMS = (
    "ab ag as asa bv bvba co company corp corporation cpa cv dba ek eg ev gbr gmbh inc "
    "incorporated kg kgaa limited llc llp lp ltd ltda mbh nv ohg oy oyj pc plc pllc pty pvt sa "
    "sarl sas se sl sp spa srl sro ug zoo"
)
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
"""Words that say what a company is, not which one."""
_SMALL_WORDS = frozenset({"the", "and", "und", "of", "for", "de", "la", "le", "et", "y"})


def tidy(text: str) -> str:
    """Return a name in Unicode NFC, trimmed, with single spaces and no control characters."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    text = unicodedata.normalize("NFC", text)
    kept = "".join(c if c.isspace() or unicodedata.category(c) != "Cc" else " " for c in text)
    return _SPACES.sub(" ", kept).strip()


@lru_cache(maxsize=_CACHED_MAX)
def canonical(text: str) -> str:
    """Return what two names share that are the same to a ledger: case and outer space aside."""
    return unicodedata.normalize("NFC", tidy(text).casefold())


def without_deleted(text: str) -> str:
    """Return a name without the mark that the ledger adds when an entry is made inactive."""
    return _DELETED.sub("", text)


def bears_deleted(text: str) -> bool:
    """Return whether a name bears the mark of a deleted entry."""
    return _DELETED.search(text) is not None


def refused_characters(text: str, ledger_list: str) -> str:
    """Return the characters of a name that the ledger's list refuses, each once."""
    refused = {":", "\t", "\n", "\r"} | ({'"'} if ledger_list in _QUOTES_REFUSED else set())
    return "".join(dict.fromkeys(c for c in text if c in refused))


def characters_max(ledger_list: str) -> int:
    """Return how long a name may be."""
    return CHARACTERS_MAX.get(ledger_list, CHARACTERS_MAX_OTHERWISE)


def accepted(text: str, ledger_list: str) -> str:
    """Return a name as the ledger's list takes it: refused characters replaced, and cut to fit.

    Idempotent. A colon, which parts levels of a path there, becomes a dash.
    """
    text = re.sub(r"\s*:+\s*", " - ", text)
    if ledger_list in _QUOTES_REFUSED:
        text = text.replace('"', "'")
    text = tidy(text).removeprefix("- ").removesuffix(" -")
    most = characters_max(ledger_list)
    return text if len(text) <= most else tidy(text[:most]).removesuffix(" -")


def _plain(text: str) -> str:
    """Return text without accents, case and punctuation."""
    joined = _INITIALS.sub(lambda match: match[0].replace(".", ""), text)
    split = unicodedata.normalize("NFKD", joined.casefold().replace("ß", "ss"))
    bare = "".join(c for c in split if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", bare.replace("&", " and ").replace("'", "")).strip()


@lru_cache(maxsize=_CACHED_MAX)
def words(text: str) -> tuple[str, ...]:
    """Return the words that tell who is meant, sorted: legal forms and small words left out.

    A name of nothing but such words keeps them.
    """
    found = _plain(without_deleted(text)).split()
    telling = [word for word in found if word not in LEGAL_FORMS and word not in _SMALL_WORDS]
    return tuple(sorted(telling or found))


def from_template(template: str, *, name: str, client: str, code: str, id: str) -> str:
    """Return a name made by a rule's template; a place without a value leaves no gap."""
    made = tidy(template.format(name=name, client=client, code=code, id=id))
    return re.sub(r"^\s*-\s+|\s+-\s*$|\(\s*\)", "", made).strip() or name
