"""What is demanded of users."""

from __future__ import annotations

from countersign import Countersign


def test_mfa_is_optional(client: Countersign) -> None:
    client.auth.mfa.update_policy(
        requirement="OPTIONAL",
        allowed_factors=["TOTP", "WEBAUTHN"],
        recovery_codes_count=10,
        grace_period={"value": 7, "unit": "DAYS"},
    )

    policy = client.auth.mfa.get_policy()
    assert policy.requirement == "OPTIONAL"
    assert policy.allowed_factors == ["TOTP", "WEBAUTHN"]
    assert (policy.grace_period.value, policy.grace_period.unit) == (7, "DAYS")
    client.auth.mfa.update_policy(allowed_factors=["TOTP", "SMS", "EMAIL", "WEBAUTHN"])


def test_mfa_depends_on_the_risk(client: Countersign) -> None:
    client.auth.mfa.update_policy(
        requirement="RISK_BASED",
        triggers={
            "new_device": True,
            "new_location": True,
            "suspicious_ip": True,
            "after_password_change": True,
        },
        trusted_devices={"enabled": True, "duration_days": 30},
    )

    policy = client.auth.mfa.get_policy()
    assert policy.requirement == "RISK_BASED"
    assert policy.triggers.after_password_change is True
    client.auth.mfa.update_policy(requirement="OPTIONAL")
