"""The quotes that were imported, told without loading anything heavy: those in use, and the row behind each."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import find
from quantassay.store.bars_index import replace_file

NAME = "entry_quotes"
_HERE = "quantassay.jobs.imported_quotes"
_STAMP = "%Y%m%dT%H%M%SZ"


class QuotesDamaged(AssayError):
    """A stored file of quotes is no longer what the import wrote."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was changed after the import wrote it; delete it and run `assay import quotes FILE` again"
        )


class NoDesk(AssayError):
    """A workspace that trades no market of its own."""

    def __init__(self) -> None:
        super().__init__("this workspace has no spec/10_desk.yaml that names a market; say it with --market")


def own_market(folder: Path) -> str:
    """The market that the workspace around this folder trades. Raises NoWorkspace, NoDesk."""
    inputs = Inputs(find(folder))
    if "desk" not in inputs.sources:
        raise NoDesk
    return str(inputs.value("desk")["market"])


def quotes_folder(data_dir: Path, market: str) -> Path:
    """Where the market's quotes lie, one file an instant of the newest quote."""
    return data_dir / "imports" / "quotes" / market


def quotes_import(data_dir: Path, market: str) -> tuple[dict[str, Any] | None, str]:
    """The quotes in use and their digest; None where none were imported.

    They are {"file", "digest", "market", "currency", "last" (the instant of the newest), "quotes": [{"ticker",
    "price", "taken_at", "source", "row"}]} in the order of the file. Raises QuotesDamaged.
    """
    path = max(quotes_folder(data_dir, market).glob("*.json"), default=None)
    if path is None:
        return None, canonical.digest(None)
    data = path.read_bytes()
    digest = canonical.sha256(data)
    if path.name.split(".")[1] != _short(digest):
        raise QuotesDamaged(path)
    quotes: dict[str, Any] = canonical.loads(data)
    return quotes, digest


def handed(inputs: Inputs, market: str) -> Iterator[Handed]:
    """`entry_quotes`: the quotes in use of this market, None where there are none. Raises QuotesDamaged.

    A person saw these prices, so they are real whatever bars the desk stands on, and carry no mark of their own.
    """
    data = inputs.workspace.data
    quotes, digest = quotes_import(data, market)
    explain = Lazy(f"{_HERE}:quote_line", (quotes,))
    yield Handed(
        NAME,
        digest,
        Lazy("copy:deepcopy", (quotes,)),
        explain=explain,
        recheck=Lazy(f"{_HERE}:digest_now", (data, market)),
    )


def digest_now(data: Path, market: str) -> str:
    """The digest of the quotes in use as they lie there now. Raises QuotesDamaged."""
    return quotes_import(data, market)[1]


def quote_line(quotes: Mapping[str, Any] | None, pointer: str) -> list[str]:
    """The row of the imported file behind a place in the quotes; a ticker stands for its row."""
    if quotes is None:
        return ["no quotes were imported"]
    room, *steps = pointer.strip("/").split("/")
    if room != "quotes" or not steps:
        return [f"{quotes['file']}: {len(quotes['quotes'])} quotes, the newest of {quotes['last']}"]
    row = next((one for one in quotes["quotes"] if one["ticker"] == steps[0]), None)
    if row is None:
        return [f"{quotes['file']}: {steps[0]} is not in it"]
    source = f", by {row['source']}" if row["source"] else ""
    seen = f"{row['ticker']} at {row['price']} {quotes['currency']}, seen at {row['taken_at']}{source}"
    return [f"{quotes['file']} line {row['row']}: {seen}"]


def age(data: Path, market: str) -> tuple[str, str] | None:
    """The quotes in use and how far they reach, in words; None where there are none. Raises QuotesDamaged."""
    quotes, _ = quotes_import(data, market)
    return None if quotes is None else ("quotes", f"{len(quotes['quotes'])} names, the newest of {quotes['last']}")


def keep_quotes(data_dir: Path, market: str, kept: Mapping[str, Any]) -> None:
    """Store the quotes in place of an earlier file that ends at the same instant."""
    data = canonical.dumps(dict(kept))
    folder = quotes_folder(data_dir, market)
    stamp = datetime.fromisoformat(kept["last"]).astimezone(UTC).strftime(_STAMP)
    path = folder / f"{stamp}.{_short(canonical.sha256(data))}.json"
    if not path.exists() or path.read_bytes() != data:
        replace_file(path, data)
    for other in folder.glob(f"{stamp}.*.json"):
        if other != path:
            other.unlink(missing_ok=True)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]
