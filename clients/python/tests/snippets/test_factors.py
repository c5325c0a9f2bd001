"""What a person enrolled."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from support.people import totp

from countersign import Countersign


def test_factors_are_listed_one_is_made_the_primary_one_one_is_removed(
    client: Countersign, user_id: str
) -> None:
    phone = client.auth.mfa.enroll_totp(user_id, name="Phone")
    client.auth.mfa.verify_totp(user_id, code=totp(phone.secret))
    unnamed = client.auth.mfa.enroll_totp(user_id)
    client.auth.mfa.verify_totp(user_id, code=totp(unnamed.secret))

    lines: list[str] = []
    factors = client.auth.mfa.list_factors(user_id)
    for factor in factors:
        lines.append(f"{factor.type}: {factor.name or 'Unnamed'}")
        assert factor.created_at < datetime.now(timezone.utc) + timedelta(minutes=1)
        assert factor.last_used_at is None or factor.last_used_at >= factor.created_at
    assert lines == ["TOTP: Phone", "TOTP: Unnamed"]

    first, second = factors
    client.auth.mfa.set_primary(user_id, second.id)
    client.auth.mfa.remove_factor(user_id, first.id)
    left = client.auth.mfa.list_factors(user_id)
    assert [(each.id, each.primary) for each in left] == [(second.id, True)]
