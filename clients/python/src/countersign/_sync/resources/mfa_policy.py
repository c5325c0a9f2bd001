# Made from _async/resources/mfa_policy.py by scripts/generate.py: not to be edited.
"""What is demanded of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from ... import types
from ..._call import OMIT, Call, Omit, body
from ...params import (
    GroupRuleInput,
    UpdateGracePeriod,
    UpdateLockout,
    UpdateSends,
    UpdateTriggers,
    UpdateTrustedDevices,
    UpdateWebAuthnPolicy,
)
from ...types import (
    FactorType,
    Policy,
    PolicyPreview,
    Requirement,
)
from ..transport import Transport


class MfaPolicy:
    """What is demanded of users."""

    _transport: Transport

    def get_policy(self, *, timeout: float | None = None) -> Policy:
        """What your tenant demands of its users. Needs the scope `policy`."""
        call = Call("getPolicy", "GET", "/v1/mfa/policy", Policy.from_json)
        return self._transport.send(call, timeout=timeout)

    def update_policy(
        self,
        *,
        requirement: Requirement | Omit = OMIT,
        allowed_factors: Sequence[FactorType] | Omit = OMIT,
        recovery_codes_count: int | Omit = OMIT,
        grace_period: UpdateGracePeriod | Omit = OMIT,
        triggers: UpdateTriggers | Omit = OMIT,
        trusted_devices: UpdateTrustedDevices | Omit = OMIT,
        groups: Sequence[Union[GroupRuleInput, types.GroupRule]] | Omit = OMIT,
        suspicious_ip_ranges: Sequence[str] | Omit = OMIT,
        lockout: UpdateLockout | Omit = OMIT,
        sends: UpdateSends | Omit = OMIT,
        webauthn: UpdateWebAuthnPolicy | Omit = OMIT,
        version: int | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Policy:
        """Changes the policy; what is left out stays. Needs the scope `policy`.

        Args:
            requirement: `DISABLED`, `OPTIONAL`, `REQUIRED` or `RISK_BASED`.
            allowed_factors: What users may enroll and use.
            recovery_codes_count: How many recovery codes are made at a time.
            grace_period: For how long whoever has to enroll may put it off.
            triggers: What makes a login risky.
            trusted_devices: Whether browsers may be remembered, and for how long.
            groups: Rules for groups of users, all of them.
            suspicious_ip_ranges: Addresses from which a login is risky.
            lockout: How many wrong codes are too many, and what follows.
            sends: How many messages may be sent, and where to.
            webauthn: Which security keys and passkeys may be used, and how.
            version: The policy's version that is to be changed; a conflict if it is another.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Example:
            client.auth.mfa.update_policy(
                requirement="REQUIRED", grace_period={"value": 7, "unit": "DAYS"}
            )

        """
        content = body(
            "UpdatePolicy",
            requirement=requirement,
            allowed_factors=allowed_factors,
            recovery_codes_count=recovery_codes_count,
            grace_period=grace_period,
            triggers=triggers,
            trusted_devices=trusted_devices,
            groups=groups,
            suspicious_ip_ranges=suspicious_ip_ranges,
            lockout=lockout,
            sends=sends,
            webauthn=webauthn,
            version=version,
        )
        call = Call("updatePolicy", "PATCH", "/v1/mfa/policy", Policy.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def preview_policy(
        self,
        *,
        requirement: Requirement | Omit = OMIT,
        allowed_factors: Sequence[FactorType] | Omit = OMIT,
        recovery_codes_count: int | Omit = OMIT,
        grace_period: UpdateGracePeriod | Omit = OMIT,
        triggers: UpdateTriggers | Omit = OMIT,
        trusted_devices: UpdateTrustedDevices | Omit = OMIT,
        groups: Sequence[Union[GroupRuleInput, types.GroupRule]] | Omit = OMIT,
        suspicious_ip_ranges: Sequence[str] | Omit = OMIT,
        lockout: UpdateLockout | Omit = OMIT,
        sends: UpdateSends | Omit = OMIT,
        webauthn: UpdateWebAuthnPolicy | Omit = OMIT,
        version: int | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> PolicyPreview:
        """Whom a change of the policy would affect; changes nothing. Needs the scope `admin`.

        It takes what `update_policy` takes.
        """
        content = body(
            "UpdatePolicy",
            requirement=requirement,
            allowed_factors=allowed_factors,
            recovery_codes_count=recovery_codes_count,
            grace_period=grace_period,
            triggers=triggers,
            trusted_devices=trusted_devices,
            groups=groups,
            suspicious_ip_ranges=suspicious_ip_ranges,
            lockout=lockout,
            sends=sends,
            webauthn=webauthn,
            version=version,
        )
        at = "/v1/mfa/policy/preview"
        call = Call("previewPolicy", "POST", at, PolicyPreview.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)
