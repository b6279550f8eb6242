"""The e-mail channel against a real SMTP server that accepts, refuses, hangs up and asks for a password."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from peerpause.errors import ConfigurationError, InvalidArgument
from peerpause.notifications.channels import ChannelReply, Delivered, Refused, TryAgain
from peerpause.notifications.channels.email import EmailChannel, EmailMessageOut, SmtpSettings, read_smtp_url
from tests.notifications.self_signed import write_certificate

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
BO = "bo@coordinators.example"


def a_mail(**changes: Any) -> EmailMessageOut:
    fields: dict[str, Any] = {
        "to": BO,
        "subject": "Ådne har tatt pause",
        "text": "Ådne har tatt pause.",
        "message_id": "<delivery-1@peerpause.example>",
        **changes,
    }
    return EmailMessageOut(**fields)


class MailHost:
    """A real SMTP server; what it says to each command can be scripted."""

    def __init__(self, *, tls_from_the_start: ssl.SSLContext | None = None, **options: Any) -> None:
        self._tls = tls_from_the_start
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []
        self.connections = 0
        self.says: dict[str, list[str]] = {}
        self.is_silent = asyncio.Event()
        self._options = options
        self._servers: list[SMTP] = []
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        self._listener = await asyncio.get_running_loop().create_server(
            self._connected, "127.0.0.1", 0, ssl=self._tls
        )

    async def stop(self) -> None:
        assert self._listener is not None
        self._listener.close()
        self.hang_up_on_all()
        await self._listener.wait_closed()

    @property
    def port(self) -> int:
        assert self._listener is not None
        return int(self._listener.sockets[0].getsockname()[1])

    def hang_up_on_all(self) -> None:
        for server in self._servers:
            if server.transport is not None:
                server.transport.close()
        self._servers.clear()

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._answer("MAIL") or "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer("RCPT")
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        answer = self._answer("DATA")
        if answer == "hang up":
            self.hang_up_on_all()
        elif answer == "be silent":
            self.is_silent.set()
            await asyncio.Event().wait()
        if answer is not None:
            return answer
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=default_policy)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 OK"

    def _answer(self, command: str) -> str | None:
        script = self.says.get(command, [])
        return script.pop(0) if script else None

    def _connected(self) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            # It warns of passwords in the clear; on this machine's own loopback that is what we try.
            warnings.simplefilter("ignore", UserWarning)
            server = SMTP(self, hostname="mail.example", enable_SMTPUTF8=False, **self._options)
        self._servers.append(server)
        return server


HostMaker = Callable[..., Any]
ChannelMaker = Callable[..., EmailChannel]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def started(stack: AsyncExitStack, **options: Any) -> MailHost:
    host = MailHost(**options)
    await host.start()
    stack.push_async_callback(host.stop)
    return host


def channel_to(
    stack: AsyncExitStack, host: MailHost, url: str = "smtp://127.0.0.1:{port}", **more: Any
) -> EmailChannel:
    settings = read_smtp_url(url.format(port=host.port), sender="pause@peerpause.example")
    built = EmailChannel(settings, now=lambda: NOON, **more)
    stack.push_async_callback(built.close)
    return built


@pytest.fixture
async def host(stack: AsyncExitStack) -> MailHost:
    return await started(stack)


@pytest.fixture
def channel(stack: AsyncExitStack, host: MailHost) -> EmailChannel:
    return channel_to(stack, host)


# Delivering


async def test_a_plain_mail_arrives_as_written(channel: EmailChannel, host: MailHost) -> None:
    assert await channel.send(a_mail()) == Delivered("<delivery-1@peerpause.example>")
    (mail,) = host.mails
    assert host.envelopes == [("pause@peerpause.example", [BO])]
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "pause@peerpause.example",
        BO,
        "Ådne har tatt pause",
    )
    assert mail["Message-ID"] == "<delivery-1@peerpause.example>"
    assert mail["Date"].datetime == NOON
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip() == "Ådne har tatt pause."


async def test_html_comes_beside_the_text(channel: EmailChannel, host: MailHost) -> None:
    await channel.send(a_mail(html="<p>Ådne har tatt <b>pause</b>.</p>"))
    (mail,) = host.mails
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    html = mail.get_body(("html",))
    assert html is not None
    assert "<b>pause</b>" in html.get_content()


async def test_many_mails_share_one_connection(channel: EmailChannel, host: MailHost) -> None:
    replies = await asyncio.gather(*(channel.send(a_mail(message_id=f"<{n}@x>")) for n in range(10)))
    assert all(isinstance(reply, Delivered) for reply in replies)
    assert (len(host.mails), host.connections) == (10, 1)


async def test_a_connection_the_host_closed_meanwhile_is_opened_anew(
    channel: EmailChannel, host: MailHost
) -> None:
    await channel.send(a_mail())
    host.hang_up_on_all()
    assert isinstance(await channel.send(a_mail()), Delivered)
    assert (len(host.mails), host.connections) == (2, 2)


async def test_a_domain_with_norwegian_letters_is_written_in_ascii(
    channel: EmailChannel, host: MailHost
) -> None:
    await channel.send(a_mail(to="bo@blåbær.example"))
    assert host.envelopes[0][1] == ["bo@xn--blbr-roah.example"]


# Refusals


@pytest.mark.parametrize(
    "command, answer, reply",
    [
        ("RCPT", "550 5.1.1 No such user bo@coordinators.example", Refused("SMTP_550")),
        ("RCPT", "553 5.1.3 Bad address", Refused("SMTP_553")),
        ("RCPT", "450 4.2.0 Greylisted", TryAgain("SMTP_450")),
        ("RCPT", "421 4.3.2 Closing", TryAgain("SMTP_421")),
        ("MAIL", "550 5.7.1 Sender not allowed", Refused("SMTP_550", misconfigured=True)),
        ("MAIL", "530 5.7.0 Authentication required", Refused("SMTP_530", misconfigured=True)),
        ("MAIL", "552 5.3.4 Too large", Refused("SMTP_552")),
        ("MAIL", "451 4.3.0 Try later", TryAgain("SMTP_451")),
        ("DATA", "554 5.7.1 Looks like spam", Refused("SMTP_554")),
        ("DATA", "452 4.3.1 Disk full", TryAgain("SMTP_452")),
        ("DATA", "hang up", TryAgain("CONNECTION")),
    ],
)
async def test_each_answer_has_its_reply_and_the_next_mail_goes_out(
    channel: EmailChannel, host: MailHost, command: str, answer: str, reply: ChannelReply
) -> None:
    host.says[command] = [answer]
    assert await channel.send(a_mail()) == reply
    assert host.mails == []
    assert isinstance(await channel.send(a_mail()), Delivered)


async def test_a_silent_host_is_given_up_and_the_next_mail_goes_out(
    stack: AsyncExitStack, host: MailHost
) -> None:
    host.says["DATA"] = ["be silent"]
    channel = channel_to(stack, host, timeout=1.0)
    assert await channel.send(a_mail()) == TryAgain("TIMEOUT")
    assert isinstance(await channel.send(a_mail()), Delivered)


async def test_a_send_cancelled_in_mid_conversation_leaves_no_half_mail_behind(
    channel: EmailChannel, host: MailHost
) -> None:
    host.says["DATA"] = ["be silent"]
    sending = asyncio.create_task(channel.send(a_mail()))
    await host.is_silent.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert isinstance(await channel.send(a_mail()), Delivered)
    assert host.connections == 2


async def test_a_host_that_is_not_there_is_worth_another_try(stack: AsyncExitStack) -> None:
    host = MailHost()
    await host.start()
    channel = channel_to(stack, host)
    await host.stop()
    assert await channel.send(a_mail()) == TryAgain("CONNECTION")


@pytest.mark.parametrize(
    "greeting, reply",
    [
        (b"554 closed for maintenance\r\n", TryAgain("SMTP_554")),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TryAgain("BAD_ANSWER")),
        (b"", TryAgain("CONNECTION")),
    ],
)
async def test_a_host_that_turns_us_away_at_the_door_is_worth_another_try(
    stack: AsyncExitStack, greeting: bytes, reply: ChannelReply
) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    stack.push_async_callback(server.wait_closed)
    stack.callback(server.close)
    port = server.sockets[0].getsockname()[1]
    channel = EmailChannel(SmtpSettings(host="127.0.0.1", port=port, sender="a@b.example"))
    assert await channel.send(a_mail()) == reply
    await channel.close()


# Signing in


def judge(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    # Left unhandled, a refusal is spoken by the server.
    return AuthResult(success=data.login == b"ada" and data.password == b"p@ss/word", handled=False)


async def test_it_signs_in_with_the_password_of_the_url(stack: AsyncExitStack) -> None:
    host = await started(stack, authenticator=judge, auth_required=True, auth_require_tls=False)
    channel = channel_to(stack, host, "smtp://ada:p%40ss%2Fword@127.0.0.1:{port}?starttls=0")
    assert isinstance(await channel.send(a_mail()), Delivered)


async def test_a_wrong_password_is_a_fault_of_set_up(stack: AsyncExitStack) -> None:
    host = await started(stack, authenticator=judge, auth_required=True, auth_require_tls=False)
    channel = channel_to(stack, host, "smtp://ada:wrong@127.0.0.1:{port}?starttls=0")
    assert await channel.send(a_mail()) == Refused("SMTP_535", misconfigured=True)


async def test_a_password_is_not_sent_in_the_clear_unless_told_so(stack: AsyncExitStack) -> None:
    heard: list[str] = []

    def listen(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        heard.append(mechanism)
        return AuthResult(success=True)

    host = await started(stack, authenticator=listen, auth_require_tls=False)
    channel = channel_to(stack, host, "smtp://ada:secret@127.0.0.1:{port}")
    assert await channel.send(a_mail()) == Refused("SMTP_EXTENSION_MISSING", misconfigured=True)
    assert heard == []


async def test_a_host_without_sign_in_is_a_fault_of_set_up(stack: AsyncExitStack, host: MailHost) -> None:
    channel = channel_to(stack, host, "smtp://ada:secret@127.0.0.1:{port}?starttls=0")
    assert await channel.send(a_mail()) == Refused("SMTP_EXTENSION_MISSING", misconfigured=True)


# Encryption


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture(params=["starttls", "smtps"])
async def encrypting(
    request: pytest.FixtureRequest, stack: AsyncExitStack, certificate: Path
) -> tuple[MailHost, str]:
    """A host that encrypts, in each of the two ways, and the address that says so."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    if request.param == "smtps":
        host = await started(stack, tls_from_the_start=context, authenticator=judge, auth_require_tls=False)
        return host, "smtps://ada:p%40ss%2Fword@127.0.0.1:{port}"
    host = await started(stack, tls_context=context, authenticator=judge, auth_required=True)
    return host, "smtp://ada:p%40ss%2Fword@127.0.0.1:{port}"


async def test_it_encrypts_before_it_signs_in(
    stack: AsyncExitStack, encrypting: tuple[MailHost, str], certificate: Path
) -> None:
    host, url = encrypting
    channel = channel_to(stack, host, url, tls_context=ssl.create_default_context(cafile=certificate))
    assert isinstance(await channel.send(a_mail()), Delivered)
    assert isinstance(await channel.send(a_mail()), Delivered)


async def test_a_host_nobody_vouches_for_is_a_fault_of_set_up(
    stack: AsyncExitStack, encrypting: tuple[MailHost, str]
) -> None:
    host, url = encrypting
    assert await channel_to(stack, host, url).send(a_mail()) == Refused("TLS_CERTIFICATE", misconfigured=True)


# Messages and settings


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: everyone@example.org"},
        {"subject": "Hello\nBcc: everyone@example.org"},
        {"subject": "Hello\u2028there"},
        {"to": "bo@x.example\r\nBcc: everyone@example.org"},
        {"to": "bo@x.example, cy@x.example"},
        {"to": "Bo <bo@x.example>"},
        {"to": "bo"},
        {"to": "@x.example"},
        {"to": "bo@"},
        {"to": ""},
        {"to": "bo@x@y"},
        {"to": "bo y@x.example"},
        {"to": " bo@x.example"},
        {"message_id": "delivery-1"},
        {"message_id": "<a@b>\r\nBcc: everyone@example.org"},
        {"message_id": "<a@b> <c@d>"},
    ],
)
def test_no_header_can_be_smuggled_in(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        a_mail(**changes)


@pytest.mark.parametrize(
    "url, settings",
    [
        ("smtp://mail.example?from=p@x.example", SmtpSettings("mail.example", 25, "p@x.example")),
        (
            "smtp://p%40x.example:s%3Acret@mail.example:587",
            SmtpSettings(
                "mail.example", 587, "p@x.example", start_tls=True, username="p@x.example", password="s:cret"
            ),
        ),
        (
            "smtp://ada:x@mail.example?starttls=0&from=p@x.example",
            SmtpSettings("mail.example", 25, "p@x.example", start_tls=False, username="ada", password="x"),
        ),
        (
            "smtp://mail.example?starttls=1&from=p@x.example",
            SmtpSettings("mail.example", 25, "p@x.example", start_tls=True),
        ),
        (
            "smtps://mail.example?from=p@x.example",
            SmtpSettings("mail.example", 465, "p@x.example", True, False),
        ),
    ],
)
def test_a_url_says_how_to_speak_to_the_host(url: str, settings: SmtpSettings) -> None:
    assert read_smtp_url(url) == settings


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example?from=p@x.example",
        "smtp://?from=p@x.example",
        "smtp://ada:hush@mail.example:port?from=p@x.example",
        "smtp://ada:hush@mail.example",
        "smtp://mail.example",
        "smtp://ada:hush@mail.example?from=p@x.example&starttls=maybe",
        "smtp://[mail",
    ],
)
def test_a_wrong_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="PEERPAUSE_SMTP_URL") as caught:
        read_smtp_url(url)
    assert "hush" not in str(caught.value) + repr(caught.value.hint)


async def test_no_address_no_name_and_no_password_reaches_a_log(
    stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    # The server's own log, in this same process, is not ours.
    caplog.set_level(logging.CRITICAL, logger="mail.log")
    caplog.set_level(logging.DEBUG)
    host = await started(stack, authenticator=judge, auth_required=True, auth_require_tls=False)
    host.says["RCPT"] = [f"550 no such user {BO}"]
    channel = channel_to(stack, host, "smtp://ada:p%40ss%2Fword@127.0.0.1:{port}?starttls=0")
    replies = [await channel.send(a_mail()), await channel.send(a_mail())]
    logging.getLogger("peerpause").debug("a line, so that this test can fail")
    told = caplog.text + repr(replies) + repr(channel) + repr(channel._settings) + repr(a_mail())
    assert "a line" in told
    for secret in (BO, "Ådne", "p@ss/word"):
        assert secret not in told
