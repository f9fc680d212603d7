"""What every way of telling somebody has in common: a message, the three answers to it, and how it is made to fit."""

from dataclasses import dataclass
from typing import Protocol

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said: a line of subject, and a text, which may be empty."""

    subject: str
    text: str

    @property
    def whole(self) -> str:
        """Subject and text in one."""
        return f"{self.subject}\n\n{self.text}".strip()


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel has the message."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may not have it, and the same message may be taken another time; `after_s` where the channel said when."""

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It will not take this message, or none from us, until a person changes something."""

    why: str


Answer = Sent | Later | Refused


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a channel is waited for, in seconds: to connect, and for each part of its answer."""

    connect_s: float
    answer_s: float


class Channel(Protocol):
    """One way of telling somebody."""

    def send(self, message: Message) -> Answer:
        """Say it once; nothing is raised for what the channel or the network does."""
        ...


def cut(text: str, most: int, size: str) -> str:
    """The text, or its beginning and a word on what is left out, within `most` units; `size` names an encoding.

    A unit is a byte of the encoding, but of UTF-16 two of them, which is how Telegram counts.
    """
    width = 2 if size.startswith("utf-16") else 1
    if len(text.encode(size, errors="replace")) <= most * width:
        return text
    left_out = f"\n... cut: {len(text):,} characters in all; `assay notices show` has the rest"
    room = most * width - len(left_out.encode(size))
    return text.encode(size, errors="replace")[:room].decode(size, errors="ignore") + left_out
