"""Brings in net asset values, premiums and tracking errors of funds that a person downloaded."""

import sys

from quantassay.jobs import manual_options
from quantassay.jobs.manual_imports import ETF_NAV


def main(argv: list[str]) -> int:
    """Import as `assay import` does, in the workspace that we are in; the exit code."""
    return manual_options.main(ETF_NAV, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
