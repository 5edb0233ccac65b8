"""Profiles are data: what may be declared, and how headings are matched."""

from __future__ import annotations

from pathlib import Path

import pytest

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.ingestor.imports.layout import match_layout
from hourbridge.ingestor.imports.profiles import built_in, built_in_names, load
from hourbridge.ingestor.imports.text import FileUnreadable
from services.ingestor.tests.imports.files import stated


@pytest.mark.parametrize("name", built_in_names())
def test_every_built_in_profile_is_valid_and_named_like_its_file(name: str) -> None:
    assert built_in(name).profile == name


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ("[]", "must be a mapping"),
        ("profile: [", "not YAML"),
        ("{}", "profile"),
        ("{profile: x, columns: {colour: [c]}}", "colour"),
        ("{profile: x, unknown: 1}", "unknown"),
        ("{profile: x, base: nonesuch}", "nonesuch"),
        ("{profile: x, rewrites: {notes: {pattern: '(', replace: ''}}}", "regular expression"),
        ("{profile: x, dates: ['%H:%M']}", "has no day"),
    ],
)
def test_what_is_wrong_with_a_profile_is_named(document: str, named: str) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        load(document)
    assert named in caught.value.what


def test_a_profile_adds_to_its_base() -> None:
    profile = load("{profile: mine, base: toggl, columns: {client: [Kunde]}, zone: Europe/Vienna}")
    assert profile.columns["client"] == ("Kunde",)
    assert profile.columns["staff"] == built_in("toggl").columns["staff"]
    assert profile.zone == "Europe/Vienna"


def test_yes_and_no_stay_text_in_yaml() -> None:
    profile = load("{profile: x, yes: [yes, on], no: [no, off], constants: {billable: yes}}")
    assert profile.yes == ("yes", "on")
    assert profile.constants == {"billable": "yes"}


def test_headings_match_whatever_their_case_order_and_spaces() -> None:
    header = ["DURATION", " start  time", "Start Date", "\ufeffuser", "Amount (eur)"]
    layout = match_layout(built_in("toggl"), header)
    assert layout.columns["staff"].index == 3
    assert layout.columns["start_time"].index == 1
    assert layout.columns["amount"].currency == "EUR"


def test_an_empty_currency_in_a_heading_is_none() -> None:
    header = ["User", "Start date", "Start time", "Duration", "Amount ()"]
    assert match_layout(built_in("toggl"), header).columns["amount"].currency is None


def test_a_file_of_another_kind_is_refused_by_its_missing_columns() -> None:
    with pytest.raises(FileUnreadable, match="duration"):
        match_layout(built_in("toggl"), ["User", "Start date", "Start time"])


HEADER = "staff,date,start_time,end_time,hours,client,billable"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings_are_found_out(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    lines = [HEADER, "Zoë,2026-03-02,09:00,10:30,,Müller & Söhne,yes"]
    text = "\r\n".join(line.replace(",", delimiter) for line in lines) + "\r\n"
    path = tmp_path / "f.csv"
    path.write_bytes(text.encode(encoding))
    record = stated(path, "generic_csv")[0].record
    assert record is not None
    assert (record.staff_id, record.client_id) == ("Zoë", "Müller & Söhne")  # type: ignore[attr-defined]
    assert record.input.seconds == 5400  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xfd7zXZ\x00broken"])
def test_files_without_content_are_refused_as_a_whole(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable):
        stated(path, "toggl")
