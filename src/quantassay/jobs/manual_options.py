"""What may be said beside the file of an import by hand: one table, which the command and the tools read alike."""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from quantassay.errors import AssayError, InternalError
from quantassay.jobs import manual_words
from quantassay.jobs.manual_imports import ETF_NAV, LISTING, SHORT_BALANCE, Options, run

FORMATS = ("text", "json")
# The shell's own codes for a run that somebody ended, or whose reader went away.
STOPPED, CUT_OFF = 130, 141


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its spellings, the name of its value (a flag has none), what it is for."""

    spellings: tuple[str, ...]
    metavar: str
    help: str

    @property
    def name(self) -> str:
        """What its value is called in Options."""
        return self.spellings[-1].lstrip("-").replace("-", "_")


_DATE = Option(("--date",), "YYYY-MM-DD", "The session of a list that does not tell it.")
_TICKER = Option(("--ticker",), "CODE", "The fund or name of a series that does not tell it.")
_EVERY = (
    Option(("--historic",), "", "Take a file that is older than spec/32_manual_feeds.yaml allows."),
    Option(("--again",), "", "Take the values of a file that was imported before and corrected since."),
    Option(("-n", "--dry-run"), "", "Show how the file is read and what would change, write nothing."),
)
OPTIONS = {
    SHORT_BALANCE: (_DATE, _TICKER, *_EVERY),
    ETF_NAV: (_DATE, _TICKER, *_EVERY),
    LISTING: (_DATE, *_EVERY),
}
# What `assay import NAME --help` and `python tools/import_NAME.py --help` say.
TITLES = {
    SHORT_BALANCE: "Import short balances, downloaded from the exchange by hand: one file, or a folder of them.",
    ETF_NAV: "Import net asset values of funds, downloaded by hand: one file, or a folder of them.",
    LISTING: "Import a list of listed companies, downloaded by hand.",
}


def import_and_tell(folder: Path, feed: str, source: Path, said: Mapping[str, Any], loudness: int) -> tuple[int, str]:
    """Import, and give the exit code and what there is to say. `said` has the options by name, and `format`."""
    options = Options(**{option.name: said[option.name] for option in OPTIONS[feed]})
    report = run(folder, feed, source, options)
    words = manual_words.as_json(report) if said["format"] == "json" else manual_words.text(report, loudness)
    return manual_words.exit_code(report), words


def main(feed: str, arguments: Sequence[str]) -> int:
    """The tool of a feed: import in the workspace that we are in, say what became of it, return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name or a terminal may be of another encoding; a character that it lacks must not end the import.
            stream.reconfigure(errors="backslashreplace")
    try:
        said = vars(_parser(feed).parse_args(list(arguments)))
    except SystemExit as left:
        return int(left.code or 0)
    folder = Path(os.environ.get("ASSAY_WORKSPACE") or ".")
    try:
        code, words = import_and_tell(folder, feed, said["source"], said, said["verbose"] - said["quiet"])
    except AssayError as error:
        _say(f"assay: {error}\n", sys.stderr)
        return error.exit_code
    except OSError as error:
        _say(f"assay: {error.filename or 'a file'} cannot be used: {error.strerror or error}\n", sys.stderr)
        return AssayError.exit_code
    except KeyboardInterrupt:
        _say("assay: stopped\n", sys.stderr)
        return STOPPED
    except Exception as error:  # noqa: BLE001 - the last door: what nobody foresaw becomes exit code 3 and its trace
        says = f"assay: this is our fault: {type(error).__name__}: {error}; send this with what you did\n"
        _say(says + traceback.format_exc(), sys.stderr)
        return InternalError.exit_code
    return code if _say(words + "\n" if words else "", sys.stdout) else CUT_OFF


def _parser(feed: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=TITLES[feed], allow_abbrev=False)
    parser.add_argument("source", metavar="FILE", type=Path, help="the file, or a folder of files")
    for option in OPTIONS[feed]:
        if option.metavar:
            parser.add_argument(*option.spellings, default="", metavar=option.metavar, help=option.help)
        else:
            parser.add_argument(*option.spellings, action="store_true", help=option.help)
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0])
    parser.add_argument("-q", "--quiet", action="store_true", help="Say only what went wrong.")
    parser.add_argument("-v", "--verbose", action="store_true", help="Say more.")
    return parser


def _say(words: str, stream: TextIO) -> bool:
    """Whether the words could be said; where the reader has had enough, Python must not try again as it ends."""
    try:
        stream.write(words)
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True
