"""Cases that were broken on purpose, and what the check must say of each: a check that finds
nothing wrong tells nothing until it is known to find what is."""

from __future__ import annotations

import copy
from typing import Any, Callable, Iterator

Files = dict[str, Any]
Check = Callable[[Files], Iterator[tuple[str, list[str]]]]


def case(files: Files, name: str, fits: Callable[[Any], bool]) -> Any:
    """The first case of a file for which something holds."""
    return next(each for each in files[name]["cases"] if fits(each))


def call(files: Files, operation: str) -> Any:
    return case(files, "calls.json", lambda each: each["operation"] == operation)


def live_step(files: Files, fits: Callable[[Any], bool]) -> Any:
    """The first step of the live files for which something holds."""
    for file in files.values():
        for each in file["cases"] if file.get("live") else []:
            for step in each["steps"]:
                if fits(step):
                    return step
    raise LookupError("no live step is like this")


def set_at(*path: Any, value: Any) -> Callable[[Any], None]:
    """A change of one member."""

    def change(what: Any) -> None:
        for name in path[:-1]:
            what = what[name]
        what[path[-1]] = value

    return change


def without(files: Files, name: str, fits: Callable[[Any], bool]) -> None:
    files[name]["cases"] = [each for each in files[name]["cases"] if not fits(each)]


def enroll(change: Callable[[Any], None]) -> Callable[[Files], None]:
    return lambda files: change(call(files, "enrollTotp"))


def failing(change: Callable[[Any], None]) -> Callable[[Files], None]:
    return lambda files: change(case(files, "errors.json", lambda c: c["name"] == "invalid_code"))


def retried(change: Callable[[Any], None]) -> Callable[[Files], None]:
    return lambda files: change(case(files, "retries.json", lambda c: len(c["exchanges"]) > 1))


def step(needs: str, change: Callable[[Any], None]) -> Callable[[Files], None]:
    return lambda files: change(live_step(files, lambda s: needs in s))


def creating(change: Callable[[Any], None]) -> Callable[[Files], None]:
    fits = lambda s: s["call"] == "auth.mfa.createChallenge" and "expect" in s  # noqa: E731
    return lambda files: change(live_step(files, fits))


BREAKS: list[tuple[str, Callable[[Files], None], str]] = [
    # The file, and the case as such.
    ("a file that nobody knows", lambda f: f.update({"x.json": {"about": "", "cases": []}}),
     "nobody knows this file"),
    ("a key of a file", lambda f: f["calls.json"].update(extra=1), "nobody knows the key extra"),
    ("two cases of a name", lambda f: f["calls.json"]["cases"].append(
        copy.deepcopy(f["calls.json"]["cases"][0])), "two cases are called"),
    ("no case of an operation", lambda f: without(
        f, "calls.json", lambda c: c["operation"] == "enrollTotp"), "it does not"),
    ("no case of a problem", lambda f: without(
        f, "errors.json", lambda c: c["name"] == "conflict"), "it does not"),
    ("no case of a reason", lambda f: without(
        f, "tokens.json", lambda c: c.get("reason") == "audience"), "it does not"),
    ("a case of no shape", enroll(set_at("request", value=7)), "it cannot be read"),
    # Calls.
    ("a key of a case", enroll(set_at("extra", value=1)), "nobody knows the key extra"),
    ("a method that is none", enroll(set_at("call", value="auth.mfa.enroll")), "has no auth.mfa"),
    ("another operation's method", enroll(set_at("call", value="auth.mfa.verifyTotp")),
     "enrollTotp is auth.mfa.enrollTotp"),
    ("an operation that is none", enroll(set_at("operation", value="enrol")), "has no operation"),
    ("no expectation", lambda f: call(f, "enrollTotp").pop("result"), "either result or error"),
    ("another HTTP method", enroll(set_at("request", "method", value="PUT")), "is asked by POST"),
    ("another path", enroll(set_at("request", "path", value="/v1/users/ann/mfa/otp")),
     "does not fit /v1/users"),
    ("a path that is not escaped", enroll(set_at("request", "path", value="/v1/users/a/b/mfa/totp")),
     "does not fit /v1/users"),
    ("an id that cannot be", enroll(set_at("request", "path", value="/v1/users/a%2Fb/mfa/totp")),
     "does not match"),
    ("a query that nobody reads", enroll(set_at("request", "query", value={"limit": "1"})),
     "has no parameter limit"),
    ("a query of another type", lambda f: set_at("request", "query", value={"limit": "x"})(
        call(f, "listUsers")), "query parameter limit"),
    ("a misspelt member of a body", enroll(set_at("request", "body", value={"nam": "x"})),
     "nam is not known"),
    ("a member of another type", enroll(set_at("request", "body", value={"name": 7})), "is no "),
    ("a word that is none", enroll(set_at("request", "body", value={"algorithm": "MD5"})),
     "is none of SHA1"),
    ("a number too small", enroll(set_at("request", "body", value={"period": 1})), "is below 15"),
    ("no body", lambda f: set_at("request", "body", value=None)(call(f, "verifyTotp")),
     "demands a body"),
    ("a body that nobody reads", lambda f: set_at("request", "body", value={})(
        call(f, "getPolicy")), "takes no body"),
    ("no key of idempotency", enroll(set_at("request", "idempotent", value=False)), "takes a key"),
    ("a status that does not come", enroll(set_at("answer", "status", value=202)),
     "does not answer 202"),
    ("an answer that lacks something", lambda f: call(f, "enrollTotp")["answer"]["body"].pop(
        "secret"), "there is no secret"),
    ("a time that is none", enroll(set_at("answer", "body", "expiresAt", value="now")),
     "is no date-time"),
    ("a matcher that is none", enroll(set_at("result", value={"secret": {"$like": "x"}})),
     "there is no matcher $like"),
    # Errors.
    ("a problem that is none", failing(set_at("answer", "body", "code", value="bad_code")),
     "nobody knows the problem bad_code"),
    ("another status", failing(set_at("answer", "status", value=400)), "came with 400"),
    ("another class", failing(set_at("error", "type", value="InvalidRequestError")),
     "is a InvalidCodeError"),
    ("a class that is none", failing(set_at("error", "type", value="CodeError")),
     "there is no class CodeError"),
    ("a member that errors lack", failing(set_at("error", "request_id", value="r")),
     "errors have no request_id"),
    ("another problem's page", failing(set_at("answer", "body", "type", value="/problems/x")),
     "is no page of invalid_code"),
    ("an empty secret", failing(set_at("secrets", value=[""])), "is no secret"),
    # Retries, tokens, webhooks.
    ("an address that is not configured", retried(set_at("exchanges", 0, "to", value="http://x")),
     "does not know http://x"),
    ("an outcome that is none", retried(set_at("exchanges", 0, "outcome", value={"slow": True})),
     "it needs either refused"),
    ("an option that is none", retried(set_at("options", value={"retries": 1})),
     "nobody knows the key retries"),
    ("a token's reason", lambda f: set_at("reason", value="stale")(case(
        f, "tokens.json", lambda c: "reason" in c)), "nobody knows the reason stale"),
    ("a webhook's reason", lambda f: set_at("reason", value="stale")(case(
        f, "webhooks.json", lambda c: "reason" in c)), "nobody knows the reason stale"),
    ("claims and a reason", lambda f: set_at("reason", value="acr")(case(
        f, "tokens.json", lambda c: "claims" in c)), "either claims or reason"),
    # Live files.
    ("a live method that is none", step("expect", set_at("call", value="auth.mfa.status")),
     "the surface has no auth.mfa.status"),
    ("an id too few", step("expect", lambda s: s.update(
        call="auth.mfa.getStatus", arguments=[])), "takes 1 ids, and not 0"),
    ("something that was not saved", step("expect", lambda s: s.update(
        call="auth.mfa.getStatus", arguments=[{"$saved": "nothing.id"}])), "nothing was saved"),
    ("a part that no result has", lambda f: next(
        each for file in f.values() if file.get("live") for each in file["cases"]
        if each["steps"][0].get("save") == "enrollment")["steps"].append(
            {"call": "auth.mfa.getStatus", "arguments": [{"$saved": "enrollment.sekret"}],
             "expect": {}}), "a result has no sekret"),
    ("a placeholder that is none", step("expect", lambda s: s.update(
        call="auth.mfa.getStatus", arguments=[{"$new": "user"}])), "there is no $new"),
    ("a misspelt expectation", creating(set_at("expect", value={"mfaRequird": True})),
     "expect: there is no mfaRequird"),
    ("a reason that is none", creating(set_at("expect", value={"reason": "BECAUSE"})),
     "BECAUSE is none of"),
    ("a misspelt option", creating(lambda s: s.update(
        arguments=[{"$fresh": "x"}, {"purpos": "LOGIN"}])), "has no option purpos"),
    ("a misspelt option within", creating(lambda s: s.update(
        arguments=[{"$fresh": "x"}, {"context": {"ip": "1"}}])), "there is no ip"),
    ("an error that is not documented", lambda f: live_step(f, lambda s: "error" in s).update(
        call="auth.mfa.getStatus", arguments=["a"],
        error={"type": "ConflictError", "code": "conflict"}), "does not answer  conflict"),
    ("an error's other class", lambda f: live_step(f, lambda s: "error" in s).update(
        call="auth.mfa.getStatus", arguments=["a"],
        error={"type": "ConflictError", "code": "user_not_found"}), "is a NotFoundError"),
    ("a live case that expects nothing", lambda f: next(
        file for file in f.values() if file.get("live"))["cases"][0].update(
            steps=[{"call": "auth.mfa.getPolicy", "arguments": []}]), "it expects nothing"),
]  # fmt: skip


def verdicts(files: Files, check: Check) -> list[tuple[str, list[str]]]:
    """Every break, and what is wrong if nobody noticed it."""
    found = []
    for what, change, said in BREAKS:
        changed = copy.deepcopy(files)
        wrong: list[str] = []
        try:
            change(changed)
        except (LookupError, StopIteration) as cause:
            wrong.append(f"no case is left to break like this: {cause}")
        else:
            complaints = [each for _, wrongs in check(changed) for each in wrongs]
            if not any(said in each for each in complaints):
                wrong.append(f"it is not noticed; said was: {complaints[:3]}")
        found.append((f"the check notices {what}", wrong))
    return found
