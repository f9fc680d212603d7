"""What can be wrong with a file that someone brings in, and which of it does no harm.

A file with any issue that is not in HARMLESS is quarantined whole: one wrong row says that the export or the hand that
made it cannot be trusted, and a series with a hole where the bad row was would move every average after it.
"""

from dataclasses import dataclass

from quantassay.secrecy import withheld

# Each of these leaves every value as the source meant it, so the file still loads; the reason stands beside it.
HARMLESS = {
    "aum_unpublished": "the exchange writes 0 until a fund's net assets are counted; kept as unknown",
    "banned_zero": "a zero of days on which short selling was banned says nothing about demand; kept as unknown",
    "bar_differs": "a fetched bar has other values than the one that is there; the one that is there stays",
    "blank_line": "a line without any value holds nothing that could be lost",
    "close_differs": "a price in the list is not the desk's close, as after a split; the other prices fit",
    "column_ignored": "a column that the product does not know is named, not used",
    "duplicate_row": "the same row twice, equal in every value, is one",
    "edge_rounding": "adjusted prices are rounded one by one, so an edge may lie one unit inside the open or close",
    "empty_bar": "a date with no value in any column says that the source had no bar",
    "foreign_zero_run": "zeros are kept as written; they may mean unknown, and the reader is told where",
    "gap": "sessions may be missing; the calendar decides that later, with the holidays in hand",
    "halt_bar": "a halt written as zero prices with a close means that the price stood still at that close",
    "header_again": "the header once more between the rows, as where pages were pasted one below the other",
    "history_shortened": "the new file rules; the reader is told that it covers fewer sessions than the one before",
    "index_column": "a first column without a header counts the rows",
    "line_unended": "the last line has no line end; the reader is told to look whether its last value is whole",
    "name_date_unused": "the file's name has the day of the download; the day that was given rules",
    "not_csv": "a file of another kind in the folder was not asked for",
    "note_line": "a note below or beside the table holds no row",
    "older_quotes": "quotes seen later are held and stay in use; the reader is told",
    "open_unknown": "the source has no open for old bars and writes 0; the open is stored as unknown",
    "option_unused": "--ticker or --date was given, and the rows tell it themselves",
    "superseded": "a corrected file rules, and the reader is told what it changed",
    "taken_at_unused": "the time of taking marks bars of its own date only, and there were none",
    "total_line": "a total is no name's value",
    "unpublished_blank": "dashes on days whose values are not out yet, or without a session, say nothing",
    "unsorted": "bars are sorted by date; their order in the file says nothing",
    "volume_in_lots": "the layout gives volume in lots of 100 shares; it is multiplied out exactly",
}

# Each of these may have changed a value, lost one, or made it somebody else's; the text says what is the matter.
HARMFUL = {
    "adjusted_missing": "both series are asked of a file that has no adjusted close",
    "adjusted_unreadable": "an adjusted close that is no price above zero",
    "amounts_contradict": "a value is not its shares times one whole price",
    "bad_ticker": "the file's name, or a code in a list, is no ticker of the market",
    "blank_value": "a price, a volume or a name is missing",
    "code_zeros_lost": "a code has lost its leading zeros, as Excel does to it",
    "columns_swapped": "the numbers of most rows do not fit their headers",
    "columns_wrong": "a row has more or fewer values than the header",
    "comma_ambiguous": "a comma may be a decimal comma or a thousands separator",
    "credential": "a login, a key or an account number, which must not be kept anywhere here",
    "currency_other": "a price in another currency than the market's",
    "cut_off": "the file ends in the middle",
    "date_conflict": "one date has two different bars, or two different values of a name",
    "date_out_of_range": "a date before 1900 or one that has not come yet",
    "date_unreadable": "a date that is none, or in an order of day and month that can be misread",
    "duplicate_column": "two columns mean the same",
    "empty_answer": "an answer of the site without a row: no session, or a refusal",
    "empty_file": "no bytes, or no text",
    "files_disagree": "two files of one import that give different values for one name and day",
    "file_too_old": "the file ends longer ago than the feed allows",
    "header_only": "a header without rows: no session, or a failed export",
    "header_unknown": "a header that nobody knows, damaged or nearly one that is missing",
    "high_below_low": "the high is below the low",
    "isin_not_code": "the twelve-character ISIN stands where the short code must be",
    "login_page": "a page of the site, such as its login, saved in place of the list",
    "market_closed": "a day without a session: no rows, or only dashes",
    "missing_column": "a column that is needed is not there",
    "mojibake": "the text was once read in a wrong encoding, and its letters are lost",
    "nav_not_positive": "a net asset value of zero or below",
    "negative_number": "a price or a volume below zero",
    "no_bars": "dates, and not one bar",
    "no_session": "a list that does not tell its session",
    "no_ticker": "a series of one name that does not tell whose it is",
    "no_values": "rows with nothing but dashes or blanks",
    "not_a_number": "text, infinity or a number in scientific notation where a plain number must be",
    "not_a_session": "values of a day on which the market was not open",
    "not_a_table": "prose, or a table of another kind",
    "not_published": "values of a day that cannot be out yet",
    "not_text": "binary data, or an encoding other than UTF-8 and CP949",
    "number_too_large": "beyond 2^53, where whole shares are lost",
    "outside_range": "the open or the close lies outside low..high by more than rounding",
    "premium_contradicts": "a premium is not what close and net asset value give",
    "ratio_contradicts": "a ratio is not what the shares give",
    "rows_out_of_order": "a date stands against the order of the others",
    "several_tables": "more than one table or sheet could be meant",
    "several_tickers": "a file of more than one ticker",
    "site_answer": "an answer of the site for its own pages, not the list to download",
    "step_contradicts": "a value does not follow from the change beside it, or from the day before",
    "ticker_mismatch": "the ticker inside is not the one in the file's name",
    "ticker_twice": "two files of one ticker, or one ticker twice in a list",
    "time_not_come": "a price that claims to be seen at a time to come",
    "time_unreadable": "a time that is none, or one without its zone or its day",
    "too_large": "larger, or larger unpacked, than any such list",
    "unit_other": "amounts in thousands or millions",
    "unreadable": "the system refused to read it",
    "volume_not_whole": "shares come whole",
    "wrong_day": "the prices inside are those of another day",
    "wrong_kind": "a list of another kind, named with the command that it belongs to",
    "wrong_ticker": "the prices inside are those of another name",
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

    def __post_init__(self) -> None:
        # Words about a file quote what stands in it, and they are printed, logged and reported.
        object.__setattr__(self, "says", withheld(self.says))

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
