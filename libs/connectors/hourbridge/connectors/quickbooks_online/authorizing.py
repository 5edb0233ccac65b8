"""Connecting a company by its consent: the address to go to, and what comes back from there."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx

from hourbridge.common.errors import ConfigurationInvalid, LedgerUnavailable
from hourbridge.connectors.connections.consents import Consent, ConsentStore
from hourbridge.connectors.quickbooks_online.tokens import TokenEndpoint, TokenPair
from hourbridge.connectors.quickbooks_online.transport import MINOR_VERSION

KIND = "quickbooks_online"
PRODUCTION_API_URL = "https://quickbooks.api.intuit.com"
SANDBOX_API_URL = "https://sandbox-quickbooks.api.intuit.com"
AUTHORIZE_URL = "https://appcenter.intuit.com/connect/oauth2"
TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
REVOKE_URL = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
RECONNECT_URL = "https://appcenter.intuit.com/app/connect/oauth2/request"
SCOPE = "com.intuit.quickbooks.accounting"
_CHECK_SECONDS = 30
_REFUSED = (401, 403)


def consent_url(consent: Consent, state: str) -> str:
    """Return where a person gives the consent."""
    query = {
        "client_id": consent.client_id,
        "response_type": "code",
        "scope": SCOPE,
        "redirect_uri": consent.redirect_uri,
        "state": state,
    }
    return f"{consent.authorize_url}?{urlencode(query)}"


def reconnect_url(app_id: str | None, company_id: str) -> str | None:
    """Return where the company's own people renew their consent, None without an app id."""
    if app_id is None:
        return None
    query = {"appId": app_id, "realmId": company_id, "mode": "reconnect"}
    return f"{RECONNECT_URL}?{urlencode(query)}"


class Authorizer:
    """Turns the answer of a consent into a connection, and gives grants back."""

    def __init__(self, consents: ConsentStore) -> None:
        self._consents = consents

    def complete(self, state: str, code: str, company_id: str, *, actor: str) -> Consent:
        """Connect the company that gave its consent; return what it was asked for.

        Everything that can be wrong is found out before anything stored is overwritten: another
        company, a code that is used up, tokens that this host doesn't take. Raises
        ConfigurationInvalid, LedgerAuthorizationExpired or LedgerUnavailable.
        """
        consent = self._consents.take(state)
        self._consents.check_company(consent, company_id)
        endpoint = TokenEndpoint(
            consent.token_url, consent.client_id, consent.client_secret.get_secret_value()
        )
        pair = endpoint.redeem(code, consent.redirect_uri)
        _try(consent, company_id, pair)
        self._consents.save(consent, company_id, pair, actor=actor)
        return consent

    def disconnect(self, name: str, *, actor: str) -> None:
        """Give a connection's grant back and let nobody call any more.

        The grant is given back first: a connection that only we hold for disconnected would leave
        a token alive. Raises ConfigurationInvalid or LedgerUnavailable.
        """
        grant = self._consents.grant_of(name)
        endpoint = TokenEndpoint(
            grant.token_url, grant.client_id, grant.client_secret.get_secret_value()
        )
        endpoint.revoke(grant.revoke_url or REVOKE_URL, grant.refresh_token.get_secret_value())
        self._consents.disconnect(name, actor=actor)


def _try(consent: Consent, company_id: str, pair: TokenPair) -> None:
    """Raise unless the host takes the tokens for this company."""
    path = f"/v3/company/{company_id}/companyinfo/{company_id}"
    try:
        response = httpx.get(
            f"{consent.api_base_url}{path}",
            params={"minorversion": MINOR_VERSION},
            headers={"Accept": "application/json", "Authorization": f"Bearer {pair.access_token}"},
            timeout=_CHECK_SECONDS,
        )
    except httpx.RequestError as error:
        what = f"the company can't be asked ({type(error).__name__}: {error})"
        raise LedgerUnavailable(what) from error
    if response.status_code in _REFUSED:
        raise ConfigurationInvalid(
            f"{consent.api_base_url} refuses the new tokens for company {company_id} "
            f"(HTTP {response.status_code}); nothing was changed",
            advice="Development keys work on the sandbox host only, production keys on the "
            f"production host only: {SANDBOX_API_URL} and {PRODUCTION_API_URL}.",
        )
    if not response.is_success:
        raise LedgerUnavailable(f"the company answered HTTP {response.status_code}")
