"""What a webhook tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ._model import Member, Model, of, plain, time
from .types import WebhookEventData


@dataclass(frozen=True, eq=False, repr=False)
class WebhookEvent(Model):
    """What a webhook tells: an audit event without what it takes to verify it offline."""

    __slots__ = ("data", "timestamp", "type")

    type: str
    """The event's kind, as `mfa.user.locked`."""
    timestamp: datetime
    """When it happened."""
    data: WebhookEventData
    """The event as `client.audit.list` gives it."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("type", "type", plain),
        Member("timestamp", "timestamp", time),
        Member("data", "data", of(WebhookEventData)),
    )
