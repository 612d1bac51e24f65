"""A mail server for one test: aiosmtpd, told by lines on its standard input what to do next.

Prints {"port": N} once it listens, and a line of JSON for each message that it took or let wait.
"""
import asyncio
import json
import logging
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

logging.getLogger("mail.log").setLevel(logging.CRITICAL)
settings = json.loads(sys.argv[1])
behaviour = []


def tell(what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox: " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        does = behaviour.pop(0) if behaviour else "take"
        if does == "silent":
            tell({"waits": True})
            await asyncio.sleep(3600)
        if does == "busy":
            return "451 4.7.1 too many messages, try again later"
        if does == "broken":
            return "421 4.3.2 shutting down"
        if does == "refusing":
            return "554 5.7.1 refused: " + str(settings.get("password", ""))
        tell({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf8", "replace"),
            "tls": session.ssl is not None,
            "user": session.auth_data and session.auth_data.decode(),
        })
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login.decode(), data.password.decode()) == (settings["user"], settings["password"])
    return AuthResult(success=is_right, handled=False, auth_data=data.login)


class Server(Controller):
    def factory(self):
        context = None
        if settings.get("starttls"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings["certificate"], settings["key"])
        return SMTP(
            self.handler,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=context,
            require_starttls=context is not None,
            authenticator=authenticate if "user" in settings else None,
            auth_required="user" in settings,
            auth_require_tls=not settings.get("implicit"),
        )


implicit = None
if settings.get("implicit"):
    implicit = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    implicit.load_cert_chain(settings["certificate"], settings["key"])
controller = Server(
    Handler(), hostname="127.0.0.1", port=settings["port"], ssl_context=implicit, ready_timeout=20
)
controller.start()
tell({"port": settings["port"]})
for line in sys.stdin:
    behaviour.append(line.strip())
controller.stop()
