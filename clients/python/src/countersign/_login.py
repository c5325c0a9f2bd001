"""What a login asks, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union, cast

from ._call import OMIT, Omit, body
from .params import LoginContext
from .types import ChallengePurpose, MfaNotRequired, MfaRequired

ChallengeResult = Union[MfaRequired, MfaNotRequired]
"""Whether a login needs a second factor: `mfa_required` tells which of the two it is."""


def login_body(
    user_id: str, purpose: ChallengePurpose | Omit, context: LoginContext | None | Omit
) -> dict[str, Any]:
    """The body of a login, which is a `LOGIN` unless told otherwise."""
    told: ChallengePurpose = "LOGIN" if purpose is OMIT or isinstance(purpose, Omit) else purpose
    return body("CreateChallenge", user_id=user_id, purpose=told, context=context)


def challenge_result(value: Any) -> ChallengeResult:
    """Reads the answer to a login. One that does not say is one that demands."""
    members = cast("Mapping[str, Any]", value)
    if members.get("mfaRequired") is False:
        return MfaNotRequired.from_json(value, "ChallengeAnswer")
    return MfaRequired.from_json(value, "ChallengeAnswer")
