"""An authenticator app, from the QR code to the first code."""

from __future__ import annotations

import pytest
import segno
from support.people import totp, wrong_code

from countersign import Countersign, InvalidCodeError


def test_a_person_enrolls_an_authenticator_app(client: Countersign, user_id: str) -> None:
    enrollment = client.auth.mfa.enroll_totp(user_id)
    qr_code = segno.make(enrollment.qr_code_uri).png_data_uri()
    assert qr_code.startswith("data:image/png;base64,")
    assert len(enrollment.secret) >= 32

    with pytest.raises(InvalidCodeError):
        client.auth.mfa.verify_totp(user_id, code=wrong_code(enrollment.secret))

    factor = client.auth.mfa.verify_totp(user_id, code=totp(enrollment.secret))
    assert factor.type == "TOTP"

    recovery_codes = client.auth.mfa.generate_recovery_codes(user_id)
    assert len(recovery_codes) == 10
    status = client.auth.mfa.get_status(user_id)
    assert status.enabled is True
    assert status.factor_count == 1
    assert status.recovery_codes_remaining == 10
