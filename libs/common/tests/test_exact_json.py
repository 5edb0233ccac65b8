"""JSON keeps every digit of a number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.exact_json import dumps, loads

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=7)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(_json)
def test_what_is_written_is_read_back(value):
    assert loads(dumps(value)) == value


@pytest.mark.parametrize("text", ["1861.08", "0.00", "123456789012345678901234567890.12345"])
def test_digits_stay_as_they_are(text):
    assert dumps(Decimal(text)) == text
    assert str(loads(text)) == text


def test_an_exponent_becomes_plain_digits():
    assert dumps(Decimal("1E+3")) == "1000"
    assert loads("1.5e2") == Decimal(150)


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), object()])
def test_inexact_values_are_refused(value):
    with pytest.raises(TypeError):
        dumps({"amount": value})


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", '{"a":', "", "[" * 100_000, "1e99999999999999999999", "9" * 5000]
)
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError):
        loads(text)
