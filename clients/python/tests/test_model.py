"""What answers become: objects that tolerate what is new, and hide what is secret."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from support.stage import Face, Hands, answer

import countersign
from countersign import types
from countersign._model import Unreadable, time, time_json
from countersign.types import Factor, MfaRequired, TotpEnrollment, Verification

ENROLLMENT = {
    "factorId": "fac_1",
    "secret": "JBSWY3DPEHPK3PXP",
    "qrCodeUri": "otpauth://totp/Acme:ann?secret=JBSWY3DPEHPK3PXP",
    "qrCodeSvg": "<svg>JBSWY3DPEHPK3PXP</svg>",
    "expiresAt": "2026-01-31T12:00:00.000Z",
}
FACTOR: dict[str, Any] = {
    "id": "fac_1",
    "type": "TOTP",
    "name": None,
    "status": "ACTIVE",
    "primary": True,
    "maskedDestination": None,
    "webauthn": None,
    "createdAt": "2026-01-31T12:00:00.000Z",
    "lastUsedAt": None,
}


def test_members_have_pythons_names_and_times_are_in_utc() -> None:
    made = TotpEnrollment.from_json(ENROLLMENT)
    assert made.qr_code_uri.startswith("otpauth://")
    assert made.expires_at == datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    assert made.to_json() == ENROLLMENT


def test_secrets_are_not_seen_but_are_there() -> None:
    made = TotpEnrollment.from_json(ENROLLMENT)
    for shown in (repr(made), str(made), f"{made}", repr([made]), repr({"made": made})):
        assert "JBSWY" not in shown
        assert "secret=[redacted]" in shown
        assert "factor_id='fac_1'" in shown
    assert made.secret == "JBSWY3DPEHPK3PXP"
    assert "JBSWY" in json.dumps(made.to_json())


def test_secrets_within_what_is_printed_are_not_seen() -> None:
    tokens = {"accessToken": "eyJ.secret", "expiresIn": 900, "tokenType": "Bearer"}
    made = Verification.from_json({"tokens": tokens, "deviceToken": "dvt_1", "verified": True})
    assert "eyJ" not in repr(made)
    assert "dvt_" not in repr(made)
    assert "device_token=[redacted]" in repr(made)
    assert "device_token=None" in repr(Verification.from_json({"deviceToken": None}))


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        (types.Tokens, "accessToken"),
        (types.PortalResult, "deviceToken"),
        (types.PortalSession, "url"),
        (types.CreatedApiKey, "key"),
        (types.WebhookWithSecret, "secret"),
    ],
)
def test_every_secret_is_hidden(kind: Any, member: str) -> None:
    assert "hush" not in repr(kind.from_json({member: "hush"}))


def test_recovery_codes_are_a_list_that_does_not_show_them(face: Face) -> None:
    client = face.client(
        lambda _: answer({"status": 201, "body": {"codes": ["A-1", "B-2"]}}),
        Hands(),
        base_url="http://node",
    )
    codes = face.run(client.auth.mfa.generate_recovery_codes("ann"))
    assert codes == ["A-1", "B-2"]
    assert isinstance(codes, list)
    assert json.dumps(codes) == '["A-1", "B-2"]'
    for shown in (repr(codes), str(codes), f"{codes}", repr([codes])):
        assert "A-1" not in shown
    assert codes[0] == "A-1"


def test_what_is_new_is_kept_and_what_was_not_told_is_named() -> None:
    made = Factor.from_json({**FACTOR, "colour": "red"})
    assert made.to_json()["colour"] == "red"
    assert Factor.from_json({**FACTOR, "type": "VOICE"}).type == "VOICE"
    bare = Factor.from_json({"id": "fac_1"})
    assert bare.to_json() == {"id": "fac_1"}
    assert repr(bare) == "Factor(id='fac_1')"
    with pytest.raises(AttributeError, match="the service told no created_at of this Factor"):
        _ = bare.created_at
    with pytest.raises(AttributeError, match="Factor has no colour"):
        getattr(made, "colour")  # noqa: B009


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "Factor is no object"),
        (None, "Factor is no object"),
        ({"createdAt": "yesterday"}, r"Factor\.createdAt is no time"),
        ({"createdAt": 7}, r"Factor\.createdAt is no time"),
        ({"createdAt": "2026-13-31T12:00:00Z"}, r"Factor\.createdAt is no time"),
        ({"webauthn": "yes"}, r"Factor\.webauthn is no object"),
    ],
)
def test_what_cannot_be_read_is_named_without_its_value(value: Any, why: str) -> None:
    with pytest.raises(Unreadable, match=f"^{why}$"):
        Factor.from_json(value)


def test_a_list_with_something_else_in_it_is_named() -> None:
    with pytest.raises(Unreadable, match=r"^Challenge\.factors\[1\] is no object$"):
        types.Challenge.from_json({"factors": [{}, 1]})
    with pytest.raises(Unreadable, match=r"^Challenge\.factors is no list$"):
        types.Challenge.from_json({"factors": {}})


def test_an_answer_that_cannot_be_read_is_not_this_service(face: Face) -> None:
    body = {"data": [{"createdAt": "yesterday"}], "nextCursor": None}
    client = face.client(lambda _: answer({"body": body}), Hands(), base_url="http://node")
    why = r"listFactors: 200: .* data\[0\]\.createdAt is no time"
    with pytest.raises(countersign.ConnectionError, match=why):
        face.run(client.auth.mfa.list_factors("ann"))


def test_objects_cannot_be_changed() -> None:
    made = Factor.from_json(FACTOR)
    with pytest.raises(AttributeError):
        made.name = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        setattr(made, "colour", "x")  # noqa: B010


def test_objects_are_equal_when_they_say_the_same() -> None:
    one, same = Factor.from_json(FACTOR), Factor.from_json(dict(FACTOR))
    assert one == same
    assert hash(one) == hash(same)
    assert one != Factor.from_json({**FACTOR, "name": "x"})
    assert one != FACTOR
    assert one != types.ConfirmedFactor.from_json(FACTOR)


def test_objects_can_be_copied_and_sent_to_another_process() -> None:
    made = MfaRequired.from_json({"mfaRequired": True, "challenge": {"id": "chl_1"}, "new": 1})
    for each in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert each == made
        assert type(each) is MfaRequired
        assert each.challenge.id == "chl_1"


def test_objects_can_be_made_by_hand_for_tests_of_your_own() -> None:
    made = types.Tokens(access_token="eyJ", expires_in=900, token_type="Bearer")
    assert made.to_json() == {"accessToken": "eyJ", "expiresIn": 900, "tokenType": "Bearer"}
    assert made == types.Tokens.from_json(made.to_json())


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2026-01-31t12:00:00.5z", datetime(2026, 1, 31, 12, 0, 0, 500_000, timezone.utc)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123456, timezone.utc)),
        ("2026-01-31T13:30:00+01:30", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2026-01-31T10:30:00-01:30", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
    ],
)
def test_times_are_read_as_rfc_3339_has_them(text: str, at: datetime) -> None:
    assert time(text, "it") == at


def test_times_are_written_in_utc_and_need_a_time_zone() -> None:
    east = timezone(timedelta(hours=2))
    assert time_json(datetime(2026, 1, 31, 14, tzinfo=east)) == "2026-01-31T12:00:00.000Z"
    at = datetime(2026, 1, 31, 12, 0, 0, 123456, timezone.utc)
    assert time_json(at) == "2026-01-31T12:00:00.123456Z"
    with pytest.raises(ValueError, match="a time needs a time zone"):
        time_json(datetime(2026, 1, 31, 12))


def test_which_answer_to_a_login_it_is_is_told_by_its_class(face: Face) -> None:
    free = {"mfaRequired": False, "tokens": {"accessToken": "eyJ"}, "challenge": None}
    for body, kind in (
        (free, types.MfaNotRequired),
        ({"mfaRequired": True, "challenge": {"id": "chl_1"}}, types.MfaRequired),
        # Whoever says nothing lets nobody in.
        ({}, types.MfaRequired),
        ({"mfaRequired": "no"}, types.MfaRequired),
    ):

        def handle(_: httpx.Request, body: Any = body) -> httpx.Response:
            return answer({"body": body})

        client = face.client(handle, Hands(), base_url="http://node")
        assert type(face.run(client.auth.mfa.create_challenge("ann"))) is kind
