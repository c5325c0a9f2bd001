# Made from _async/client.py by scripts/generate.py: not to be edited.
"""The client."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar

import httpx

from .._clock import Clock, Platform
from .._config import RETRIES, TIMEOUT_SECONDS, configured
from .._http import no_cookies, owned_by_another
from .resources.api_keys import ApiKeys
from .resources.audit import Audit
from .resources.auth import Auth
from .resources.cluster import Cluster
from .resources.service import Service
from .resources.settings import Settings
from .resources.statistics import Statistics
from .resources.tenants import Tenants
from .resources.webhooks import Webhooks
from .transport import Transport


class Countersign:
    """A synchronous client of Countersign. One is enough for a process.

    A call ends when its `timeout` has passed. What httpx cannot interrupt may outlast it:
    headers of an answer that come byte by byte, a look-up of a name that hangs, a name
    with more than two addresses that are all silent. `AsyncCountersign` ends in
    time there too.

    Example:
        client = Countersign(
            base_url=["https://n1.mfa.example", "https://n2.mfa.example", "https://n3.mfa.example"],
            api_key=os.environ["COUNTERSIGN_API_KEY"],
        )
        result = client.auth.mfa.create_challenge(user_id)

    """

    auth: Auth
    """Users and how they sign in."""
    audit: Audit
    """Why every decision was taken."""
    webhooks: Webhooks
    """Be told what happens."""
    api_keys: ApiKeys
    """Who may call."""
    cluster: Cluster
    """Nodes and shards."""
    settings: Settings
    """Names, origins, tokens, words, alerts."""
    statistics: Statistics
    """What happened lately."""
    tenants: Tenants
    """Organisations that never see each other."""
    service: Service
    """Health, metrics, documentation."""

    _clock: ClassVar[Clock] = Platform()

    def __init__(
        self,
        *,
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        max_retries: int = RETRIES,
        http_client: httpx.Client | None = None,
    ) -> None:
        """Makes a client. Nothing is sent yet.

        Args:
            base_url: Where the service is: one address, or those of all nodes. `COUNTERSIGN_URL`,
                with commas between, unless given.
            api_key: The API key, `csk_…`. `COUNTERSIGN_API_KEY` unless given.
            timeout: For how many seconds a call may take, retries included.
            max_retries: How many more attempts may follow once every address was tried.
            http_client: What sends requests, with its proxies, certificates and transport. It
                stays yours: closing this client does not close it, and cookies are its own.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If something is missing or cannot be used.

        """
        config = configured(base_url, api_key, timeout, max_retries)
        owned_by_another(http_client, httpx.Client)
        self._addresses = config.addresses
        self._is_owner = http_client is None
        if http_client is None:
            http_client = httpx.Client(cookies=no_cookies())
        self._http = http_client
        self._transport = transport = Transport(config, self._http, self._clock)
        self.auth = Auth(transport)
        self.audit = Audit(transport)
        self.webhooks = Webhooks(transport)
        self.api_keys = ApiKeys(transport)
        self.cluster = Cluster(transport)
        self.settings = Settings(transport)
        self.statistics = Statistics(transport)
        self.tenants = Tenants(transport)
        self.service = Service(transport)

    def close(self) -> None:
        """Ends all connections, unless an `http_client` was given: that one is its owner's.

        Calls fail from now on, with RuntimeError.
        """
        self._transport.is_closed = True
        if self._is_owner:
            self._http.close()

    def __enter__(self) -> Countersign:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Countersign({', '.join(self._addresses)})"
