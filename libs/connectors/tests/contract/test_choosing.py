"""Which company the contract tests run against is decided by the environment alone."""

import pytest

from libs.connectors.tests.conftest import real_company

REAL = {
    "HOURBRIDGE_QBO_SANDBOX_REALM": "9130350000000001",
    "HOURBRIDGE_QBO_SANDBOX_CLIENT_ID": "id",
    "HOURBRIDGE_QBO_SANDBOX_CLIENT_SECRET": "s3cr3t",
    "HOURBRIDGE_QBO_SANDBOX_REFRESH_TOKEN": "RT1",
}


def test_without_credentials_it_is_the_stand_in():
    assert real_company({"PATH": "/bin"}) is None


def test_with_credentials_it_is_the_vendors_sandbox():
    found = real_company(REAL)
    assert found.api_base_url == "https://sandbox-quickbooks.api.intuit.com"
    assert found.company_id == "9130350000000001"
    assert "s3cr3t" not in repr(found) and "RT1" not in repr(found)


def test_the_newest_token_is_taken_from_its_file(tmp_path):
    kept = tmp_path / "token"
    kept.write_text("RT2\n")
    found = real_company(REAL | {"HOURBRIDGE_QBO_SANDBOX_TOKEN_FILE": str(kept)})
    assert found.refresh_token.get_secret_value() == "RT2"


def test_half_a_set_is_an_error_not_a_skip():
    with pytest.raises(pytest.UsageError, match="CLIENT_SECRET"):
        real_company({"HOURBRIDGE_QBO_SANDBOX_REALM": "1"})
