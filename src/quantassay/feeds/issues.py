"""What can be wrong with a file that someone brings in, and which of it does no harm.

A file with any issue that is not in HARMLESS is quarantined whole: one wrong row says that the export or the hand that
made it cannot be trusted, and a series with a hole where the bad row was would move every average after it.
"""

from dataclasses import dataclass

# Each of these leaves every value as the source meant it, so the file still loads; the reason stands beside it.
HARMLESS = {
    "blank_line": "a line without any value holds nothing that could be lost",
    "column_ignored": "a column that the product does not know is named, not used",
    "duplicate_row": "the same bar twice, equal in every value, is one bar",
    "edge_rounding": "adjusted prices are rounded one by one, so an edge may lie one unit inside the open or close",
    "empty_bar": "a date with no value in any column says that the source had no bar",
    "foreign_zero_run": "zeros are kept as written; they may mean unknown, and the reader is told where",
    "gap": "sessions may be missing; the calendar decides that later, with the holidays in hand",
    "halt_bar": "a halt written as zero prices with a close means that the price stood still at that close",
    "history_shortened": "the new file rules; the reader is told that it covers fewer sessions than the one before",
    "not_csv": "a file of another kind in the folder was not asked for",
    "open_unknown": "the source has no open for old bars and writes 0; the open is stored as unknown",
    "superseded": "a corrected file replaces the bars of its ticker; the reader is told what changed",
    "taken_at_unused": "the time of taking marks bars of its own date only, and there were none",
    "unsorted": "bars are sorted by date; their order in the file says nothing",
    "volume_in_lots": "the layout gives volume in lots of 100 shares; it is multiplied out exactly",
}

# Each of these may have changed a value, lost one, or made it somebody else's; the text says what is the matter.
HARMFUL = {
    "bad_ticker": "the file's name, or a code in a list, is no ticker of the market",
    "blank_value": "a price, a volume or a name is missing",
    "columns_wrong": "a row has more or fewer values than the header",
    "comma_ambiguous": "a comma may be a decimal comma or a thousands separator",
    "date_conflict": "one date has two different bars",
    "date_out_of_range": "a date before 1900 or one that has not come yet",
    "date_unreadable": "a date that is none, or in an order of day and month that can be misread",
    "duplicate_column": "two columns mean the same",
    "empty_file": "no bytes, or no text",
    "header_only": "a header without rows: no session, or a failed export",
    "high_below_low": "the high is below the low",
    "missing_column": "a column that is needed is not there",
    "negative_number": "a price or a volume below zero",
    "no_bars": "dates, and not one bar",
    "no_session": "a universe list that does not tell its session",
    "not_a_number": "text, infinity or a number in scientific notation where a plain number must be",
    "not_a_table": "prose, or a table of another kind",
    "not_text": "binary data, or an encoding other than UTF-8 and CP949",
    "number_too_large": "beyond 2^53, where whole shares are lost",
    "outside_range": "the open or the close lies outside low..high by more than rounding",
    "several_tickers": "a file of more than one ticker",
    "ticker_mismatch": "the ticker inside is not the one in the file's name",
    "ticker_twice": "two files of one ticker, or one ticker twice in a list",
    "unreadable": "the system refused to read it",
    "volume_not_whole": "shares come whole",
    "zero_price": "a price of zero that is no halt",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing noticed about a file.

    `row` is the line in the file (the header is usually line 1) or None where the whole file is meant.
    """

    file: str
    row: int | None
    code: str
    says: str

    @property
    def harmless(self) -> bool:
        """Whether the file may load in spite of it."""
        return self.code in HARMLESS

    @property
    def order(self) -> tuple[str, int, str, str]:
        """Sorts by file, line (the whole file first), code."""
        return (self.file, -1 if self.row is None else self.row, self.code, self.says)

    def to_json(self) -> dict[str, str | int | None]:
        """The issue as an import log holds it."""
        return {"file": self.file, "row": self.row, "code": self.code, "says": self.says}
