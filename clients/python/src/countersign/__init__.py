"""Client of Countersign, the multi-factor authentication service that you run yourself.

`Countersign` calls it, `AsyncCountersign` does so for asyncio.
"""

from . import params, resources, types
from ._async.client import AsyncCountersign
from ._async.pagination import AsyncList, AsyncPage
from ._call import OMIT, Omit
from ._login import ChallengeResult
from ._signature import Headers, HeadersLike
from ._sync.client import Countersign
from ._sync.pagination import Page
from ._tokens import TokenClaims
from ._version import __version__
from ._webauthn import AssertionCredential, RegistrationCredential
from ._webhook_event import WebhookEvent
from .errors import (
    AuthenticationError,
    ConflictError,
    ConnectionError,
    CountersignError,
    ExpiredError,
    FieldError,
    InvalidCodeError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProblemError,
    RateLimitError,
    ServerError,
    TimeoutError,
    TokenError,
    TokenErrorReason,
    UnavailableError,
    WebhookErrorReason,
    WebhookSignatureError,
)

__all__ = [
    "Countersign",
    "AsyncCountersign",
    "Page",
    "AsyncPage",
    "AsyncList",
    "ChallengeResult",
    "TokenClaims",
    "WebhookEvent",
    "RegistrationCredential",
    "AssertionCredential",
    "Headers",
    "HeadersLike",
    "OMIT",
    "Omit",
    "CountersignError",
    "ConnectionError",
    "TimeoutError",
    "ProblemError",
    "FieldError",
    "InvalidRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ConflictError",
    "ExpiredError",
    "InvalidCodeError",
    "RateLimitError",
    "ServerError",
    "UnavailableError",
    "TokenError",
    "TokenErrorReason",
    "WebhookSignatureError",
    "WebhookErrorReason",
    "resources",
    "types",
    "params",
    "__version__",
]
