"""What the service answers.

Made from the service's OpenAPI document by scripts/generate.py: not to be edited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Optional, Union

from ._model import Member, Model, each, of, plain, time

__all__ = [
    "Alerts",
    "Algorithm",
    "ApiKey",
    "Attachment",
    "Attestation",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditProof",
    "BeforeAndAfter",
    "Challenge",
    "ChallengeAnswer",
    "ChallengeFactor",
    "ChallengeKind",
    "ChallengePurpose",
    "ChallengeReason",
    "ChallengeStatus",
    "Cluster",
    "ClusterFollower",
    "ClusterNode",
    "ClusterShard",
    "CodeSent",
    "ConfirmedFactor",
    "ConversionPolicy",
    "CreatedApiKey",
    "CreatedTenant",
    "DeliveryStatus",
    "Factor",
    "FactorStatus",
    "FactorType",
    "GracePeriod",
    "GraceUnit",
    "GroupRule",
    "IssuerMetadata",
    "Jwk",
    "JwkSet",
    "LockoutPolicy",
    "MessageEnrollment",
    "MessageStatus",
    "Messages",
    "MfaNotRequired",
    "MfaRequired",
    "MfaStatus",
    "NodeStatus",
    "Outcome",
    "PendingEnrollment",
    "Policy",
    "PolicyPreview",
    "PortalPurpose",
    "PortalResult",
    "PortalSession",
    "PortalStatus",
    "RecoveryCodeUsed",
    "RecoveryCodesStatus",
    "Requirement",
    "ResidentKey",
    "ResultParameter",
    "RiskTrigger",
    "Scope",
    "SendsPolicy",
    "SentMessage",
    "Settings",
    "ShardTimeSet",
    "Statistics",
    "StatisticsCounts",
    "StatisticsSlot",
    "StatisticsWindow",
    "Tenant",
    "TokenFacts",
    "TokenType",
    "Tokens",
    "TotpEnrollment",
    "TransferredLeadership",
    "TriggersPolicy",
    "TrustedDevice",
    "TrustedDevicesPolicy",
    "User",
    "UserVerification",
    "Verification",
    "VerifiedAssertion",
    "WebAuthn",
    "WebAuthnPolicy",
    "Webhook",
    "WebhookDelivery",
    "WebhookEventData",
    "WebhookWithSecret",
]

Algorithm = Literal["SHA1", "SHA256", "SHA512"]
"""The hash; SHA1 if left out."""

Attachment = Literal["platform", "cross-platform"]
"""Whether the authenticator is part of the device or a thing of its own."""

Attestation = Literal["none", "indirect", "direct", "enterprise"]
"""Whether the authenticator tells its make."""

ChallengeKind = Literal["PROOF", "ENROLLMENT_REQUIRED"]
"""What answers a challenge: a proof of a factor, or the confirmation of a new enrollment."""

ChallengePurpose = Literal["LOGIN", "STEP_UP"]
"""Why the application asks."""

ChallengeReason = Literal[
    "POLICY_DISABLED",
    "NOT_ENROLLED",
    "USER_ENROLLED",
    "GRACE_PERIOD",
    "ENROLLMENT_REQUIRED",
    "POLICY_REQUIRED",
    "LOW_RISK",
    "RISK",
    "TRUSTED_DEVICE",
]
"""Why a second factor is, or is not, asked for."""

ChallengeStatus = Literal["PENDING", "VERIFIED", "FAILED", "EXPIRED"]
"""How a challenge stands."""

DeliveryStatus = Literal["PENDING", "DELIVERED", "DEAD"]
"""How a delivery stands."""

FactorStatus = Literal["ACTIVE"]
"""Whether a factor is enrolled. Only ACTIVE ones are ever listed or asked for."""

FactorType = Literal["TOTP", "SMS", "EMAIL", "WEBAUTHN"]
"""A kind of factor."""

GraceUnit = Literal["MINUTES", "HOURS", "DAYS"]
"""A unit of the grace period."""

MessageStatus = Literal["PENDING", "SENT", "FAILED"]
"""What became of a message."""

Outcome = Literal["SUCCESS", "FAILURE"]
"""How it went."""

PortalPurpose = Literal["ENROLL", "CHALLENGE", "MANAGE"]
"""What somebody is sent to the hosted pages for."""

PortalStatus = Literal["COMPLETED", "CANCELLED"]
"""Whether what somebody was sent to the hosted pages for was done."""

Requirement = Literal["DISABLED", "OPTIONAL", "REQUIRED", "RISK_BASED"]
"""When a second factor is asked for."""

ResidentKey = Literal["discouraged", "preferred", "required"]
"""Whether the credential can be found without its id, as passkeys are."""

ResultParameter = Literal["countersign_result", "code"]
"""Under which name the code is added; `countersign_result` if left out. `code` is also what
libraries for OAuth look for, and take for an authorization code.
"""

RiskTrigger = Literal["NEW_DEVICE", "NEW_LOCATION", "SUSPICIOUS_IP", "PASSWORD_CHANGED"]
"""A sign of risk."""

Scope = Literal["mfa", "policy", "admin", "audit", "keys", "cluster"]
"""What an API key may do."""

StatisticsWindow = Literal["1h", "24h"]
"""How far back is looked, and how finely."""

TokenType = Literal["JWT", "AT_JWT"]
"""What an access token's header says that it is."""

UserVerification = Literal["discouraged", "preferred", "required"]
"""Whether the authenticator must verify the person, by a PIN or biometrics."""


@dataclass(frozen=True, eq=False, repr=False)
class ApiKey(Model):
    """An API key, without the key itself."""

    __slots__ = (
        "id",
        "name",
        "created_at",
        "expires_at",
        "root",
        "scopes",
    )

    id: str
    """Its id."""
    name: str
    """Its name."""
    created_at: datetime
    """When it was made."""
    expires_at: Optional[datetime]
    """When it ends; None for never."""
    root: bool
    """Whether it is a root key, which may also make and remove tenants."""
    scopes: list[Union[Scope, str]]
    """What it may do."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("name", "name", plain),
        Member("created_at", "createdAt", time),
        Member("expires_at", "expiresAt", time),
        Member("root", "root", plain),
        Member("scopes", "scopes", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class AuditCheckpoint(Model):
    """The head of the tenant's chain in a shard, signed."""

    __slots__ = (
        "at",
        "hash",
        "sequence",
        "shard",
        "signature",
        "start_hash",
        "start_sequence",
    )

    at: datetime
    """The time of the last event; 1970 if there is none."""
    hash: str
    """The hash after it, hex; zeros if there is none."""
    sequence: int
    """The last event's place; 0 if there is none."""
    shard: int
    """In which shard."""
    signature: str
    """A compact JWS (RFC 7515) of type `audit-head+jws` over `{iss, clusterId, tenant, shards,
    shard,
    sequence, hash, at, startSequence, startHash, iat}`, by a key of `/.well-known/jwks.json`.
    `shards` is how many there are, `iat` the time of signing in seconds.
    """
    start_hash: str
    """The hash after the last of them, hex; zeros if none was."""
    start_sequence: int
    """Events up to this place were removed since they are no longer kept; 0 if none was."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("at", "at", time),
        Member("hash", "hash", plain),
        Member("sequence", "sequence", plain),
        Member("shard", "shard", plain),
        Member("signature", "signature", plain),
        Member("start_hash", "startHash", plain),
        Member("start_sequence", "startSequence", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class AuditProof(Model):
    """An event's place in the tenant's hash chain in its shard."""

    __slots__ = (
        "annex",
        "chained",
        "hash",
        "sequence",
        "shard",
    )

    annex: Optional[str]
    """The personal part's bytes, base64; None if the user was erased. The chained bytes hold its
    salted digest.
    """
    chained: str
    """The chained bytes, base64."""
    hash: str
    """The chain's hash after this event, hex: SHA-256 over the hash before it and `chained`."""
    sequence: int
    """The place in the tenant's chain there, from 1."""
    shard: int
    """In which shard."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("annex", "annex", plain),
        Member("chained", "chained", plain),
        Member("hash", "hash", plain),
        Member("sequence", "sequence", plain),
        Member("shard", "shard", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class AuditEvent(Model):
    """One thing that was decided."""

    __slots__ = (
        "id",
        "type",
        "actor",
        "at",
        "challenge_id",
        "details",
        "factor_id",
        "ip_address",
        "outcome",
        "proof",
        "pseudonym",
        "reason",
        "user_id",
    )

    id: str
    """Its id, unique within the tenant."""
    type: str
    """What, dotted."""
    actor: Optional[str]
    """The id of the API key that asked; None for the system itself."""
    at: datetime
    """When."""
    challenge_id: Optional[str]
    """The challenge concerned."""
    details: dict[str, str]
    """More, by stable names."""
    factor_id: Optional[str]
    """The factor concerned."""
    ip_address: Optional[str]
    """The person's address, where known."""
    outcome: Union[Outcome, str]
    """How it went."""
    proof: AuditProof
    """What it takes to verify the event offline."""
    pseudonym: Optional[str]
    """The stand-in that outlives the user."""
    reason: Optional[str]
    """Why, as a stable word."""
    user_id: Optional[str]
    """Whose; None if it is no user's or the user was erased."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("type", "type", plain),
        Member("actor", "actor", plain),
        Member("at", "at", time),
        Member("challenge_id", "challengeId", plain),
        Member("details", "details", plain),
        Member("factor_id", "factorId", plain),
        Member("ip_address", "ipAddress", plain),
        Member("outcome", "outcome", plain),
        Member("proof", "proof", of(AuditProof)),
        Member("pseudonym", "pseudonym", plain),
        Member("reason", "reason", plain),
        Member("user_id", "userId", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ChallengeFactor(Model):
    """A factor that can answer a challenge."""

    __slots__ = (
        "id",
        "type",
        "name",
        "masked_destination",
        "primary",
    )

    id: str
    """Its id."""
    type: Union[FactorType, str]
    """Its kind."""
    name: Optional[str]
    """The name that its user gave it."""
    masked_destination: Optional[str]
    """Where codes are sent, masked; None for factors that are not sent codes."""
    primary: bool
    """Whether it is offered first."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("type", "type", plain),
        Member("name", "name", plain),
        Member("masked_destination", "maskedDestination", plain),
        Member("primary", "primary", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class SentMessage(Model):
    """A message that was asked for."""

    __slots__ = (
        "channel",
        "factor_id",
        "reason",
        "requested_at",
        "status",
    )

    channel: Union[FactorType, str]
    """How it travels: as SMS or as EMAIL."""
    factor_id: str
    """To which factor, or to which one that waits for its confirmation."""
    reason: Optional[str]
    """Why it failed, as a stable word: the provider's own code as `provider_21610`, or one of ours
    such as `expired`; else None.
    """
    requested_at: datetime
    """When it was asked for."""
    status: Union[MessageStatus, str]
    """What became of it."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("channel", "channel", plain),
        Member("factor_id", "factorId", plain),
        Member("reason", "reason", plain),
        Member("requested_at", "requestedAt", time),
        Member("status", "status", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Challenge(Model):
    """A challenge."""

    __slots__ = (
        "id",
        "attempts_remaining",
        "expires_at",
        "factors",
        "kind",
        "last_message",
        "purpose",
        "recovery_codes_available",
        "status",
        "user_id",
    )

    id: str
    """Its id."""
    attempts_remaining: int
    """Wrong answers left."""
    expires_at: datetime
    """Until when it can be answered."""
    factors: list[ChallengeFactor]
    """What can answer it, the primary first."""
    kind: Union[ChallengeKind, str]
    """What answers it."""
    last_message: Optional[SentMessage]
    """What became of the message that was asked for last, since the challenge was made; None if
    none
    was.
    """
    purpose: Union[ChallengePurpose, str]
    """Why it was asked."""
    recovery_codes_available: bool
    """Whether a recovery code would do."""
    status: Union[ChallengeStatus, str]
    """How it stands."""
    user_id: str
    """Whose it is."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("attempts_remaining", "attemptsRemaining", plain),
        Member("expires_at", "expiresAt", time),
        Member("factors", "factors", each(ChallengeFactor)),
        Member("kind", "kind", plain),
        Member("last_message", "lastMessage", of(SentMessage)),
        Member("purpose", "purpose", plain),
        Member("recovery_codes_available", "recoveryCodesAvailable", plain),
        Member("status", "status", plain),
        Member("user_id", "userId", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Tokens(Model):
    """An access token: an ES256 JWT with `iss, aud, sub, iat, exp, jti, auth_time, acr, amr,
    tenant`,
    and `client_id` where the settings' `token_type` is AT_JWT.
    Its key is at `/.well-known/jwks.json`.
    """

    __slots__ = (
        "access_token",
        "expires_in",
        "token_type",
    )

    access_token: str
    """The token, for the application to verify."""
    expires_in: int
    """Seconds until it expires, counted from its making."""
    token_type: str
    """`Bearer`."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("access_token", "accessToken", plain, secret=True),
        Member("expires_in", "expiresIn", plain),
        Member("token_type", "tokenType", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ChallengeAnswer(Model):
    """Whether a login needs a second factor. Every field is always present."""

    __slots__ = (
        "challenge",
        "enrollment_required",
        "grace_period_ends_at",
        "mfa_required",
        "reason",
        "tokens",
        "triggers",
    )

    challenge: Optional[Challenge]
    """The challenge to answer; None if none is needed."""
    enrollment_required: bool
    """Whether the user should enroll."""
    grace_period_ends_at: Optional[datetime]
    """Until when the user may go without; None if no grace runs."""
    mfa_required: bool
    """Whether it does."""
    reason: Union[ChallengeReason, str]
    """Why."""
    tokens: Optional[Tokens]
    """A token of `acr` `aal1`, if no second factor is needed; else None."""
    triggers: list[Union[RiskTrigger, str]]
    """The signs of risk that fired."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("challenge", "challenge", of(Challenge)),
        Member("enrollment_required", "enrollmentRequired", plain),
        Member("grace_period_ends_at", "gracePeriodEndsAt", time),
        Member("mfa_required", "mfaRequired", plain),
        Member("reason", "reason", plain),
        Member("tokens", "tokens", of(Tokens)),
        Member("triggers", "triggers", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class MfaRequired(ChallengeAnswer):
    """The person has to answer a challenge."""

    __slots__ = ()

    mfa_required: Literal[True]
    challenge: Challenge
    """What is to be answered, by one of its factors or a recovery code."""
    tokens: None
    """An access token of the level `aal1`, if nothing is demanded."""


@dataclass(frozen=True, eq=False, repr=False)
class MfaNotRequired(ChallengeAnswer):
    """The password is enough this time; `reason` tells why."""

    __slots__ = ()

    mfa_required: Literal[False]
    challenge: None
    """What is to be answered, by one of its factors or a recovery code."""
    tokens: Tokens
    """An access token of the level `aal1`, if nothing is demanded."""


@dataclass(frozen=True, eq=False, repr=False)
class ClusterNode(Model):
    """A node."""

    __slots__ = (
        "id",
        "name",
        "api_address",
        "clock_offset_ms",
        "peer_address",
        "state",
    )

    id: int
    """Its number, never used again."""
    name: str
    """Its name."""
    api_address: str
    """Where its API listens."""
    clock_offset_ms: Optional[int]
    """How far its clock is ahead of the answering node's, in milliseconds; behind if negative,
    None
    if it did not answer lately.
    """
    peer_address: str
    """Where its peers reach it."""
    state: str
    """`UP`, or what else is known of it."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("name", "name", plain),
        Member("api_address", "apiAddress", plain),
        Member("clock_offset_ms", "clockOffsetMs", plain),
        Member("peer_address", "peerAddress", plain),
        Member("state", "state", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ClusterFollower(Model):
    """How far a node's log is behind its leader's."""

    __slots__ = (
        "behind",
        "node",
    )

    behind: int
    """How many committed entries its log lacks."""
    node: int
    """The node."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("behind", "behind", plain),
        Member("node", "node", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ClusterShard(Model):
    """A shard: one Raft group."""

    __slots__ = (
        "id",
        "committed",
        "followers",
        "last_applied",
        "leader",
        "learners",
        "term",
        "time_ahead_ms",
        "voters",
    )

    id: int
    """Which."""
    committed: int
    """The last log index that the answering node knows to be committed."""
    followers: list[ClusterFollower]
    """How many entries each other node's log lacks, as the leader knows: empty unless the
    answering node leads.
    """
    last_applied: int
    """The last log index that the answering node applied."""
    leader: Optional[int]
    """The leading node; None while there is none."""
    learners: list[int]
    """Nodes that only listen."""
    term: int
    """The term."""
    time_ahead_ms: int
    """How far the time of the shard is ahead of real time, in milliseconds. It never goes back, so
    it
    is ahead once it was given by a clock that was.
    """
    voters: list[int]
    """Voting nodes."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("committed", "committed", plain),
        Member("followers", "followers", each(ClusterFollower)),
        Member("last_applied", "lastApplied", plain),
        Member("leader", "leader", plain),
        Member("learners", "learners", plain),
        Member("term", "term", plain),
        Member("time_ahead_ms", "timeAheadMs", plain),
        Member("voters", "voters", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Cluster(Model):
    """The cluster, as the node that answers sees it."""

    __slots__ = (
        "cluster_id",
        "nodes",
        "shards",
        "version",
    )

    cluster_id: str
    """Its id."""
    nodes: list[ClusterNode]
    """The nodes."""
    shards: list[ClusterShard]
    """The shards."""
    version: str
    """The answering node's version."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("cluster_id", "clusterId", plain),
        Member("nodes", "nodes", each(ClusterNode)),
        Member("shards", "shards", each(ClusterShard)),
        Member("version", "version", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class CodeSent(Model):
    """A code on its way. The code itself is in no answer."""

    __slots__ = (
        "expires_at",
        "factor_id",
        "masked_destination",
        "resend_available_at",
    )

    expires_at: datetime
    """When the code dies."""
    factor_id: str
    """The factor, enrolled or waiting, that the code proves."""
    masked_destination: str
    """Where it is sent, masked."""
    resend_available_at: datetime
    """When the next one may be asked for."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("expires_at", "expiresAt", time),
        Member("factor_id", "factorId", plain),
        Member("masked_destination", "maskedDestination", plain),
        Member("resend_available_at", "resendAvailableAt", time),
    )


@dataclass(frozen=True, eq=False, repr=False)
class WebAuthn(Model):
    """What is known of a security key or passkey."""

    __slots__ = (
        "aaguid",
        "backed_up",
        "backup_eligible",
        "resident_key",
        "rp_id",
        "sign_count",
        "transports",
        "user_verified",
    )

    aaguid: str
    """The authenticator's model, as it says; all zeros if it does not."""
    backed_up: bool
    """Whether it was when it was last used."""
    backup_eligible: bool
    """Whether its key may be kept on several devices: a synced passkey."""
    resident_key: Optional[bool]
    """Whether it can be found without its id; None if the browser did not say."""
    rp_id: str
    """The relying party id that it was registered for. It can be used only while the settings'
    `rp_id` is the same.
    """
    sign_count: int
    """Its signature counter; 0 if it has none."""
    transports: list[str]
    """How it can be reached."""
    user_verified: bool
    """Whether the person was verified when it was registered."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("aaguid", "aaguid", plain),
        Member("backed_up", "backedUp", plain),
        Member("backup_eligible", "backupEligible", plain),
        Member("resident_key", "residentKey", plain),
        Member("rp_id", "rpId", plain),
        Member("sign_count", "signCount", plain),
        Member("transports", "transports", plain),
        Member("user_verified", "userVerified", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Factor(Model):
    """Something that a user enrolled."""

    __slots__ = (
        "id",
        "type",
        "name",
        "created_at",
        "last_used_at",
        "masked_destination",
        "primary",
        "status",
        "usable",
        "webauthn",
    )

    id: str
    """Its id."""
    type: Union[FactorType, str]
    """Its kind."""
    name: Optional[str]
    """The name that its user gave it."""
    created_at: datetime
    """When it was confirmed."""
    last_used_at: Optional[datetime]
    """Its last successful use."""
    masked_destination: Optional[str]
    """Where codes are sent, masked; None for factors that are not sent codes."""
    primary: bool
    """Whether it is offered first."""
    status: Union[FactorStatus, str]
    """Whether it is enrolled."""
    usable: bool
    """Whether it counts and is offered in logins: false for what the policy does not allow, and
    for
    keys that were registered for another `rp_id` than the settings have.
    """
    webauthn: Optional[WebAuthn]
    """What is known of a security key or passkey; None for other factors."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("type", "type", plain),
        Member("name", "name", plain),
        Member("created_at", "createdAt", time),
        Member("last_used_at", "lastUsedAt", time),
        Member("masked_destination", "maskedDestination", plain),
        Member("primary", "primary", plain),
        Member("status", "status", plain),
        Member("usable", "usable", plain),
        Member("webauthn", "webauthn", of(WebAuthn)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ConfirmedFactor(Factor):
    """A factor that was just confirmed, with a token if the confirmation answered a challenge."""

    __slots__ = ("tokens",)

    tokens: Optional[Tokens]
    """A token of `acr` `aal2`, if `challenge_id` named a challenge; else None."""
    _members: ClassVar[tuple[Member, ...]] = (
        *Factor._members,
        Member("tokens", "tokens", of(Tokens)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class CreatedApiKey(ApiKey):
    """A fresh API key. The key itself is shown once."""

    __slots__ = ("key",)

    key: str
    """The key."""
    _members: ClassVar[tuple[Member, ...]] = (
        *ApiKey._members,
        Member("key", "key", plain, secret=True),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Tenant(Model):
    """A tenant."""

    __slots__ = (
        "id",
        "name",
        "created_at",
    )

    id: str
    """Its id."""
    name: str
    """Its name."""
    created_at: datetime
    """When it was made."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("name", "name", plain),
        Member("created_at", "createdAt", time),
    )


@dataclass(frozen=True, eq=False, repr=False)
class CreatedTenant(Tenant):
    """A fresh tenant, with its first API key."""

    __slots__ = ("api_key",)

    api_key: CreatedApiKey
    """Its first API key, of all scopes."""
    _members: ClassVar[tuple[Member, ...]] = (
        *Tenant._members,
        Member("api_key", "apiKey", of(CreatedApiKey)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class IssuerMetadata(Model):
    """What is true of the issuer of access tokens. Of what OpenID Connect and OAuth ask for, the
    endpoints are missing: tokens come from the API alone.
    """

    __slots__ = (
        "acr_values_supported",
        "claims_supported",
        "grant_types_supported",
        "id_token_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "response_types_supported",
        "service_documentation",
        "subject_types_supported",
        "token_endpoint_auth_methods_supported",
    )

    acr_values_supported: list[str]
    """What `acr` may be."""
    claims_supported: list[str]
    """What tokens may say."""
    grant_types_supported: list[str]
    """None."""
    id_token_signing_alg_values_supported: list[str]
    """How tokens are signed: libraries read here what they accept."""
    issuer: str
    """The tokens' `iss`."""
    jwks_uri: str
    """Where the keys are that verify tokens."""
    request_parameter_supported: bool
    """`false`."""
    request_uri_parameter_supported: bool
    """`false`."""
    response_types_supported: list[str]
    """None: nobody is authorized here."""
    service_documentation: str
    """The API's pages."""
    subject_types_supported: list[str]
    """`public`: a user has one `sub` for all."""
    token_endpoint_auth_methods_supported: list[str]
    """None."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("acr_values_supported", "acr_values_supported", plain),
        Member("claims_supported", "claims_supported", plain),
        Member("grant_types_supported", "grant_types_supported", plain),
        Member(
            "id_token_signing_alg_values_supported", "id_token_signing_alg_values_supported", plain
        ),
        Member("issuer", "issuer", plain),
        Member("jwks_uri", "jwks_uri", plain),
        Member("request_parameter_supported", "request_parameter_supported", plain),
        Member("request_uri_parameter_supported", "request_uri_parameter_supported", plain),
        Member("response_types_supported", "response_types_supported", plain),
        Member("service_documentation", "service_documentation", plain),
        Member("subject_types_supported", "subject_types_supported", plain),
        Member(
            "token_endpoint_auth_methods_supported", "token_endpoint_auth_methods_supported", plain
        ),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Jwk(Model):
    """The public half of a signing key (RFC 7517 section 4, RFC 7518 section 6.2)."""

    __slots__ = (
        "alg",
        "crv",
        "kid",
        "kty",
        "use",
        "x",
        "y",
    )

    alg: str
    """`ES256`."""
    crv: str
    """`P-256`."""
    kid: str
    """The RFC 7638 thumbprint."""
    kty: str
    """`EC`."""
    use: str
    """`sig`."""
    x: str
    """The x coordinate, base64url."""
    y: str
    """The y coordinate, base64url."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("alg", "alg", plain),
        Member("crv", "crv", plain),
        Member("kid", "kid", plain),
        Member("kty", "kty", plain),
        Member("use", "use", plain),
        Member("x", "x", plain),
        Member("y", "y", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class JwkSet(Model):
    """The keys that verify access tokens (RFC 7517 section 5)."""

    __slots__ = ("keys",)

    keys: list[Jwk]
    """The newest first."""
    _members: ClassVar[tuple[Member, ...]] = (Member("keys", "keys", each(Jwk)),)


@dataclass(frozen=True, eq=False, repr=False)
class MessageEnrollment(Model):
    """A number or an address that waits for its confirmation."""

    __slots__ = (
        "expires_at",
        "factor_id",
        "masked_destination",
    )

    expires_at: datetime
    """When the enrollment ends unconfirmed."""
    factor_id: str
    """The id that the factor will have."""
    masked_destination: str
    """Where codes will be sent, masked."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("expires_at", "expiresAt", time),
        Member("factor_id", "factorId", plain),
        Member("masked_destination", "maskedDestination", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class PendingEnrollment(Model):
    """An enrollment that waits for its confirmation."""

    __slots__ = (
        "type",
        "expires_at",
        "factor_id",
        "last_message",
        "masked_destination",
    )

    type: Union[FactorType, str]
    """Its kind."""
    expires_at: datetime
    """When the enrollment ends unconfirmed."""
    factor_id: str
    """The id that the factor will have."""
    last_message: Optional[SentMessage]
    """What became of the message that was asked for last; None if none was."""
    masked_destination: Optional[str]
    """Where codes are sent, masked; None for an authenticator app."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("type", "type", plain),
        Member("expires_at", "expiresAt", time),
        Member("factor_id", "factorId", plain),
        Member("last_message", "lastMessage", of(SentMessage)),
        Member("masked_destination", "maskedDestination", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class MfaStatus(Model):
    """A user's whole situation."""

    __slots__ = (
        "enabled",
        "factor_count",
        "factors",
        "failed_attempts",
        "grace_period_ends_at",
        "locked_until",
        "pending_enrollments",
        "primary_factor_id",
        "recovery_codes_remaining",
        "requirement",
        "trusted_device_count",
        "unlock_required",
    )

    enabled: bool
    """Whether the user has an ACTIVE factor."""
    factor_count: int
    """How many."""
    factors: dict[str, int]
    """How many of each type; types without one are left out."""
    failed_attempts: int
    """Wrong codes since the last success."""
    grace_period_ends_at: Optional[datetime]
    """Until when the user may go without a factor; None if no grace runs."""
    locked_until: Optional[datetime]
    """Until when codes are refused; None if they are read, or if only an administrator unlocks."""
    pending_enrollments: list[PendingEnrollment]
    """Enrollments that wait for their confirmation."""
    primary_factor_id: Optional[str]
    """Which is offered first."""
    recovery_codes_remaining: int
    """Unused recovery codes."""
    requirement: Union[Requirement, str]
    """What the policy demands of this user."""
    trusted_device_count: int
    """Trusted devices."""
    unlock_required: bool
    """Whether codes are refused until an administrator unlocks."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("enabled", "enabled", plain),
        Member("factor_count", "factorCount", plain),
        Member("factors", "factors", plain),
        Member("failed_attempts", "failedAttempts", plain),
        Member("grace_period_ends_at", "gracePeriodEndsAt", time),
        Member("locked_until", "lockedUntil", time),
        Member("pending_enrollments", "pendingEnrollments", each(PendingEnrollment)),
        Member("primary_factor_id", "primaryFactorId", plain),
        Member("recovery_codes_remaining", "recoveryCodesRemaining", plain),
        Member("requirement", "requirement", plain),
        Member("trusted_device_count", "trustedDeviceCount", plain),
        Member("unlock_required", "unlockRequired", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class NodeStatus(Model):
    """That a node is well."""

    __slots__ = ("status",)

    status: str
    """`UP` for the process, `READY` for its service."""
    _members: ClassVar[tuple[Member, ...]] = (Member("status", "status", plain),)


@dataclass(frozen=True, eq=False, repr=False)
class GracePeriod(Model):
    """A length of time."""

    __slots__ = (
        "unit",
        "value",
    )

    unit: Union[GraceUnit, str]
    """The unit."""
    value: int
    """How many units; 0 for none, at most a year."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("unit", "unit", plain),
        Member("value", "value", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class GroupRule(Model):
    """A rule for the users of a group."""

    __slots__ = (
        "allowed_factors",
        "group",
        "requirement",
    )

    allowed_factors: Optional[list[Union[FactorType, str]]]
    """What counts; the tenant's own if left out or None."""
    group: str
    """The group's name, as the users carry it."""
    requirement: Union[Requirement, str]
    """What it demands."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("allowed_factors", "allowedFactors", plain),
        Member("group", "group", plain),
        Member("requirement", "requirement", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class LockoutPolicy(Model):
    """Slowing down guesses."""

    __slots__ = (
        "base_delay_seconds",
        "hard_limit",
        "max_attempts",
        "max_delay_seconds",
    )

    base_delay_seconds: int
    """The first delay in seconds."""
    hard_limit: int
    """Wrong codes in a row after which only an administrator unlocks."""
    max_attempts: int
    """Wrong codes in a row before the first delay."""
    max_delay_seconds: int
    """The longest delay in seconds."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("base_delay_seconds", "baseDelaySeconds", plain),
        Member("hard_limit", "hardLimit", plain),
        Member("max_attempts", "maxAttempts", plain),
        Member("max_delay_seconds", "maxDelaySeconds", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ConversionPolicy(Model):
    """Stops sending to a prefix where hardly any code is used."""

    __slots__ = (
        "enabled",
        "min_percent",
        "min_sends",
    )

    enabled: bool
    """Whether it does."""
    min_percent: int
    """The least part of them, in percent, that must have led to a verification."""
    min_sends: int
    """Messages of the last hour, those of the last ten minutes left out, before it judges."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("enabled", "enabled", plain),
        Member("min_percent", "minPercent", plain),
        Member("min_sends", "minSends", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class SendsPolicy(Model):
    """Limits on sent codes."""

    __slots__ = (
        "allowed_countries",
        "blocked_countries",
        "conversion",
        "cooldown_seconds",
        "per_day",
        "per_destination_per_day",
        "per_prefix_per_hour",
        "per_ten_minutes",
        "per_tenant_per_day",
    )

    allowed_countries: list[str]
    """Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all. A calling code
    (`+44`)
    stands for all countries that have it: `GB` alone leaves out `GG`, `IM` and `JE`.
    """
    blocked_countries: list[str]
    """Countries or calling codes that none go to, even if they are allowed."""
    conversion: ConversionPolicy
    """When sending to a prefix stops because hardly any code that is sent there is used."""
    cooldown_seconds: int
    """Seconds between two codes of one factor."""
    per_day: int
    """Codes of one user in a day."""
    per_destination_per_day: int
    """Codes to one number or address in a day, over all users."""
    per_prefix_per_hour: int
    """Text messages to one prefix (country and operator) in an hour."""
    per_ten_minutes: int
    """Codes of one user in ten minutes."""
    per_tenant_per_day: int
    """Messages of the tenant in a day, text messages and emails each."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("allowed_countries", "allowedCountries", plain),
        Member("blocked_countries", "blockedCountries", plain),
        Member("conversion", "conversion", of(ConversionPolicy)),
        Member("cooldown_seconds", "cooldownSeconds", plain),
        Member("per_day", "perDay", plain),
        Member("per_destination_per_day", "perDestinationPerDay", plain),
        Member("per_prefix_per_hour", "perPrefixPerHour", plain),
        Member("per_ten_minutes", "perTenMinutes", plain),
        Member("per_tenant_per_day", "perTenantPerDay", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class TriggersPolicy(Model):
    """Signs of risk."""

    __slots__ = (
        "after_password_change",
        "new_device",
        "new_location",
        "suspicious_ip",
    )

    after_password_change: bool
    """The password changed since the last verification."""
    new_device: bool
    """A browser not seen before."""
    new_location: bool
    """A country not seen before, or impossible travel."""
    suspicious_ip: bool
    """A listed network, or an address that keeps failing."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("after_password_change", "afterPasswordChange", plain),
        Member("new_device", "newDevice", plain),
        Member("new_location", "newLocation", plain),
        Member("suspicious_ip", "suspiciousIp", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class TrustedDevicesPolicy(Model):
    """Trusting browsers."""

    __slots__ = (
        "duration_days",
        "enabled",
    )

    duration_days: int
    """For how many days."""
    enabled: bool
    """Whether it is offered at all."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("duration_days", "durationDays", plain),
        Member("enabled", "enabled", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class WebAuthnPolicy(Model):
    """What is demanded of security keys and passkeys."""

    __slots__ = (
        "allowed_aaguids",
        "synced_passkeys",
        "user_verification",
    )

    allowed_aaguids: list[str]
    """The models that are good; empty for all. A model is what an authenticator says of itself."""
    synced_passkeys: bool
    """Whether passkeys may be kept on several devices."""
    user_verification: Union[UserVerification, str]
    """The least that every ceremony demands."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("allowed_aaguids", "allowedAaguids", plain),
        Member("synced_passkeys", "syncedPasskeys", plain),
        Member("user_verification", "userVerification", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Policy(Model):
    """A tenant's policy."""

    __slots__ = (
        "allowed_factors",
        "grace_period",
        "groups",
        "lockout",
        "recovery_codes_count",
        "requirement",
        "sends",
        "suspicious_ip_ranges",
        "triggers",
        "trusted_devices",
        "updated_at",
        "version",
        "webauthn",
    )

    allowed_factors: list[Union[FactorType, str]]
    """What counts as a second factor."""
    grace_period: GracePeriod
    """How long a user may go without a factor under REQUIRED."""
    groups: list[GroupRule]
    """Rules that replace the tenant's own for users of a group; the strictest that fits wins."""
    lockout: LockoutPolicy
    """How guessing is slowed down."""
    recovery_codes_count: int
    """How many recovery codes make a set."""
    requirement: Union[Requirement, str]
    """What is demanded of a user in no listed group."""
    sends: SendsPolicy
    """How often codes may be sent."""
    suspicious_ip_ranges: list[str]
    """Networks from which every login is suspicious."""
    triggers: TriggersPolicy
    """Which signs of risk fire under RISK_BASED."""
    trusted_devices: TrustedDevicesPolicy
    """Whether and for how long browsers may be trusted."""
    updated_at: datetime
    """The last change."""
    version: int
    """Counts the changes; send it with a PATCH to change only what you saw."""
    webauthn: WebAuthnPolicy
    """What is demanded of security keys and passkeys."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("allowed_factors", "allowedFactors", plain),
        Member("grace_period", "gracePeriod", of(GracePeriod)),
        Member("groups", "groups", each(GroupRule)),
        Member("lockout", "lockout", of(LockoutPolicy)),
        Member("recovery_codes_count", "recoveryCodesCount", plain),
        Member("requirement", "requirement", plain),
        Member("sends", "sends", of(SendsPolicy)),
        Member("suspicious_ip_ranges", "suspiciousIpRanges", plain),
        Member("triggers", "triggers", of(TriggersPolicy)),
        Member("trusted_devices", "trustedDevices", of(TrustedDevicesPolicy)),
        Member("updated_at", "updatedAt", time),
        Member("version", "version", plain),
        Member("webauthn", "webauthn", of(WebAuthnPolicy)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class BeforeAndAfter(Model):
    """How many users, as it is and as it would be."""

    __slots__ = (
        "after",
        "before",
    )

    after: int
    """As it would be."""
    before: int
    """As it is."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("after", "after", plain),
        Member("before", "before", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class PolicyPreview(Model):
    """What a change of the policy would mean for users who log in, were it made now. Trusted
    devices
    are not taken into account.
    """

    __slots__ = (
        "affected",
        "challenged",
        "challenged_at_risk",
        "complete",
        "in_grace",
        "must_enroll",
        "not_asked",
        "scanned",
        "users",
        "without_usable_factor",
    )

    affected: int
    """Users who would have something else to expect."""
    challenged: BeforeAndAfter
    """Users who are asked for a factor that they have, at every login."""
    challenged_at_risk: BeforeAndAfter
    """Users who are asked only if a sign of risk is seen."""
    complete: bool
    """Whether these are all. If not, they are a fair share, and time was up."""
    in_grace: BeforeAndAfter
    """Users who must enroll a factor before their grace period ends, and get in until then."""
    must_enroll: BeforeAndAfter
    """Users who must enroll a factor before they get in."""
    not_asked: BeforeAndAfter
    """Users who are not asked for anything."""
    scanned: int
    """How many were looked at; all else counts these."""
    users: Optional[int]
    """How many users there are: an estimate if not all were looked at, None if too few were."""
    without_usable_factor: BeforeAndAfter
    """Users who have no factor that counts, whatever is asked of them."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("affected", "affected", plain),
        Member("challenged", "challenged", of(BeforeAndAfter)),
        Member("challenged_at_risk", "challengedAtRisk", of(BeforeAndAfter)),
        Member("complete", "complete", plain),
        Member("in_grace", "inGrace", of(BeforeAndAfter)),
        Member("must_enroll", "mustEnroll", of(BeforeAndAfter)),
        Member("not_asked", "notAsked", of(BeforeAndAfter)),
        Member("scanned", "scanned", plain),
        Member("users", "users", plain),
        Member("without_usable_factor", "withoutUsableFactor", of(BeforeAndAfter)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class PortalResult(Model):
    """What came of a session. Every field is always present."""

    __slots__ = (
        "challenge_id",
        "device_token",
        "device_token_expires_at",
        "factor_id",
        "purpose",
        "status",
        "tokens",
        "user_id",
    )

    challenge_id: Optional[str]
    """The challenge that came with the link."""
    device_token: Optional[str]
    """What to send as `device_token` from this browser; None if it is not to be trusted."""
    device_token_expires_at: Optional[datetime]
    """Until when the browser is trusted."""
    factor_id: Optional[str]
    """The factor that answered the challenge, None for a recovery code; else the one that was
    enrolled last, if one was.
    """
    purpose: Union[PortalPurpose, str]
    """What the user was sent for."""
    status: Union[PortalStatus, str]
    """Whether what the user was sent for was done."""
    tokens: Optional[Tokens]
    """A token of `acr` `aal2`, if the challenge was answered; else None."""
    user_id: str
    """Whose session it was. Compare it with the user that you sent."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("challenge_id", "challengeId", plain),
        Member("device_token", "deviceToken", plain, secret=True),
        Member("device_token_expires_at", "deviceTokenExpiresAt", time),
        Member("factor_id", "factorId", plain),
        Member("purpose", "purpose", plain),
        Member("status", "status", plain),
        Member("tokens", "tokens", of(Tokens)),
        Member("user_id", "userId", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class PortalSession(Model):
    """A link to the hosted pages."""

    __slots__ = (
        "expires_at",
        "url",
    )

    expires_at: datetime
    """Until when it can be opened."""
    url: str
    """Where to send the user's browser. It opens one session, in one browser. Looking at it uses
    nothing up: it may be mailed.
    """
    _members: ClassVar[tuple[Member, ...]] = (
        Member("expires_at", "expiresAt", time),
        Member("url", "url", plain, secret=True),
    )


@dataclass(frozen=True, eq=False, repr=False)
class RecoveryCodeUsed(Model):
    """A recovery code was right, and is spent."""

    __slots__ = (
        "remaining",
        "verified",
    )

    remaining: int
    """How many are left."""
    verified: bool
    """Always true: a wrong code is a problem."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("remaining", "remaining", plain),
        Member("verified", "verified", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class RecoveryCodesStatus(Model):
    """How many recovery codes there are."""

    __slots__ = (
        "generated_at",
        "remaining",
        "total",
    )

    generated_at: Optional[datetime]
    """When the set was made; None if there is none."""
    remaining: int
    """Unused."""
    total: int
    """In the set."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("generated_at", "generatedAt", time),
        Member("remaining", "remaining", plain),
        Member("total", "total", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Alerts(Model):
    """When something is odd enough to be told; 0 switches an alert off."""

    __slots__ = (
        "address_users",
        "brute_force_attempts",
        "recovery_codes_per_day",
        "relays",
        "resets_per_hour",
        "send_floods",
    )

    address_users: int
    """Users for whom one address gave wrong codes within ten minutes."""
    brute_force_attempts: int
    """Wrong codes of one user in a row."""
    recovery_codes_per_day: int
    """Recovery codes of one user that were used within a day."""
    relays: bool
    """Whether spent codes that come again from elsewhere are told."""
    resets_per_hour: int
    """Users reset with one API key within an hour."""
    send_floods: bool
    """Whether limits on messages that are reached are told."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("address_users", "addressUsers", plain),
        Member("brute_force_attempts", "bruteForceAttempts", plain),
        Member("recovery_codes_per_day", "recoveryCodesPerDay", plain),
        Member("relays", "relays", plain),
        Member("resets_per_hour", "resetsPerHour", plain),
        Member("send_floods", "sendFloods", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Messages(Model):
    """Words of your own, with `{{code}}`, `{{issuer}}` and `{{minutes}}` for what is put in; None
    for
    the words that the service brings.
    """

    __slots__ = (
        "email_html",
        "email_subject",
        "email_text",
        "sms_text",
    )

    email_html: Optional[str]
    """An email as HTML; what is put in is escaped."""
    email_subject: Optional[str]
    """An email's subject."""
    email_text: Optional[str]
    """An email as plain text."""
    sms_text: Optional[str]
    """A text message."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("email_html", "emailHtml", plain),
        Member("email_subject", "emailSubject", plain),
        Member("email_text", "emailText", plain),
        Member("sms_text", "smsText", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Settings(Model):
    """A tenant's settings."""

    __slots__ = (
        "alerts",
        "issuer",
        "messages",
        "origins",
        "rp_id",
        "rp_name",
        "token_audience",
        "token_ttl_seconds",
        "token_type",
    )

    alerts: Alerts
    """When something is odd enough to be told."""
    issuer: str
    """The name that authenticator apps show."""
    messages: Messages
    """The words of messages."""
    origins: list[str]
    """Origins from which ceremonies are accepted."""
    rp_id: str
    """The WebAuthn relying party id: a domain name."""
    rp_name: str
    """The relying party's display name."""
    token_audience: str
    """The tokens' `aud`."""
    token_ttl_seconds: int
    """How long an access token lives, in seconds."""
    token_type: Union[TokenType, str]
    """What the tokens' header says they are."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("alerts", "alerts", of(Alerts)),
        Member("issuer", "issuer", plain),
        Member("messages", "messages", of(Messages)),
        Member("origins", "origins", plain),
        Member("rp_id", "rpId", plain),
        Member("rp_name", "rpName", plain),
        Member("token_audience", "tokenAudience", plain),
        Member("token_ttl_seconds", "tokenTtlSeconds", plain),
        Member("token_type", "tokenType", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ShardTimeSet(Model):
    """What became of a shard's time."""

    __slots__ = ("set_back_ms",)

    set_back_ms: int
    """By how many milliseconds it was set back; 0 if it was right."""
    _members: ClassVar[tuple[Member, ...]] = (Member("set_back_ms", "setBackMs", plain),)


@dataclass(frozen=True, eq=False, repr=False)
class StatisticsCounts(Model):
    """How often something happened."""

    __slots__ = (
        "alerts",
        "challenges",
        "delivery_failures",
        "failures",
        "lockouts",
        "logins",
        "sends",
        "verifications",
    )

    alerts: int
    """Alerts that were raised."""
    challenges: int
    """Those of them that were challenged."""
    delivery_failures: int
    """Messages with a code that could not be delivered."""
    failures: int
    """Proofs that were read and refused, be it in a challenge, an enrollment or elsewhere."""
    lockouts: int
    """Users who were locked."""
    logins: int
    """Logins and step-ups about which was asked."""
    sends: int
    """Messages with a code that left."""
    verifications: int
    """Proofs that were right."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("alerts", "alerts", plain),
        Member("challenges", "challenges", plain),
        Member("delivery_failures", "deliveryFailures", plain),
        Member("failures", "failures", plain),
        Member("lockouts", "lockouts", plain),
        Member("logins", "logins", plain),
        Member("sends", "sends", plain),
        Member("verifications", "verifications", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class StatisticsSlot(StatisticsCounts):
    """What happened within a slot."""

    __slots__ = ("at",)

    at: datetime
    """When it begins."""
    _members: ClassVar[tuple[Member, ...]] = (
        *StatisticsCounts._members,
        Member("at", "at", time),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Statistics(Model):
    """What happened to a tenant's users within a window that ends now."""

    __slots__ = (
        "counted_since",
        "slot_seconds",
        "slots",
        "total",
        "window",
    )

    counted_since: Optional[datetime]
    """From when on all of it was counted, if that is later than the window's beginning; None if
    nothing is missing.
    """
    slot_seconds: int
    """How long a slot is."""
    slots: list[StatisticsSlot]
    """The slots, the oldest first; the last one is not over."""
    total: StatisticsCounts
    """All slots together."""
    window: Union[StatisticsWindow, str]
    """The window."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("counted_since", "countedSince", time),
        Member("slot_seconds", "slotSeconds", plain),
        Member("slots", "slots", each(StatisticsSlot)),
        Member("total", "total", of(StatisticsCounts)),
        Member("window", "window", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class TokenFacts(Model):
    """What tokens of a tenant say. All tenants' tokens are signed by the same keys, so whoever
    believes
    a token compares all three.
    """

    __slots__ = (
        "audience",
        "issuer",
        "tenant_id",
        "ttl_seconds",
    )

    audience: str
    """Their `aud`."""
    issuer: str
    """Their `iss`."""
    tenant_id: str
    """Their `tenant`."""
    ttl_seconds: int
    """Seconds until one expires, counted from its making."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("audience", "audience", plain),
        Member("issuer", "issuer", plain),
        Member("tenant_id", "tenantId", plain),
        Member("ttl_seconds", "ttlSeconds", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class TotpEnrollment(Model):
    """What an authenticator app needs. Shown once."""

    __slots__ = (
        "expires_at",
        "factor_id",
        "qr_code_svg",
        "qr_code_uri",
        "secret",
    )

    expires_at: datetime
    """When the enrollment ends unconfirmed."""
    factor_id: str
    """The id that the factor will have."""
    qr_code_svg: str
    """The QR code as an SVG document, four pixels a module and with its margin: show it as large
    as
    it is.
    """
    qr_code_uri: str
    """The `otpauth://` address that the QR code holds."""
    secret: str
    """The shared secret in base32 without padding, for typing in."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("expires_at", "expiresAt", time),
        Member("factor_id", "factorId", plain),
        Member("qr_code_svg", "qrCodeSvg", plain, secret=True),
        Member("qr_code_uri", "qrCodeUri", plain, secret=True),
        Member("secret", "secret", plain, secret=True),
    )


@dataclass(frozen=True, eq=False, repr=False)
class TransferredLeadership(Model):
    """What became of the shards that a node led."""

    __slots__ = (
        "kept",
        "moved",
    )

    kept: int
    """How many the node leads still, since no other could take them over."""
    moved: int
    """How many shards another node leads now."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("kept", "kept", plain),
        Member("moved", "moved", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class TrustedDevice(Model):
    """A browser that a user asked to be remembered in."""

    __slots__ = (
        "id",
        "name",
        "created_at",
        "expires_at",
        "last_used_at",
        "user_agent",
    )

    id: str
    """Its id."""
    name: Optional[str]
    """The name that its user gave it."""
    created_at: datetime
    """When it was trusted."""
    expires_at: datetime
    """Until when it does."""
    last_used_at: Optional[datetime]
    """When it last stood in for a second factor."""
    user_agent: Optional[str]
    """The browser's `User-Agent` when it was trusted."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("name", "name", plain),
        Member("created_at", "createdAt", time),
        Member("expires_at", "expiresAt", time),
        Member("last_used_at", "lastUsedAt", time),
        Member("user_agent", "userAgent", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class User(Model):
    """A user."""

    __slots__ = (
        "id",
        "created_at",
        "display_name",
        "email",
        "email_verified",
        "groups",
        "phone_number",
        "updated_at",
    )

    id: str
    """Your own id."""
    created_at: datetime
    """When the user was first written."""
    display_name: Optional[str]
    """A name to show."""
    email: Optional[str]
    """An email address."""
    email_verified: bool
    """Whether you verified it."""
    groups: list[str]
    """Names of groups that policy rules may fit."""
    phone_number: Optional[str]
    """A telephone number, E.164."""
    updated_at: datetime
    """The last change."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("created_at", "createdAt", time),
        Member("display_name", "displayName", plain),
        Member("email", "email", plain),
        Member("email_verified", "emailVerified", plain),
        Member("groups", "groups", plain),
        Member("phone_number", "phoneNumber", plain),
        Member("updated_at", "updatedAt", time),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Verification(Model):
    """A challenge was answered rightly."""

    __slots__ = (
        "device_token",
        "device_token_expires_at",
        "factor_id",
        "tokens",
        "user_id",
        "verified",
    )

    device_token: Optional[str]
    """What to send as `device_token` from this browser; None if it was not to be trusted."""
    device_token_expires_at: Optional[datetime]
    """Until when the browser is trusted."""
    factor_id: Optional[str]
    """What proved it; None for a recovery code."""
    tokens: Tokens
    """A token of `acr` `aal2`."""
    user_id: str
    """Whose challenge it was."""
    verified: bool
    """Always true: a wrong answer is a problem."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("device_token", "deviceToken", plain, secret=True),
        Member("device_token_expires_at", "deviceTokenExpiresAt", time),
        Member("factor_id", "factorId", plain),
        Member("tokens", "tokens", of(Tokens)),
        Member("user_id", "userId", plain),
        Member("verified", "verified", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class VerifiedAssertion(Model):
    """A security key or passkey was shown."""

    __slots__ = (
        "factor_id",
        "tokens",
        "user_verified",
        "verified",
    )

    factor_id: str
    """Which factor."""
    tokens: Tokens
    """A token: of `acr` `aal2` if the person was verified, else `aal1`."""
    user_verified: bool
    """Whether the person was verified, by a PIN or biometrics."""
    verified: bool
    """Always true: a wrong answer is a problem."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("factor_id", "factorId", plain),
        Member("tokens", "tokens", of(Tokens)),
        Member("user_verified", "userVerified", plain),
        Member("verified", "verified", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Webhook(Model):
    """An endpoint that is told events."""

    __slots__ = (
        "id",
        "created_at",
        "description",
        "disabled_at",
        "disabled_reason",
        "enabled",
        "events",
        "secret_created_at",
        "url",
    )

    id: str
    """Its id."""
    created_at: datetime
    """When it was made."""
    description: Optional[str]
    """What it is for."""
    disabled_at: Optional[datetime]
    """Since when not."""
    disabled_reason: Optional[str]
    """Why not: `FAILING` if nothing could be delivered for a day, `REQUESTED` if somebody asked
    for it; None while they are.
    """
    enabled: bool
    """Whether events are delivered."""
    events: list[str]
    """Which events: types, or beginnings of types that end in `*`."""
    secret_created_at: Optional[datetime]
    """When the current secret was made."""
    url: str
    """Where events are posted."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("created_at", "createdAt", time),
        Member("description", "description", plain),
        Member("disabled_at", "disabledAt", time),
        Member("disabled_reason", "disabledReason", plain),
        Member("enabled", "enabled", plain),
        Member("events", "events", plain),
        Member("secret_created_at", "secretCreatedAt", time),
        Member("url", "url", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class WebhookDelivery(Model):
    """The delivery of one event."""

    __slots__ = (
        "id",
        "attempts",
        "event_id",
        "event_type",
        "last_attempt_at",
        "last_error",
        "last_status",
        "next_attempt_at",
        "since",
        "status",
    )

    id: str
    """Its id, and the `webhook-id` of every attempt."""
    attempts: int
    """Attempts so far."""
    event_id: str
    """The audit event that is delivered."""
    event_type: str
    """The event's type."""
    last_attempt_at: Optional[datetime]
    """The last attempt."""
    last_error: Optional[str]
    """Why the last attempt got no answer."""
    last_status: Optional[int]
    """The status that the endpoint answered last."""
    next_attempt_at: Optional[datetime]
    """The next attempt, not before; None once it has ended."""
    since: datetime
    """Since when it is tried."""
    status: Union[DeliveryStatus, str]
    """How it stands."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("attempts", "attempts", plain),
        Member("event_id", "eventId", plain),
        Member("event_type", "eventType", plain),
        Member("last_attempt_at", "lastAttemptAt", time),
        Member("last_error", "lastError", plain),
        Member("last_status", "lastStatus", plain),
        Member("next_attempt_at", "nextAttemptAt", time),
        Member("since", "since", time),
        Member("status", "status", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class WebhookEventData(Model):
    """An audit event as a webhook tells it: without its proof."""

    __slots__ = (
        "id",
        "type",
        "actor",
        "at",
        "challenge_id",
        "details",
        "factor_id",
        "ip_address",
        "outcome",
        "pseudonym",
        "reason",
        "user_id",
    )

    id: str
    """Its id, unique within the tenant."""
    type: str
    """What, dotted."""
    actor: Optional[str]
    """The id of the API key that asked; None for the system itself."""
    at: datetime
    """When."""
    challenge_id: Optional[str]
    """The challenge concerned."""
    details: dict[str, str]
    """More, by stable names."""
    factor_id: Optional[str]
    """The factor concerned."""
    ip_address: Optional[str]
    """The person's address, where known."""
    outcome: Union[Outcome, str]
    """How it went."""
    pseudonym: Optional[str]
    """The stand-in that outlives the user."""
    reason: Optional[str]
    """Why, as a stable word."""
    user_id: Optional[str]
    """Whose; None if it is no user's or the user was erased."""
    _members: ClassVar[tuple[Member, ...]] = (
        Member("id", "id", plain),
        Member("type", "type", plain),
        Member("actor", "actor", plain),
        Member("at", "at", time),
        Member("challenge_id", "challengeId", plain),
        Member("details", "details", plain),
        Member("factor_id", "factorId", plain),
        Member("ip_address", "ipAddress", plain),
        Member("outcome", "outcome", plain),
        Member("pseudonym", "pseudonym", plain),
        Member("reason", "reason", plain),
        Member("user_id", "userId", plain),
    )


@dataclass(frozen=True, eq=False, repr=False)
class WebhookWithSecret(Webhook):
    """A webhook with a secret that is shown once."""

    __slots__ = ("secret",)

    secret: str
    """What signs its events (Standard Webhooks): base64 behind `whsec_`."""
    _members: ClassVar[tuple[Member, ...]] = (
        *Webhook._members,
        Member("secret", "secret", plain, secret=True),
    )
