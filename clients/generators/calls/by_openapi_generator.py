"""The calls of ./README.md by a client that openapi-generator made for Python."""

import os
import sys

import openapi_client as client


def call(name: str, good: bool) -> None:
    print("ok" if good else "bad", name)
    if not good:
        sys.exit(1)


def at(variable: str) -> client.ApiClient:
    configuration = client.Configuration(host=os.environ[variable])
    configuration.access_token = os.environ["COUNTERSIGN_API_KEY"]
    return client.ApiClient(configuration)


node = at("COUNTERSIGN_URL")
user_id = "generated-python"

user = client.UsersApi(node).put_user(user_id, put_user=client.PutUser(email="ann@example.com"))
call("putUser", user.id == user_id)

wish = client.EnrollTotp(algorithm="SHA256")
enrollment = client.TOTPApi(node).enroll_totp(user_id, enroll_totp=wish)
call("enrollTotp", len(enrollment.secret) >= 32)

try:
    client.TOTPApi(node).verify_totp(user_id, client.VerifyTotp(code="12345"))
    call("verifyTotp", False)
except client.ApiException as refused:
    call("verifyTotp", refused.status == 422 and refused.data.code != "")

login = client.CreateChallenge(userId=user_id, purpose="LOGIN")
decision = client.LoginApi(node).create_challenge(login)
call("createChallenge", decision.reason == "NOT_ENROLLED")

policy = client.PolicyApi(node).get_policy()
call("getPolicy", policy.requirement != "")

factors = client.FactorsApi(at("COUNTERSIGN_NEWER_URL")).list_factors(user_id)
call("an answer of a newer service", factors.data[0].type == "PUSH")
