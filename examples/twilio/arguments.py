"""The arguments of an example on the command line; --help says what it does and what it takes."""

import argparse
from collections.abc import Callable
from typing import Any


def arguments(about: str | None, **takes: Callable[[str], Any]) -> list[Any]:
    """Return what was given for each name, read by its function, in order; `numbers` takes all that are left.

    Ends the program with a line of usage where something is missing or wrong.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, read in takes.items():
        parser.add_argument(name, type=read, nargs="+" if name == "numbers" else None)
    return list(vars(parser.parse_args()).values())
