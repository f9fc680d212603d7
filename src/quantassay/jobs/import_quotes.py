"""Import quotes for the entry check: a file is kept whole, or refused whole with the reason of each bad row."""

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Any

from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import market_of
from quantassay.feeds.quotes_csv import QuotesRead, read_quotes
from quantassay.feeds.raw_files import SourceMissing, read_file
from quantassay.harness import canonical
from quantassay.jobs import quarantine
from quantassay.jobs.import_market import ImportReport, held
from quantassay.jobs.imported_quotes import keep_quotes, quotes_import


def import_quotes(
    data_dir: Path, source: Path, market: str, now: datetime | None = None, *, dry_run: bool = False
) -> ImportReport:
    """Import one file of quotes; a file with one bad row is quarantined whole and changes nothing.

    The file whose newest quote is the latest is the one in use. Raises UnknownMarket, SourceMissing, lock.Busy,
    CannotStore, QuotesDamaged.
    """
    place = market_of(market)
    if not source.is_file():
        raise SourceMissing(source, "is no file")
    with contextlib.nullcontext() if dry_run else held(data_dir):
        file = read_file(source)
        read = read_quotes(file, place, now)
        if not read.quotes:
            if not dry_run:
                quarantine.put(data_dir, market, file, read.issues)
            return ImportReport(1, (), (read.file,), 0, read.issues, changed=False)
        before, digest = quotes_import(data_dir, market)
        kept = _kept(read, market, place.currency)
        if not dry_run:
            keep_quotes(data_dir, market, kept)
        changed = digest != canonical.digest(kept)
        issues = read.issues
        if before is not None and datetime.fromisoformat(before["last"]) > datetime.fromisoformat(kept["last"]):
            says = f"{before['file']} holds quotes of {before['last']} and stays in use; these end at {kept['last']}"
            issues, changed = (*issues, Issue(read.file, None, "older_quotes", says)), False
    return ImportReport(1, (read.file,), (), len(read.quotes), issues, changed)


def _kept(read: QuotesRead, market: str, currency: str) -> dict[str, Any]:
    rows = [
        {
            "ticker": one.ticker,
            "price": one.price,
            "taken_at": one.taken_at.isoformat(),
            "source": one.source,
            "row": one.row,
        }
        for one in read.quotes
    ]
    last = max(one.taken_at for one in read.quotes).isoformat()
    return {
        "file": read.file,
        "digest": read.digest,
        "market": market,
        "currency": currency,
        "last": last,
        "quotes": rows,
    }
