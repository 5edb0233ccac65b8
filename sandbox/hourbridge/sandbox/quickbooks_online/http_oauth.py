"""The OAuth endpoints: discovery, authorize (which approves at once), token, revoke."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hourbridge.sandbox.common.serving import drop
from hourbridge.sandbox.quickbooks_online.disturbances import Fault
from hourbridge.sandbox.quickbooks_online.tokens import GrantRefused
from hourbridge.sandbox.quickbooks_online.world import World

TOKEN_PATH = "/oauth2/v1/tokens/bearer"


class OAuthEndpoints:
    """Token traffic of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes."""
        discovery = "/.well-known/openid_sandbox_configuration"
        return [
            Route(TOKEN_PATH, self.token, methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", self.revoke, methods=["POST"]),
            Route("/connect/oauth2", self.authorize, methods=["GET"]),
            Route(discovery, self.discovery, methods=["GET"]),
            Route("/app/connect/oauth2/request", self.reconnect, methods=["GET"]),
            Route("/v1/openid_connect/userinfo", self.userinfo, methods=["GET"]),
        ]

    async def token(self, request: Request) -> Response:
        """Answer the two grant types."""
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        with self._world.lock:
            exchange = self._world.audit.open("POST", TOKEN_PATH, self._world.clock.stamp())
            drawn = self._world.disturbances.draw("tokens")
            if Fault.LOSE_REQUEST in drawn:
                exchange.outcome = "dropped"
                return drop(request)
            if Fault.SERVER_ERROR in drawn:
                exchange.outcome, exchange.status = "failed", drawn[Fault.SERVER_ERROR].status
                return Response("<html>unavailable</html>", drawn[Fault.SERVER_ERROR].status)
            if not self._is_client(request):
                exchange.outcome, exchange.status = "refused", 401
                return JSONResponse({"error": "invalid_client"}, 401)
            try:
                answer = self._grant(form, _tells_hard_expiry(request))
            except GrantRefused as refused:
                exchange.outcome, exchange.status = "refused", 400
                exchange.code = refused.error
                body = {"error": refused.error, "error_description": refused.description}
                return JSONResponse(body, 400)
            exchange.outcome, exchange.status = "executed", 200
            exchange.action = form["grant_type"]
            if Fault.LOSE_RESPONSE in drawn:
                exchange.delivery = "lost"
                return drop(request)
            return JSONResponse(answer)

    async def authorize(self, request: Request) -> Response:
        """Approve at once and send the browser back with a code; with ``deny`` refuse instead."""
        query = request.query_params
        if query.get("deny") and "redirect_uri" in query:
            answer = urlencode({"error": "access_denied", "state": query.get("state", "")})
            return RedirectResponse(f"{query['redirect_uri']}?{answer}", 302)
        with self._world.lock:
            realm = query.get("realm") or next(iter(self._world.companies), "")
            if realm not in self._world.companies or "redirect_uri" not in query:
                return JSONResponse({"error": "invalid_request"}, 400)
            code = self._world.tokens.new_code(realm)
        answer = urlencode({"code": code, "state": query.get("state", ""), "realmId": realm})
        return RedirectResponse(f"{query['redirect_uri']}?{answer}", 302)

    async def reconnect(self, request: Request) -> Response:
        """Send whoever reconnects a company on to the page that asks for consent."""
        query = request.query_params
        if query.get("mode") != "reconnect" or query.get("realmId") not in self._world.companies:
            return JSONResponse({"error": "invalid_request"}, 400)
        asked = {"realm": query["realmId"], "state": query.get("state", "")}
        place = {"redirect_uri": query["redirect_uri"]} if "redirect_uri" in query else {}
        return RedirectResponse(f"/connect/oauth2?{urlencode({**asked, **place})}", 302)

    async def userinfo(self, request: Request) -> Response:
        """Return who connected."""
        _, _, token = request.headers.get("authorization", "").partition(" ")
        with self._world.lock:
            if self._world.tokens.access_of(token) is None:
                return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse({"sub": "sandbox-user", "email": "somebody@example.test"})

    async def revoke(self, request: Request) -> Response:
        """Withdraw the grant that the token belongs to."""
        token = (await request.json()).get("token", "")
        with self._world.lock:
            self._world.tokens.revoke(token)
        return Response(status_code=200)

    async def discovery(self, request: Request) -> Response:
        """Return the discovery document, with this server's own addresses."""
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/connect/oauth2",
                "token_endpoint": f"{base}{TOKEN_PATH}",
                "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
                "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
                "jwks_uri": f"{base}/op/v1/jwks",
            }
        )

    def _grant(self, form: dict[str, str], tells_hard_expiry: bool) -> dict[str, object]:
        tokens = self._world.tokens
        if form.get("grant_type") == "authorization_code":
            return tokens.redeem(form.get("code", ""), tells_hard_expiry=tells_hard_expiry)
        if form.get("grant_type") == "refresh_token":
            given = form.get("refresh_token", "")
            return tokens.refresh(given, tells_hard_expiry=tells_hard_expiry)
        raise GrantRefused("unsupported_grant_type", "Use authorization_code or refresh_token")

    def _is_client(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        settings = self._world.settings
        return scheme == "Basic" and given == f"{settings.client_id}:{settings.client_secret}"


def _tells_hard_expiry(request: Request) -> bool:
    return request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true"
