"""A passkey, from its registration to a login."""

from __future__ import annotations

import json

from support.authenticator import Authenticator

from countersign import Countersign

PAGE = "https://login.acme.example"


def test_a_person_registers_a_passkey_and_signs_in_with_it(
    client: Countersign, user_id: str
) -> None:
    client.settings.update(rp_id="acme.example", rp_name="Acme", origins=[PAGE])
    browser = Authenticator(PAGE)

    options = client.auth.mfa.get_webauthn_registration_options(user_id)
    credential = browser.create(json.loads(json.dumps(options)))
    factor = client.auth.mfa.verify_webauthn(user_id, credential=credential, name="Laptop")
    assert (factor.type, factor.name) == ("WEBAUTHN", "Laptop")

    shown = browser.get(client.auth.mfa.get_webauthn_auth_options(user_id))
    checked = client.auth.mfa.verify_webauthn_assertion(user_id, assertion=shown)
    assert checked.user_verified is True

    result = client.auth.mfa.create_challenge(user_id)
    assert result.challenge
    asked = client.auth.mfa.get_challenge_webauthn_options(result.challenge.id)
    sent = json.dumps(browser.get(asked))
    verified = client.auth.mfa.verify(challenge_id=result.challenge.id, assertion=sent)
    assert verified
    assert verified.factor_id == factor.id


def test_what_another_passkey_signed_is_wrong(client: Countersign, user_id: str) -> None:
    client.settings.update(rp_id="acme.example", rp_name="Acme", origins=[PAGE])
    own, thief = Authenticator(PAGE), Authenticator(PAGE)
    options = client.auth.mfa.get_webauthn_registration_options(user_id)
    credential = own.create(options)
    client.auth.mfa.verify_webauthn(user_id, credential=credential)
    thief.rename(thief.create(options)["id"], credential["id"])

    result = client.auth.mfa.create_challenge(user_id)
    assert result.challenge
    asked = client.auth.mfa.get_challenge_webauthn_options(result.challenge.id)
    forged = thief.get(asked)
    assert client.auth.mfa.verify(challenge_id=result.challenge.id, assertion=forged) is None
