"""A browser that is remembered."""

from __future__ import annotations

from http.cookies import SimpleCookie

from support.people import totp

from countersign import Countersign


def test_a_browser_that_is_remembered_is_not_asked_again(client: Countersign, user_id: str) -> None:
    enrollment = client.auth.mfa.enroll_totp(user_id)
    client.auth.mfa.verify_totp(user_id, code=totp(enrollment.secret))
    result = client.auth.mfa.create_challenge(user_id)
    assert result.challenge

    verified = client.auth.mfa.verify(
        challenge_id=result.challenge.id,
        factor_id=result.challenge.factors[0].id,
        code=totp(enrollment.secret, 1),
        remember_device=True,
    )
    assert verified
    assert verified.device_token
    cookie = SimpleCookie({"mfa_device": verified.device_token})
    cookie["mfa_device"]["max-age"] = 30 * 24 * 60 * 60
    cookie["mfa_device"]["httponly"] = cookie["mfa_device"]["secure"] = True
    assert cookie.output().startswith("Set-Cookie: mfa_device=dvt_")

    again = client.auth.mfa.create_challenge(
        user_id, context={"device_token": cookie["mfa_device"].value}
    )
    assert not again.mfa_required
    assert again.reason == "TRUSTED_DEVICE"
    assert len(client.auth.mfa.list_devices(user_id)) == 1

    client.auth.mfa.revoke_devices(user_id)
    assert client.auth.mfa.list_devices(user_id) == []
