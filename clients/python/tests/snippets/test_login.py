"""A login, once the password is right."""

from __future__ import annotations

import asyncio

from support.people import totp, wrong_code

from countersign import AsyncCountersign, Countersign


def test_a_login_asks_for_the_second_factor(client: Countersign, user_id: str) -> None:
    enrollment = client.auth.mfa.enroll_totp(user_id)
    client.auth.mfa.verify_totp(user_id, code=totp(enrollment.secret))

    result = client.auth.mfa.create_challenge(
        user_id,
        context={"ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"},
    )
    assert result.mfa_required
    assert result.challenge
    challenge = result.challenge
    factor_id = challenge.factors[0].id

    mistyped = client.auth.mfa.verify(
        challenge_id=challenge.id,
        factor_id=factor_id,
        code=wrong_code(enrollment.secret),
    )
    assert mistyped is None

    verified = client.auth.mfa.verify(
        challenge_id=challenge.id,
        factor_id=factor_id,
        code=totp(enrollment.secret, 1),
    )
    assert verified
    claims = client.auth.verify_token(verified.tokens.access_token, acr="aal2")
    assert claims.sub == user_id


def test_a_login_without_a_second_factor_asks_for_none(client: Countersign, user_id: str) -> None:
    client.auth.users.put(user_id)

    result = client.auth.mfa.create_challenge(user_id)
    assert not result.mfa_required
    assert result.reason == "NOT_ENROLLED"
    assert result.tokens
    claims = client.auth.verify_token(result.tokens.access_token)
    assert claims.acr == "aal1"


def test_a_login_in_an_asynchronous_application(user_id: str) -> None:
    async def sign_in() -> None:
        async with AsyncCountersign() as client:
            enrollment = await client.auth.mfa.enroll_totp(user_id)
            await client.auth.mfa.verify_totp(user_id, code=totp(enrollment.secret))

            result = await client.auth.mfa.create_challenge(user_id)
            assert result.challenge
            factor_id = result.challenge.factors[0].id

            mistyped = await client.auth.mfa.verify(
                challenge_id=result.challenge.id,
                factor_id=factor_id,
                code=wrong_code(enrollment.secret),
            )
            assert mistyped is None

            verified = await client.auth.mfa.verify(
                challenge_id=result.challenge.id,
                factor_id=factor_id,
                code=totp(enrollment.secret, 1),
            )
            assert verified
            claims = await client.auth.verify_token(verified.tokens.access_token, acr="aal2")
            assert claims.sub == user_id

            users = [user.id async for user in client.auth.users.list(query=user_id)]
            assert users == [user_id]

    asyncio.run(sign_in())
