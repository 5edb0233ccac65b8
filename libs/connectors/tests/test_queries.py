"""Literals of the query language survive any text."""

from hypothesis import given
from hypothesis import strategies as st

from hourbridge.connectors.quickbooks_online.queries import equals
from hourbridge.sandbox.quickbooks_online.query_language import parse


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=600))
def test_any_text_is_quoted_so_that_it_is_read_back(value):
    statement = f"SELECT * FROM Customer WHERE {equals('DisplayName', value)} ORDERBY Id"
    (condition,) = parse(statement).conditions
    assert condition.values == (value,)


def test_a_quote_cannot_end_the_literal():
    hostile = "x' OR '1' = '1\\"
    (condition,) = parse(f"SELECT * FROM Customer WHERE {equals('Name', hostile)}").conditions
    assert condition.values == (hostile,)
