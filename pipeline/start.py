"""Begins the command line: Ctrl-C ends it without a word also while its parts are still being imported."""

import sys


def main() -> None:
    try:
        from pipeline.__main__ import main as begin

        begin()
    except KeyboardInterrupt:
        sys.exit(130)
