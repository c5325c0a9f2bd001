"""Codes by SMS and email."""

from __future__ import annotations

import pytest
from support.people import Inbox

from countersign import Countersign


@pytest.mark.parametrize("stand", ["dev"], indirect=True)
def test_a_person_enrolls_a_phone_and_signs_in_with_a_code_that_is_sent(
    client: Countersign, user_id: str, inbox: Inbox
) -> None:
    phone_number = "+14155550142"
    client.auth.mfa.enroll_sms(user_id, phone_number=phone_number)
    client.auth.mfa.send_sms_code(user_id)
    phone = client.auth.mfa.verify_sms(user_id, code=inbox.code(phone_number))
    assert phone.type == "SMS"

    email = f"{user_id}@example.com"
    client.auth.users.put(user_id, email=email, email_verified=True)
    client.auth.mfa.enroll_email(user_id)
    client.auth.mfa.send_email_code(user_id)
    address = client.auth.mfa.verify_email(user_id, code=inbox.code(email))
    assert address.type == "EMAIL"

    result = client.auth.mfa.create_challenge(user_id)
    assert result.challenge
    client.auth.mfa.send_challenge_code(result.challenge.id, factor_id=address.id)
    verified = client.auth.mfa.verify(
        challenge_id=result.challenge.id,
        factor_id=address.id,
        code=inbox.code(email),
    )
    assert verified
