"""What is published about messages is what the code says, and breaks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from hourbridge.common.bus.topology import SUBSCRIPTIONS
from hourbridge.common.messages import asyncapi, schemas
from hourbridge.common.messages.registry import REGISTRY

DOCS = Path(__file__).parents[4] / "docs"


def test_committed_files_are_fresh() -> None:
    assert schemas.stale(DOCS) == []


def test_nothing_breaks_a_released_reader_or_writer() -> None:
    assert schemas.breaks(DOCS / schemas.RELEASED) == []


def test_export_writes_what_check_finds_fresh(tmp_path: Path) -> None:
    schemas.export(tmp_path)
    assert schemas.check(tmp_path) == []


def test_a_changed_and_a_superfluous_file_are_named(tmp_path: Path) -> None:
    schemas.export(tmp_path)
    (tmp_path / "messages.md").write_text("old")
    extra = tmp_path / "schemas" / "hourbridge.gone.away.v1" / "reader.schema.json"
    extra.parent.mkdir()
    extra.write_text("{}")
    problems = schemas.check(tmp_path)
    assert [problem.split(":")[0] for problem in problems] == [
        "messages.md",
        "schemas/hourbridge.gone.away.v1/reader.schema.json",
    ]
    schemas.export(tmp_path)
    assert schemas.check(tmp_path) == []


def test_a_release_is_frozen_once(tmp_path: Path) -> None:
    schemas.export(tmp_path)
    schemas.freeze(tmp_path, "1.0.0")
    with pytest.raises(FileExistsError):
        schemas.freeze(tmp_path, "1.0.0")


def test_a_released_type_must_stay_readable(tmp_path: Path) -> None:
    schemas.export(tmp_path)
    release = schemas.freeze(tmp_path, "1.0.0")
    (release / "hourbridge.book.configured.v1").rename(release / "hourbridge.book.forgotten.v1")
    (problem,) = schemas.breaks(tmp_path / schemas.RELEASED)
    assert problem.startswith("1.0.0: hourbridge.book.forgotten.v1: is no longer readable")


def test_every_published_type_has_a_receiver() -> None:
    subscribed = {name for types in SUBSCRIPTIONS.values() for name in types}
    for registered in REGISTRY:
        upstream_reads_it = registered.type == "hourbridge.intake.rejected.v1"
        assert asyncapi.receivers(registered.type) or upstream_reads_it
    assert subscribed <= {registered.type for registered in REGISTRY}


def test_asyncapi_references_resolve() -> None:
    document = asyncapi.document(REGISTRY)
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"].removeprefix("#/channels/")
        for message in operation["messages"]:
            name = message["$ref"].removeprefix(f"#/channels/{channel}/messages/")
            assert name in document["channels"][channel]["messages"]
            assert name in document["components"]["messages"]
    for message in document["components"]["messages"].values():
        target = message["payload"]["schema"]["$ref"]
        assert (DOCS / "asyncapi" / target).resolve().is_file()
