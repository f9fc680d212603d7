"""Brings in the short balances that a person downloaded from the exchange, one file or a folder of them."""

import sys

from quantassay.jobs import manual_options
from quantassay.jobs.manual_imports import SHORT_BALANCE


def main(argv: list[str]) -> int:
    """Import as `assay import` does, in the workspace that we are in; the exit code."""
    return manual_options.main(SHORT_BALANCE, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
