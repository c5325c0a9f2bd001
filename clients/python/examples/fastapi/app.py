"""An application with passwords, and Countersign as its second factor."""

import hashlib
import hmac
import logging
import os
import secrets
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import Cookie, FastAPI, Form, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.sessions import SessionMiddleware

import countersign

# Where the service is, and the key, stand in COUNTERSIGN_URL and COUNTERSIGN_API_KEY.
mfa = countersign.AsyncCountersign().auth.mfa

# Your users, as your database has them. The service knows them by an id that never changes.
digest = partial(hashlib.scrypt, salt=os.urandom(16), n=16384, r=8, p=1)
ANN = {"id": "user_ann", "email": "ann@example.com"}
DIGEST = digest(b"correct horse battery staple")

HERE = Path(__file__).parent
SECRET = os.environ.get("SESSION_SECRET") or secrets.token_hex(32)
app = FastAPI(openapi_url=None)
app.add_middleware(SessionMiddleware, secret_key=SECRET, same_site="lax", https_only=True)
app.mount("/static", StaticFiles(directory=HERE / "static"))
templates = Jinja2Templates(HERE / "templates")
page = templates.TemplateResponse
go = partial(RedirectResponse, status_code=303)
Field = Annotated[str, Form()]


def enter(request: Request, user: "dict[str, str]") -> None:
    """Signs somebody in. The session lies in a signed cookie; what it held before goes."""
    request.session.clear()
    request.session["user"] = user


def wrong(request: Request, name: str, status: int, problem: str) -> Response:
    return page(request, name, {"problem": problem}, status)


@app.api_route("/sign-in", methods=["GET", "POST"])
async def sign_in(
    request: Request,
    email: Field = "",
    password: Field = "",
    mfa_device: Annotated[str, Cookie()] = "",
) -> Response:
    if request.method == "GET":
        return page(request, "sign-in.html")
    # Takes as long for an address that nobody has.
    if not hmac.compare_digest(digest(password.encode()), DIGEST) or email != ANN["email"]:
        return wrong(request, "sign-in.html", 401, "Wrong email or password.")
    context = {
        "ip_address": request.client.host if request.client else None,
        "user_agent": request.headers.get("user-agent"),
        "device_token": mfa_device or None,
    }
    result = await mfa.create_challenge(ANN["id"], context=context)
    if not result.mfa_required:
        enter(request, ANN)
        return go("/")
    challenge = result.challenge
    enroll = challenge.kind == "ENROLLMENT_REQUIRED"
    factor = next((factor.id for factor in challenge.factors if factor.type == "TOTP"), None)
    pending = {"user": ANN, "challenge": challenge.id, "factor": factor, "enroll": enroll}
    request.session["pending"] = pending
    return go("/authenticator-app" if enroll else "/second-factor")


@app.api_route("/second-factor", methods=["GET", "POST"])
async def second_factor(
    request: Request, code: Field = "", recovery_code: Field = "", remember: Field = ""
) -> Response:
    pending = request.session.get("pending")
    if pending is None:
        return go("/sign-in")
    if request.method == "GET":
        return page(request, "second-factor.html")
    proof = {"factor_id": pending["factor"], "code": code[:64] or "-"}  # nothing is wrong, too
    if recovery_code:
        proof = {"recovery_code": recovery_code[:64]}
    answer = {"challenge_id": pending["challenge"], "remember_device": remember == "on", **proof}
    verified = await mfa.verify(**answer)
    if not verified:
        return wrong(request, "second-factor.html", 422, "That code is not right.")
    enter(request, pending["user"])
    response = go("/")
    if verified.device_token:
        month = 30 * 24 * 60 * 60
        response.set_cookie("mfa_device", verified.device_token, month, httponly=True, secure=True)
    return response


@app.api_route("/authenticator-app", methods=["GET", "POST"])
async def authenticator_app(request: Request, code: Field = "") -> Response:
    # Whoever is signed in may, and whoever must before they are.
    user, pending = request.session.get("user"), request.session.get("pending", {})
    if user is None and not pending.get("enroll"):
        return go("/sign-in")
    user_id = (user or pending["user"])["id"]
    if request.method == "GET":
        # Whoever has an app already does not get another by a session alone.
        if (await mfa.get_status(user_id)).enabled:
            return go("/")
        enrollment = await mfa.enroll_totp(user_id, account_name=ANN["email"])
        return page(request, "authenticator-app.html", {"enrollment": enrollment})
    try:
        await mfa.verify_totp(user_id, code=code[:64] or "-", challenge_id=pending.get("challenge"))
    except countersign.InvalidCodeError:
        return wrong(request, "authenticator-app.html", 422, "That code is not right.")
    enter(request, user or pending["user"])
    codes = await mfa.regenerate_recovery_codes(user_id)
    return page(request, "recovery-codes.html", {"codes": codes})


@app.post("/sign-out")
async def sign_out(request: Request) -> Response:
    request.session.clear()
    return go("/sign-in")


@app.get("/")
async def home(request: Request) -> Response:
    if "user" not in request.session:
        return go("/sign-in")
    user = request.session["user"]
    return page(request, "home.html", {**user, "factors": await mfa.list_factors(user["id"])})


@app.exception_handler(countersign.CountersignError)
async def refused(request: Request, error: countersign.CountersignError) -> Response:
    """Whatever else goes wrong ends without anybody being signed in."""
    if isinstance(error, countersign.RateLimitError):
        when = f"in {error.retry_after:.0f} seconds" if error.retry_after else "later"
        return wrong(request, "second-factor.html", 429, f"Too many tries. Try again {when}.")
    request.session.pop("pending", None)
    late = countersign.ExpiredError, countersign.NotFoundError, countersign.ConflictError
    if isinstance(error, late):
        return wrong(request, "sign-in.html", 410, "That took too long. Please sign in again.")
    logging.getLogger("uvicorn.error").error("%s", error)
    return wrong(request, "sign-in.html", 503, "Signing in is not possible at the moment.")
