"""Tells somebody by mail, over a line that is encrypted before the login is sent."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage

from quantassay.notify.channels import LOOPBACK, Answer, Later, Message, Refused, Sent, Waits, cut

SSL, STARTTLS, PLAIN = "ssl", "starttls", "plain"
MOST_BYTES = 200_000
# What we call ourselves: left to itself the library would ask for this machine's name, and wait for the answer.
_NAME = "localhost"
_TRY_AGAIN = range(400, 500)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mailbox that sends, its server, and who is told; `security` is plain only on this machine's loopback."""

    host: str
    port: int
    security: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    to: tuple[str, ...] = field(repr=False)
    waits: Waits
    trusted: ssl.SSLContext | None = None

    def send(self, message: Message) -> Answer:
        """Say it to everybody, or to nobody."""
        if self.security == PLAIN and self.host not in LOOPBACK:
            return Refused("a mail server elsewhere is used only over an encrypted line: security is ssl or starttls")
        try:
            with self._connected() as server:
                if self.security != PLAIN:
                    server.login(self.user, self.password)
                left_out = server.send_message(self._letter(message))
        except ssl.SSLCertVerificationError:
            return Refused("its certificate is not one that this machine trusts; the login was not sent")
        except smtplib.SMTPAuthenticationError as error:
            return Refused(f"it does not take the login (SMTP {error.smtp_code})")
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            return _by_code(codes[-1], "it takes no mail for a receiver")
        except smtplib.SMTPNotSupportedError:
            return Refused("it offers no encrypted line or no login; look at port and security")
        except smtplib.SMTPResponseException as error:
            return _by_code(error.smtp_code, "it does not take the mail")
        except (smtplib.SMTPException, OSError) as error:
            return Later(f"no whole answer ({type(error).__name__})")
        except ValueError:
            return Refused("an address is none; look at the login")
        # Whoever was reached is told; to send again would tell them twice.
        return (
            Refused(f"it took the mail, but not for {len(left_out)} of {len(self.to)} receivers")
            if left_out
            else Sent()
        )

    def _connected(self) -> smtplib.SMTP:
        context = self.trusted or ssl.create_default_context()
        if self.security == SSL:
            return smtplib.SMTP_SSL(self.host, self.port, _NAME, timeout=self.waits.answer_s, context=context)
        server = smtplib.SMTP(self.host, self.port, _NAME, timeout=self.waits.answer_s)
        if self.security == STARTTLS:
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.user, ", ".join(self.to), message.subject
        letter.set_content(cut(message.text or message.subject, MOST_BYTES, "utf-8"))
        return letter


def _by_code(code: int, says: str) -> Answer:
    told = f"{says} (SMTP {code})"
    return Later(told) if code in _TRY_AGAIN else Refused(told)
