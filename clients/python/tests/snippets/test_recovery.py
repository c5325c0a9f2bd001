"""When the phone is gone."""

from __future__ import annotations

from support.people import totp

from countersign import Countersign


def test_recovery_codes_stand_in_and_an_administrator_helps(
    client: Countersign, user_id: str
) -> None:
    enrollment = client.auth.mfa.enroll_totp(user_id)
    client.auth.mfa.verify_totp(user_id, code=totp(enrollment.secret))

    codes = client.auth.mfa.generate_recovery_codes(user_id)
    used = client.auth.mfa.use_recovery_code(user_id, code=codes[0])
    assert used.remaining == len(codes) - 1

    result = client.auth.mfa.create_challenge(user_id)
    assert result.challenge
    verified = client.auth.mfa.verify(challenge_id=result.challenge.id, recovery_code=codes[1])
    assert verified

    fresh = client.auth.mfa.regenerate_recovery_codes(user_id)
    assert len({*codes, *fresh}) == len(codes) + len(fresh)

    client.auth.mfa.reset_factors(user_id, reason="lost everything")
    status = client.auth.mfa.get_status(user_id)
    assert (status.enabled, status.recovery_codes_remaining) == (False, 0)
