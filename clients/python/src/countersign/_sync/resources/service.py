# Made from _async/resources/service.py by scripts/generate.py: not to be edited.
"""Health, metrics, documentation."""

from __future__ import annotations

from typing import Any

from ..._call import Call, as_is, path
from ...types import IssuerMetadata, NodeStatus
from ..transport import Transport


class Service:
    """The service itself: its health, its metrics, its documentation. Needs no key."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def health(self, *, timeout: float | None = None) -> NodeStatus:
        """Whether a node is up."""
        read = NodeStatus.from_json
        call = Call("getHealth", "GET", "/healthz", read, authenticated=False)
        return self._transport.send(call, timeout=timeout)

    def readiness(self, *, timeout: float | None = None) -> NodeStatus:
        """Whether a node can serve.

        Raises:
            UnavailableError: If none can.

        """
        read = NodeStatus.from_json
        call = Call("getReadiness", "GET", "/readyz", read, authenticated=False)
        return self._transport.send(call, timeout=timeout)

    def metrics(self, *, timeout: float | None = None) -> str:
        """A node's metrics, in Prometheus' text format."""
        return self._text("getMetrics", "/metrics", timeout)

    def openapi(self, *, timeout: float | None = None) -> dict[str, Any]:
        """The OpenAPI document."""
        call: Call[dict[str, Any]]
        call = Call("getOpenApi", "GET", "/openapi.json", as_is, authenticated=False)
        return self._transport.send(call, timeout=timeout)

    def open_id_configuration(self, *, timeout: float | None = None) -> IssuerMetadata:
        """What is true of the issuer of access tokens, as OpenID Connect clients look for it."""
        at, read = "/.well-known/openid-configuration", IssuerMetadata.from_json
        call = Call("getOpenIdConfiguration", "GET", at, read, authenticated=False)
        return self._transport.send(call, timeout=timeout)

    def authorization_server_metadata(self, *, timeout: float | None = None) -> IssuerMetadata:
        """The same, where OAuth clients look for it (RFC 8414)."""
        at, read = "/.well-known/oauth-authorization-server", IssuerMetadata.from_json
        call = Call("getAuthorizationServerMetadata", "GET", at, read, authenticated=False)
        return self._transport.send(call, timeout=timeout)

    def docs(self, *, timeout: float | None = None) -> str:
        """The page, as HTML, to browse it."""
        return self._text("browseDocs", "/docs", timeout)

    def list_problems(self, *, timeout: float | None = None) -> str:
        """The page, as HTML, that explains every problem's code."""
        return self._text("listProblems", "/problems", timeout)

    def get_problem(self, code: str, *, timeout: float | None = None) -> str:
        """The page, as HTML, that explains a problem's code, as `invalid_code`."""
        at = path("/problems/{}", code.replace("_", "-"))
        return self._text("getProblem", at, timeout)

    def _text(self, operation: str, at: str, timeout: float | None) -> str:
        call: Call[str]
        call = Call(operation, "GET", at, as_is, answer="text", authenticated=False)
        return self._transport.send(call, timeout=timeout)
