"""The mapped records: statements of the store; all run in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import to_text
from hourbridge.common.messages.events import ChargeSetChanged
from hourbridge.common.messages.records import RECORD_MODELS, Record, RecordType
from hourbridge.common.store.rows import bulk, statement
from hourbridge.mapper.mapping import MappedRecord

_KEYS = "jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(book text, record_id text)"
_CHARGE_SETS = statement(
    f"SELECT m.book, m.record_id, m.charge_set FROM {_KEYS} "
    "JOIN mapped_record m USING (book, record_id)"
)
_COLUMNS = (
    "book, record_id, source, record_type, revision, sequence, mapping_version, outcome, "
    "reason_code, waits_for, depends_on"
)
_ROW_TYPE = """
    r(book text, record_id text, source text, record_type text, revision bigint, sequence bigint,
      mapping_version bigint, outcome text, reason_code text, waits_for text[], depends_on text[],
      state text, charge_set text, accepted_at timestamptz, work_date date)
"""
_SINCE = """
    CASE WHEN m.outcome = excluded.outcome THEN m.outcome_since ELSE excluded.outcome_since END
"""
_UPSERT = statement(
    f"""
    INSERT INTO mapped_record AS m ({_COLUMNS}, state, charge_set, accepted_at, work_date,
                                    outcome_since)
    SELECT {_COLUMNS}, state, charge_set, accepted_at, work_date, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS {_ROW_TYPE}
    ORDER BY book, record_id
    ON CONFLICT (book, record_id) DO UPDATE SET
        source = excluded.source, record_type = excluded.record_type,
        revision = excluded.revision, sequence = greatest(m.sequence, excluded.sequence),
        mapping_version = excluded.mapping_version, outcome = excluded.outcome,
        reason_code = excluded.reason_code, waits_for = excluded.waits_for,
        depends_on = excluded.depends_on, state = excluded.state,
        charge_set = excluded.charge_set, accepted_at = excluded.accepted_at,
        work_date = excluded.work_date, outcome_since = {_SINCE}
    WHERE (m.revision, m.mapping_version) < (excluded.revision, excluded.mapping_version)
    RETURNING m.book, m.record_id
    """
)
_UPDATE = statement(
    f"""
    UPDATE mapped_record m SET
        mapping_version = r.mapping_version, outcome = r.outcome, reason_code = r.reason_code,
        waits_for = r.waits_for, depends_on = r.depends_on,
        charge_set = r.charge_set,
        outcome_since = CASE WHEN m.outcome = r.outcome THEN m.outcome_since
                             ELSE CAST(:now AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS {_ROW_TYPE}
    WHERE m.book = r.book AND m.record_id = r.record_id
    """
)

RecordKey = tuple[str, str]
"""A book and a record_id."""


def upsert(connection: Connection, mapped: Sequence[MappedRecord], now: Any) -> set[RecordKey]:
    """Store what is newer by (revision, mapping version); return the keys of what was stored.

    Rows are locked in one order everywhere: by book, then record_id.
    """
    rows = bulk(connection, _UPSERT, [_row(item) for item in mapped], now=now)
    return {(row.book, row.record_id) for row in rows}


def update(connection: Connection, mapped: Sequence[MappedRecord], now: Any) -> None:
    """Store new mappings of records that the caller has locked; their states stay."""
    bulk(connection, _UPDATE, [_row(item, with_state=False) for item in mapped], now=now)


def charge_sets(
    connection: Connection, keys: Iterable[RecordKey]
) -> dict[RecordKey, ChargeSetChanged]:
    """Return the stored charge sets of ``keys``."""
    wanted = [{"book": book, "record_id": id} for book, id in keys]
    if not wanted:
        return {}
    return {
        (row.book, row.record_id): ChargeSetChanged.model_validate_json(row.charge_set)
        for row in bulk(connection, _CHARGE_SETS, wanted)
    }


def read_state(record_type: str, state: str) -> Record:
    """Return a stored record's state."""
    return RECORD_MODELS[RecordType(record_type)].model_validate_json(state)


def _row(item: MappedRecord, *, with_state: bool = True) -> dict[str, Any]:
    accepted = item.accepted
    change = item.change
    return {
        "book": item.book,
        "record_id": accepted.record_id,
        "source": accepted.source,
        "record_type": accepted.record_type.value,
        "revision": accepted.revision,
        "sequence": accepted.sequence,
        "mapping_version": change.mapping_version,
        "outcome": change.outcome.value,
        "reason_code": change.reasons[0].code if change.reasons else None,
        "waits_for": item.waits_for,
        "depends_on": item.depends_on,
        "state": accepted.state.model_dump_json(exclude_none=True) if with_state else None,
        "charge_set": item.change_json,
        "accepted_at": to_text(accepted.accepted_at),
        "work_date": change.work_date,
    }
