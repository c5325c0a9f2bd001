"""The calls of ./README.md by a client that openapi-python-client made."""

import os
import sys

from generated import AuthenticatedClient, models
from generated.api.factors import list_factors
from generated.api.login import create_challenge
from generated.api.policy import get_policy
from generated.api.totp import enroll_totp, verify_totp
from generated.api.users import put_user


def call(name: str, good: bool) -> None:
    print("ok" if good else "bad", name)
    if not good:
        sys.exit(1)


def at(variable: str) -> AuthenticatedClient:
    return AuthenticatedClient(os.environ[variable], token=os.environ["COUNTERSIGN_API_KEY"])


node = at("COUNTERSIGN_URL")
user_id = "generated-python-2"

user = put_user.sync(user_id, client=node, body=models.PutUser(email="ann@example.com"))
call("putUser", isinstance(user, models.User) and user.id == user_id)

wish = models.EnrollTotp(algorithm=models.EnrollTotpAlgorithm.SHA256)
enrollment = enroll_totp.sync(user_id, client=node, body=wish)
call("enrollTotp", isinstance(enrollment, models.TotpEnrollment) and len(enrollment.secret) >= 32)

refused = verify_totp.sync(user_id, client=node, body=models.VerifyTotp(code="12345"))
call("verifyTotp", isinstance(refused, models.Problem) and refused.status == 422)

purpose = models.CreateChallengeChallengePurpose.LOGIN
login = models.CreateChallenge(user_id=user_id, purpose=purpose)
decision = create_challenge.sync(client=node, body=login)
call("createChallenge", isinstance(decision, models.ChallengeAnswer) and decision.reason == "NOT_ENROLLED")

policy = get_policy.sync(client=node)
call("getPolicy", isinstance(policy, models.Policy) and policy.requirement != "")

factors = list_factors.sync(user_id, client=at("COUNTERSIGN_NEWER_URL"))
call("an answer of a newer service", isinstance(factors, models.FactorList) and factors.data[0].type_ == "PUSH")
