"""The ECB's files of rates, in each of their forms, and what is none."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from hourbridge.common.exchange_rates import PublishedRate, RatesInvalid
from hourbridge.connectors.exchange_rates.ecb_file import EcbFile

HISTORY = b"Date,USD,JPY,RUB,\n2026-05-15,1.0873,169.95,N/A,\n2026-05-14,1.0862,169.02,,\n"
DAILY = b"Date, USD, JPY, \n15 May 2026, 1.0873, 169.95, \n"
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube>
    <Cube time="2026-05-15"><Cube currency="USD" rate="1.0873"/>
      <Cube currency="JPY" rate="169.95"/></Cube>
    <Cube time="2026-05-14"><Cube currency="USD" rate="1.0862"/></Cube>
  </Cube>
</gesmes:Envelope>"""
FRIDAY = date(2026, 5, 15)
USD = PublishedRate(FRIDAY, "USD", Decimal("1.0873"))
JPY = PublishedRate(FRIDAY, "JPY", Decimal("169.95"))


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def read(content: bytes) -> list[PublishedRate]:
    return list(EcbFile(content).rates())


@pytest.mark.parametrize(
    "content", [HISTORY, b"\xef\xbb\xbf" + HISTORY, zipped(("eurofxref-hist.csv", HISTORY))]
)
def test_the_history(content: bytes) -> None:
    found = read(content)
    assert found[:2] == [USD, JPY]
    assert [rate.currency for rate in found] == ["USD", "JPY", "USD", "JPY"]


def test_the_daily_file_writes_its_date_in_words() -> None:
    assert read(DAILY) == [USD, JPY]


def test_the_envelope() -> None:
    assert read(XML) == [USD, JPY, PublishedRate(date(2026, 5, 14), "USD", Decimal("1.0862"))]


def test_others_may_publish_in_the_same_form() -> None:
    house = EcbFile(b"Date,EUR\n2026-05-15,0.92\n", source="house", pivot="USD")
    assert (house.source, house.pivot) == ("house", "USD")
    assert list(house.rates()) == [PublishedRate(FRIDAY, "EUR", Decimal("0.92"))]


def test_an_empty_table_holds_nothing() -> None:
    assert read(b"Date,USD\n\n,\n") == []


def test_a_day_may_be_stated_twice_but_not_contradicted() -> None:
    assert read(b"Date,USD\n2026-05-15,1.1\n2026-05-15,1.1\n") == [
        PublishedRate(FRIDAY, "USD", Decimal("1.1"))
    ]
    with pytest.raises(RatesInvalid, match="two rates of USD"):
        read(b"Date,USD\n2026-05-15,1.1\n2026-05-15,1.2\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "first column"),
        (b"Day,USD\n", "first column"),
        (b"Date,US Dollar\n", "no currency code"),
        (b"Date,USD\n15/05/2026,1.1\n", "is no date"),
        (b"Date,USD\n2026-05-15,one\n", "is no rate"),
        (b"Date,USD\n2026-05-15,NaN\n", "positive"),
        (b"Date,USD\n2026-05-15,-1\n", "positive"),
        (b"Date,USD\n2026-05-15,0\n", "positive"),
        (b"Date,EUR\n2026-05-15,1\n", "quoted against"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"PK\x03\x04 broken", "archive"),
        (zipped(("a.csv", HISTORY), ("b.csv", HISTORY)), "archive of one file"),
        (b"<html></html>", "no day of rates"),
        (b"<Cube", "not XML"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "document type"),
        (XML.replace(b"2026-05-15", b"yesterday"), "is no date"),
        (XML.replace(b'currency="USD"', b""), "without currency"),
        (XML.replace(b'rate="1.0873"', b'rate="0"'), "positive"),
    ],
)
def test_what_is_no_file_of_rates_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(RatesInvalid, match=why):
        read(content)


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hourbridge.connectors.exchange_rates.ecb_file.BYTES_MAX", 10)
    with pytest.raises(RatesInvalid, match="unpacks to"):
        read(zipped(("eurofxref-hist.csv", HISTORY)))


def test_the_real_history_since_1999() -> None:
    package = files(pytest.importorskip("currency_converter"))
    found = read((package / "eurofxref-hist.zip").read_bytes())
    days = {rate.rate_date for rate in found}
    assert min(days) == date(1999, 1, 4)
    assert len(days) > 7000
    by_key = {(rate.currency, rate.rate_date): rate.value for rate in found}
    assert by_key["USD", date(2026, 1, 30)] == Decimal("1.1919")
    assert date(2025, 12, 25) not in days
    assert ("RUB", date(2022, 3, 2)) not in by_key
