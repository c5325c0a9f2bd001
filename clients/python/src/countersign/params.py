"""Dictionaries that calls take, and those of the WebAuthn standard.

Made from the service's OpenAPI document by scripts/generate.py: not to be edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, TypedDict, Union

from .types import (
    Attachment,
    Attestation,
    FactorType,
    GraceUnit,
    Requirement,
    ResidentKey,
    UserVerification,
)

__all__ = [
    "AssertionResponse",
    "AttestationResponse",
    "AuthenticationResponse",
    "AuthenticatorSelection",
    "BrowserContext",
    "CreationExtensions",
    "CreationOptions",
    "CredentialDescriptor",
    "CredentialParameters",
    "CredentialProperties",
    "ExtensionResults",
    "GroupRuleInput",
    "Location",
    "LoginContext",
    "RegistrationResponse",
    "RelyingParty",
    "RequestOptions",
    "UpdateAlerts",
    "UpdateConversion",
    "UpdateGracePeriod",
    "UpdateLockout",
    "UpdateMessages",
    "UpdateSends",
    "UpdateTriggers",
    "UpdateTrustedDevices",
    "UpdateWebAuthnPolicy",
    "UserEntity",
]


class Location(TypedDict, total=False):
    """A place."""

    city: Optional[str]
    """A city's name; the first 100 characters count."""
    country: Optional[str]
    """ISO 3166-1 alpha-2. What is no country's code (`T1`, `XX`, `EU`, `ZZ`) is a place that is
    never known.
    """
    latitude: Optional[float]
    """Degrees, −90 to 90; goes with `longitude`."""
    longitude: Optional[float]
    """Degrees, −180 to 180; goes with `latitude`."""
    region: Optional[str]
    """A region's code or name; the first 100 characters count."""


class LoginContext(TypedDict, total=False):
    """What is known of a login. Nothing in it that cannot be used ends the login: it is read as
    what it
    means where that is plain, and else taken as not told.
    """

    device_id: Optional[str]
    """Your own id of the device."""
    device_token: Optional[str]
    """The `device_token` of an earlier verification."""
    ip_address: Optional[str]
    """The person's address. A port, brackets and a zone are left out; of a list the last counts."""
    location: Optional[Location]
    """Where the person is."""
    user_agent: Optional[str]
    """The browser's `User-Agent`; the first 256 characters count. Without `device_id` the device
    is
    known by the browser's family and platform, whatever their versions.
    """


class BrowserContext(TypedDict, total=False):
    """What is known of a browser."""

    ip_address: Optional[str]
    """The person's address."""
    user_agent: Optional[str]
    """The browser's `User-Agent`; the first 256 characters count."""


class _GroupRuleInput(TypedDict):
    group: str
    """The group's name, as the users carry it."""
    requirement: Requirement
    """What it demands."""


class GroupRuleInput(_GroupRuleInput, total=False):
    """A rule for the users of a group."""

    allowed_factors: Optional[Sequence[FactorType]]
    """What counts; the tenant's own if left out or None."""


class UpdateGracePeriod(TypedDict, total=False):
    """A change of the grace period."""

    unit: Optional[GraceUnit]
    """The unit."""
    value: Optional[int]
    """How many units; 0 for none, at most a year."""


class UpdateLockout(TypedDict, total=False):
    """A change of how guessing is slowed down."""

    base_delay_seconds: int
    """The first delay in seconds."""
    hard_limit: int
    """Wrong codes in a row after which only an administrator unlocks; at least `max_attempts`."""
    max_attempts: int
    """Wrong codes in a row before the first delay."""
    max_delay_seconds: int
    """The longest delay in seconds, at least the first."""


class UpdateConversion(TypedDict, total=False):
    """A change of when sending to a prefix stops."""

    enabled: Optional[bool]
    """Whether it does."""
    min_percent: Optional[int]
    """The least part, in percent, that must have been used."""
    min_sends: Optional[int]
    """Messages before it judges."""


class UpdateSends(TypedDict, total=False):
    """A change of the limits on sent codes."""

    allowed_countries: Sequence[str]
    """Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all. A calling code
    (`+44`)
    stands for all countries that have it: `GB` alone leaves out `GG`, `IM` and `JE`.
    """
    blocked_countries: Sequence[str]
    """Countries or calling codes that none go to."""
    conversion: UpdateConversion
    """When sending to a prefix stops."""
    cooldown_seconds: int
    """Seconds between two codes of one factor."""
    per_day: int
    """Codes of one user in a day."""
    per_destination_per_day: int
    """Codes to one number or address in a day, over all users."""
    per_prefix_per_hour: int
    """Text messages to one prefix in an hour."""
    per_ten_minutes: int
    """Codes of one user in ten minutes."""
    per_tenant_per_day: int
    """Messages of the tenant in a day, text messages and emails each."""


class UpdateTriggers(TypedDict, total=False):
    """A change of which signs of risk fire."""

    after_password_change: bool
    """The password changed since the last verification."""
    new_device: bool
    """A browser not seen before."""
    new_location: bool
    """A country not seen before, or impossible travel."""
    suspicious_ip: bool
    """A listed network, or an address that keeps failing."""


class UpdateTrustedDevices(TypedDict, total=False):
    """A change of how browsers are trusted."""

    duration_days: int
    """For how many days."""
    enabled: bool
    """Whether it is offered at all."""


class UpdateWebAuthnPolicy(TypedDict, total=False):
    """A change of what is demanded of security keys and passkeys."""

    allowed_aaguids: Optional[Sequence[str]]
    """The models that are good; empty for all."""
    synced_passkeys: Optional[bool]
    """Whether passkeys may be kept on several devices."""
    user_verification: Optional[UserVerification]
    """The least that every ceremony demands."""


class UpdateAlerts(TypedDict, total=False):
    """A change of thresholds."""

    address_users: Optional[int]
    """Users for whom one address gave wrong codes within ten minutes."""
    brute_force_attempts: Optional[int]
    """Wrong codes of one user in a row."""
    recovery_codes_per_day: Optional[int]
    """Recovery codes of one user that were used within a day."""
    relays: Optional[bool]
    """Whether spent codes that come again from elsewhere are told."""
    resets_per_hour: Optional[int]
    """Users reset with one API key within an hour."""
    send_floods: Optional[bool]
    """Whether limits on messages that are reached are told."""


class UpdateMessages(TypedDict, total=False):
    """A change of words: what is left out stays, None goes back to the service's."""

    email_html: Optional[str]
    """An email as HTML; must contain `{{code}}`."""
    email_subject: Optional[str]
    """An email's subject."""
    email_text: Optional[str]
    """An email as plain text; must contain `{{code}}`."""
    sms_text: Optional[str]
    """A text message; must contain `{{code}}`."""


class _AssertionResponse(TypedDict):
    authenticatorData: str
    """Base64url."""
    clientDataJSON: str
    """Base64url."""
    signature: str
    """Base64url."""


class AssertionResponse(_AssertionResponse, total=False):
    """The `response` of an authentication."""

    userHandle: Optional[str]
    """The user's handle, base64url; discoverable credentials have it."""


class AuthenticationResponse(TypedDict):
    """An `AuthenticationResponseJSON`."""

    id: str
    """The credential's id, base64url."""
    type: str
    """`public-key`."""
    rawId: str
    """The same."""
    response: AssertionResponse
    """What the authenticator answered."""


class _AuthenticatorSelection(TypedDict):
    requireResidentKey: bool
    """The same for browsers of Level 1."""
    residentKey: Union[ResidentKey, str]
    """Whether the credential can be found without its id."""
    userVerification: Union[UserVerification, str]
    """Whether the person must be verified."""


class AuthenticatorSelection(_AuthenticatorSelection, total=False):
    """What an authenticator must be like."""

    authenticatorAttachment: Union[Attachment, str]
    """Where it is; absent for any."""


class CreationExtensions(TypedDict):
    """What is asked besides."""

    credProps: bool
    """See section 10.1.3."""


class CredentialDescriptor(TypedDict):
    """A credential."""

    id: str
    """Its id, base64url."""
    type: str
    """Always `public-key`."""
    transports: list[str]
    """How it can be reached."""


class CredentialParameters(TypedDict):
    """A kind of key."""

    type: str
    """Always `public-key`."""
    alg: int
    """Its number in the COSE registry: -8 EdDSA, -7 ES256, -257 RS256."""


class RelyingParty(TypedDict):
    """A relying party."""

    id: str
    """A domain name."""
    name: str
    """A name to show."""


class UserEntity(TypedDict):
    """A user, as authenticators know one."""

    id: str
    """The user's handle, base64url: bytes that mean nothing elsewhere."""
    name: str
    """The account's name."""
    displayName: str
    """The person's name."""


class CreationOptions(TypedDict):
    """A `PublicKeyCredentialCreationOptionsJSON`."""

    attestation: Union[Attestation, str]
    """Whether the authenticator tells its make."""
    authenticatorSelection: AuthenticatorSelection
    """What the authenticator must be like."""
    challenge: str
    """What the authenticator signs; base64url."""
    excludeCredentials: list[CredentialDescriptor]
    """Credentials whose authenticators must not register again."""
    extensions: CreationExtensions
    """Asks for `cred_props`, which says whether the key can be found without its id."""
    hints: list[str]
    """What kinds of authenticator to offer first."""
    pubKeyCredParams: list[CredentialParameters]
    """Which keys are good, the best first."""
    rp: RelyingParty
    """Whom the credential is for."""
    timeout: int
    """How long the ceremony is open, in milliseconds."""
    user: UserEntity
    """Whose it will be."""


class RequestOptions(TypedDict):
    """A `PublicKeyCredentialRequestOptionsJSON`."""

    allowCredentials: list[CredentialDescriptor]
    """The user's credentials: no other is accepted."""
    challenge: str
    """What the authenticator signs; base64url."""
    hints: list[str]
    """What kinds of authenticator to offer first."""
    rpId: str
    """The relying party's id."""
    timeout: int
    """How long the ceremony is open, in milliseconds."""
    userVerification: Union[UserVerification, str]
    """Whether the person must be verified."""


class _AttestationResponse(TypedDict):
    attestationObject: str
    """Base64url."""
    clientDataJSON: str
    """Base64url."""


class AttestationResponse(_AttestationResponse, total=False):
    """The `response` of a registration."""

    transports: Optional[Sequence[str]]
    """How the authenticator can be reached."""


class CredentialProperties(TypedDict, total=False):
    """What a credential is like."""

    rk: Optional[bool]
    """Whether it can be found without its id."""


class ExtensionResults(TypedDict, total=False):
    """Results of extensions, as far as they are read."""

    credProps: Optional[CredentialProperties]
    """Section 10.1.3."""


class _RegistrationResponse(TypedDict):
    id: str
    """The credential's id, base64url."""
    type: str
    """`public-key`."""
    rawId: str
    """The same."""
    response: AttestationResponse
    """What the authenticator answered."""


class RegistrationResponse(_RegistrationResponse, total=False):
    """A `RegistrationResponseJSON`."""

    authenticatorAttachment: Optional[Attachment]
    """Where the authenticator is, if the browser says. What is unknown is taken for nothing (W3C
    WebAuthn Level 3 section 5.1).
    """
    clientExtensionResults: Optional[ExtensionResults]
    """Results of extensions."""
