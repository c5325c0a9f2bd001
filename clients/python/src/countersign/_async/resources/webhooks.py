"""Be told what happens."""

from __future__ import annotations

from collections.abc import Sequence

from ..._call import OMIT, Call, Omit, body, nothing, path
from ..._signature import Headers, verify_webhook
from ..._webhook_event import WebhookEvent
from ...types import Webhook, WebhookDelivery, WebhookWithSecret
from ..pagination import AsyncList, pages
from ..transport import AsyncTransport


class AsyncWebhooks:
    """Be told what the audit log tells. Needs the scope `admin`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[Webhook]:
        """Webhooks, the oldest first.

        Args:
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {"limit": limit, "cursor": cursor}
        return pages(self._transport, "listWebhooks", "/v1/webhooks", Webhook, wanted, timeout)

    async def create(
        self,
        *,
        url: str,
        events: Sequence[str],
        description: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> WebhookWithSecret:
        """Registers an address. The answer has the secret, once.

        Args:
            url: Where events are sent.
            events: Which ones: kinds, as `mfa.user.locked`, or several, as `mfa.*`.
            description: What it is for.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("CreateWebhook", url=url, events=events, description=description)
        at = "/v1/webhooks"
        call = Call("createWebhook", "POST", at, WebhookWithSecret.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def get(self, webhook_id: str, *, timeout: float | None = None) -> Webhook:
        """A webhook."""
        at = path("/v1/webhooks/{}", webhook_id)
        call = Call("getWebhook", "GET", at, Webhook.from_json)
        return await self._transport.send(call, timeout=timeout)

    async def update(
        self,
        webhook_id: str,
        *,
        url: str | None | Omit = OMIT,
        events: Sequence[str] | None | Omit = OMIT,
        description: str | None | Omit = OMIT,
        enabled: bool | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Webhook:
        """Changes a webhook; what is left out stays.

        Args:
            webhook_id: The webhook.
            url: Where events are sent.
            events: Which ones.
            description: What it is for; None takes it away.
            enabled: Whether events are sent.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "UpdateWebhook", url=url, events=events, description=description, enabled=enabled
        )
        at = path("/v1/webhooks/{}", webhook_id)
        call = Call("updateWebhook", "PATCH", at, Webhook.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def delete(
        self,
        webhook_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Removes a webhook."""
        at = path("/v1/webhooks/{}", webhook_id)
        call = Call("deleteWebhook", "DELETE", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def rotate_secret(
        self,
        webhook_id: str,
        *,
        overlap_seconds: int | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> WebhookWithSecret:
        """Makes a new secret.

        Args:
            webhook_id: The webhook.
            overlap_seconds: For how long events are signed with both.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("RotateWebhookSecret", overlap_seconds=overlap_seconds)
        at = path("/v1/webhooks/{}/rotate-secret", webhook_id)
        call = Call("rotateWebhookSecret", "POST", at, WebhookWithSecret.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def list_deliveries(
        self,
        webhook_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[WebhookDelivery]:
        """What became of each delivery, the newest first.

        Args:
            webhook_id: The webhook.
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {"limit": limit, "cursor": cursor}
        at = path("/v1/webhooks/{}/deliveries", webhook_id)
        return pages(self._transport, "listWebhookDeliveries", at, WebhookDelivery, wanted, timeout)

    async def redeliver(
        self,
        webhook_id: str,
        delivery_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Tries a delivery anew."""
        at = path("/v1/webhooks/{}/deliveries/{}/redeliver", webhook_id, delivery_id)
        call = Call("redeliverWebhookEvent", "POST", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def verify(
        self, body: bytes | str, headers: Headers, secret: str | Sequence[str]
    ) -> WebhookEvent:
        """The event of a delivery, if the service sent it. Asks nobody, and waits for nothing.

        By Standard Webhooks, with a time within five minutes.

        Args:
            body: The raw body, before anything parsed it.
            headers: The request's headers.
            secret: The webhook's secret, or several while it is rotated.

        Raises:
            WebhookSignatureError: If it is not to be believed; its `reason` tells why.

        """
        secrets = [secret] if isinstance(secret, str) else secret
        return verify_webhook(body, headers, secrets, self._transport.clock.wall())
