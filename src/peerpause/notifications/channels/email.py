"""E-mail over SMTP, for those without a device or who prefer it: one attempt a call, over one kept connection."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from peerpause.errors import ConfigurationError, InvalidArgument
from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TryAgain

_SETTING = "PEERPAUSE_SMTP_URL"
_DEFAULT_PORTS = {"smtp": 25, "smtps": 465}
_MESSAGE_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_SMALLEST_CODE = 200
_PERMANENT = 500
_AUTHENTICATION_WANTED = frozenset({530, 534, 535, 538})
_MESSAGE_TOO_LARGE = 552


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail host and how to speak to it.

    ``start_tls``: ``True`` insists on it, ``False`` never asks, ``None`` takes it where offered. ``sender`` is the address
    mail comes from.
    """

    host: str
    port: int
    sender: str
    use_tls: bool = False
    start_tls: bool | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def read_smtp_url(url: str, *, sender: str | None = None) -> SmtpSettings:
    """Read ``PEERPAUSE_SMTP_URL``: ``smtp://user:password@host:587?starttls=1&from=post@example.org`` or ``smtps://…``.

    A password is sent over an encrypted connection only, unless ``starttls=0`` says that none is to be had. The sender is
    ``sender``, else ``from``, else the user name. Raises ``ConfigurationError`` naming what is wrong, never a value.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refusal("is not an address") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise _refusal("must begin with smtp://host or smtps://host")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    username = unquote(parts.username) if parts.username else None
    given_sender = sender or options.get("from") or username
    if not given_sender or _address(given_sender) is None:
        raise _refusal(
            "names no address to send from", hint="Add ?from=post@your-organisation.example to it."
        )
    starttls = options.get("starttls", "1" if username else "auto")
    if starttls not in {"0", "1", "auto"}:
        raise _refusal("has a starttls other than 0, 1 or auto")
    use_tls = parts.scheme == "smtps"
    return SmtpSettings(
        host=parts.hostname,
        port=port or _DEFAULT_PORTS[parts.scheme],
        sender=given_sender,
        use_tls=use_tls,
        start_tls=False if use_tls else {"0": False, "1": True, "auto": None}[starttls],
        username=username,
        password=unquote(parts.password) if parts.password else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailMessageOut:
    """A message to one person, as plain text and, if given, as HTML too.

    ``message_id`` (``<unique@host>``) stays the same when the message is sent again, so that mailboxes can tell. Raises
    ``InvalidArgument`` where a header could be smuggled in or ``to`` is not exactly one address.
    """

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    message_id: str

    def __post_init__(self) -> None:
        if _address(self.to) is None:
            raise InvalidArgument("An e-mail goes to exactly one address.")
        if _CONTROL.search(self.subject):
            raise InvalidArgument("An e-mail's subject is one line.")
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise InvalidArgument("An e-mail's message id has the form <unique@host>.")


class EmailChannel:
    """Sends mail through one SMTP host, one message at a time over one connection that is opened when needed.

    ``timeout`` (seconds) bounds each exchange with the host; ``tls_context`` replaces the system's trust; ``now`` gives the
    aware time for the Date header.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        timeout: float = 10.0,
        tls_context: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._timeout = timeout
        self._tls_context = tls_context
        self._now = now
        self._connection: aiosmtplib.SMTP | None = None
        self._turn = asyncio.Lock()

    async def send(self, message: EmailMessageOut) -> ChannelReply:
        """Make one attempt: wait for the connection's turn, see that it still lives, hand the message over."""
        mail = self._compose(message)
        async with self._turn:
            try:
                connection = await self._live_connection()
                await connection.send_message(mail)
            except (aiosmtplib.SMTPException, OSError) as fault:
                reply = _verdict(fault)
                if isinstance(reply, TryAgain) or (isinstance(reply, Refused) and reply.misconfigured):
                    self._drop()
                return reply
            except asyncio.CancelledError:
                # Nobody knows how far the conversation got.
                self._drop()
                raise
        return Delivered(message.message_id)

    async def sign_in(self) -> ChannelReply | None:
        """See whether the host answers and takes our name and password, without sending anything; ``None`` where it does."""
        async with self._turn:
            try:
                await self._live_connection()
            except (aiosmtplib.SMTPException, OSError) as fault:
                self._drop()
                return _verdict(fault)
        return None

    async def close(self) -> None:
        """Say goodbye to the host."""
        async with self._turn:
            if self._connection is not None:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await self._connection.quit()
            self._drop()

    def _compose(self, message: EmailMessageOut) -> EmailMessage:
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = _address(self._settings.sender)
        mail["To"] = _address(message.to)
        mail["Subject"] = message.subject
        mail["Date"] = self._now()
        mail["Message-ID"] = message.message_id
        # Keeps holiday replies from answering a machine.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        return mail

    async def _live_connection(self) -> aiosmtplib.SMTP:
        if self._connection is not None:
            try:
                # Hosts close idle connections; finding out now costs nothing, in mid-message it would cost an attempt.
                await self._connection.noop()
            except (aiosmtplib.SMTPException, OSError):
                self._drop()
            else:
                return self._connection
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            use_tls=settings.use_tls,
            start_tls=settings.start_tls,
            tls_context=self._tls_context,
            timeout=self._timeout,
        )
        self._connection = connection
        await connection.connect()
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _verdict(fault: aiosmtplib.SMTPException | OSError) -> ChannelReply:
    """What a refusal means. Only the reply code is passed on: a host's words may quote the address."""
    match fault:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return _by_code(first.code, ours=False)
        case aiosmtplib.SMTPAuthenticationError():
            return _by_code(fault.code, ours=True)
        case aiosmtplib.SMTPSenderRefused():
            return _by_code(fault.code, ours=fault.code != _MESSAGE_TOO_LARGE)
        case aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPHeloError():
            # A host that turns us away at the door (554) may be under maintenance or may have blocked us: trying again
            # shows which, and the delivery expires in sight of the admins.
            return TryAgain(f"SMTP_{fault.code}")
        case aiosmtplib.SMTPResponseException():
            return _by_code(fault.code, ours=fault.code in _AUTHENTICATION_WANTED)
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return TryAgain("TIMEOUT")
        case aiosmtplib.SMTPConnectError() if isinstance(fault.__cause__, ssl.SSLCertVerificationError):
            return Refused("TLS_CERTIFICATE", misconfigured=True)
        case ssl.SSLCertVerificationError():
            return Refused("TLS_CERTIFICATE", misconfigured=True)
        case OSError():  # aiosmtplib's connection errors are among them
            return TryAgain("CONNECTION")
        case _:
            # STARTTLS or a way to sign in that the settings ask for and the host does not have.
            return Refused("SMTP_EXTENSION_MISSING", misconfigured=True)


def _by_code(code: int, *, ours: bool) -> ChannelReply:
    if code < _SMALLEST_CODE:
        return TryAgain("BAD_ANSWER")
    if code < _PERMANENT:
        return TryAgain(f"SMTP_{code}")
    return Refused(f"SMTP_{code}", misconfigured=ours)


def _address(text: str) -> Address | None:
    """Exactly one bare address with its domain in ASCII, or ``None``."""
    if _CONTROL.search(text) or text != text.strip():
        return None
    try:
        given = Address(addr_spec=text)
        domain = given.domain.encode("idna").decode()
    except (ValueError, LookupError, MessageError):
        return None
    return Address(username=given.username, domain=domain) if given.username and domain else None


def _refusal(what: str, *, hint: str | None = None) -> ConfigurationError:
    return ConfigurationError(
        f"{_SETTING} {what}.",
        hint=hint or "For example smtp://user:password@mail.example.org:587?starttls=1.",
    )
