"""Brings in the list of listed companies that a person downloaded from the exchange's disclosure site."""

import sys

from quantassay.jobs import manual_options
from quantassay.jobs.manual_imports import LISTING


def main(argv: list[str]) -> int:
    """Import as `assay import` does, in the workspace that we are in; the exit code."""
    return manual_options.main(LISTING, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
