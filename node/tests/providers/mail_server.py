"""A real mail server on loopback for the tests: aiosmtpd, which takes STARTTLS, TLS and AUTH.

    mail_server.py plain|starttls|tls CERT KEY

Prints one JSON object a line: first {"port"}, then one for each email it took. The receiver's name
says what becomes of it: gone@ is refused for good, busy@ for now, slow@ is taken after a second;
all others are taken. In the modes with TLS nothing is taken before ann has shown that her password
is "hunter22 & more".
"""

import asyncio
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def say(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "gone":
            return "550 5.1.1 no such user"
        if name == "busy":
            return "451 4.3.0 try again"
        if name == "slow":
            await asyncio.sleep(1)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: letter.get_body((kind,)).get_content()
        say(
            mail_from=envelope.mail_from,
            rcpt_to=envelope.rcpt_tos,
            user=(session.auth_data or b"").decode(),
            tls=session.ssl is not None,
            headers={name.lower(): str(value) for name, value in letter.items()},
            text=part("plain"),
            html=part("html"),
            defects=[str(defect) for one in letter.walk() for defect in one.defects],
        )
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data == LoginPassword(b"ann", b"hunter22 & more")
    return AuthResult(success=known, handled=False, auth_data=data.login if known else None)


async def main(mode, cert, key):
    protected = mode != "plain"
    context = None
    if protected:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
    starttls = context if mode == "starttls" else None

    def connection():
        return SMTP(
            Handler(),
            hostname="mail.example",
            enable_SMTPUTF8=True,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticate,
            # TLS from the first byte is none of the protocol's business, so it cannot know.
            auth_require_tls=mode == "starttls",
            auth_required=protected,
        )

    wrapping = context if mode == "tls" else None
    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", 0, ssl=wrapping
    )
    say(port=server.sockets[0].getsockname()[1])
    # The test ends this by closing its end.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
