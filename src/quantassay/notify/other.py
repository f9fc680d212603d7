"""Tells somebody on any of the channels that the apprise library knows; an extra that need not be installed."""

import importlib
from dataclasses import dataclass, field

from quantassay.notify.channels import Answer, Later, Message, Refused, Sent, Waits, cut

MOST_BYTES = 18_000


@dataclass(frozen=True, slots=True)
class Other:
    """The addresses of the channels, in apprise's own form."""

    urls: tuple[str, ...] = field(repr=False)
    waits: Waits

    def send(self, message: Message) -> Answer:
        """Say it on all of them; the library says only whether all have it."""
        try:
            apprise = importlib.import_module("apprise")
        except ImportError:
            return Refused('it needs the apprise library: pip install "quantassay[notify]"')
        told = apprise.Apprise()
        for number, url in enumerate(self.urls, 1):
            sign = "&" if "?" in url else "?"
            if not told.add(f"{url}{sign}cto={self.waits.connect_s:g}&rto={self.waits.answer_s:g}"):
                return Refused(f"address {number} of {len(self.urls)} is none that apprise knows")
        text = cut(message.text or message.subject, MOST_BYTES, "utf-8")
        try:
            done = told.notify(title=message.subject, body=text)
        except Exception as error:  # noqa: BLE001 - a plug-in of the library may raise anything
            return Later(f"apprise failed ({type(error).__name__})")
        # A result that is true where all have it; older releases gave True, False or None.
        return Sent() if done else Later("apprise says that not all of its channels have it")
