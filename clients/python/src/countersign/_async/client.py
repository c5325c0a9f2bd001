"""The client."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar

import httpx

from .._clock import Clock, Platform
from .._config import RETRIES, TIMEOUT_SECONDS, configured
from .._http import no_cookies, owned_by_another
from .resources.api_keys import AsyncApiKeys
from .resources.audit import AsyncAudit
from .resources.auth import AsyncAuth
from .resources.cluster import AsyncCluster
from .resources.service import AsyncService
from .resources.settings import AsyncSettings
from .resources.statistics import AsyncStatistics
from .resources.tenants import AsyncTenants
from .resources.webhooks import AsyncWebhooks
from .transport import AsyncTransport


class AsyncCountersign:
    """An asynchronous client of Countersign. One is enough for a process.

    A call ends when its `timeout` has passed, whatever a node does.

    Example:
        client = AsyncCountersign(
            base_url=["https://n1.mfa.example", "https://n2.mfa.example", "https://n3.mfa.example"],
            api_key=os.environ["COUNTERSIGN_API_KEY"],
        )
        result = await client.auth.mfa.create_challenge(user_id)

    """

    auth: AsyncAuth
    """Users and how they sign in."""
    audit: AsyncAudit
    """Why every decision was taken."""
    webhooks: AsyncWebhooks
    """Be told what happens."""
    api_keys: AsyncApiKeys
    """Who may call."""
    cluster: AsyncCluster
    """Nodes and shards."""
    settings: AsyncSettings
    """Names, origins, tokens, words, alerts."""
    statistics: AsyncStatistics
    """What happened lately."""
    tenants: AsyncTenants
    """Organisations that never see each other."""
    service: AsyncService
    """Health, metrics, documentation."""

    _clock: ClassVar[Clock] = Platform()

    def __init__(
        self,
        *,
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        max_retries: int = RETRIES,
        http_client: httpx.AsyncClient | None = None,
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
        owned_by_another(http_client, httpx.AsyncClient)
        self._addresses = config.addresses
        self._is_owner = http_client is None
        if http_client is None:
            http_client = httpx.AsyncClient(cookies=no_cookies())
        self._http = http_client
        self._transport = transport = AsyncTransport(config, self._http, self._clock)
        self.auth = AsyncAuth(transport)
        self.audit = AsyncAudit(transport)
        self.webhooks = AsyncWebhooks(transport)
        self.api_keys = AsyncApiKeys(transport)
        self.cluster = AsyncCluster(transport)
        self.settings = AsyncSettings(transport)
        self.statistics = AsyncStatistics(transport)
        self.tenants = AsyncTenants(transport)
        self.service = AsyncService(transport)

    async def aclose(self) -> None:
        """Ends all connections, unless an `http_client` was given: that one is its owner's.

        Calls fail from now on, with RuntimeError.
        """
        self._transport.is_closed = True
        if self._is_owner:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncCountersign:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncCountersign({', '.join(self._addresses)})"
