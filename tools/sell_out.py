"""Sells all that an account holds, once a person at a terminal has typed the account's number."""

import sys

from quantassay.jobs import sell_out


def main(argv: list[str]) -> int:
    """Clear an account of the desk whose folder we are in; the exit code."""
    return sell_out.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
