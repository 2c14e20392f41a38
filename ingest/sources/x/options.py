"""What both sources of X can be told."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ingest.sources.x import budget
from ingest.sources.x.client import API
from ingest.sources.x.rules import SHORTEST_RULE


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rule-length",
        type=at_least(SHORTEST_RULE),
        default=512,
        metavar="CHARACTERS",
        help="how long a rule or query your access level allows: 512, 1024 or 4096;"
        " a topic with more keywords takes several; default: %(default)s",
    )
    parser.add_argument(
        "--x-api",
        default=API,
        metavar="URL",
        help="where X is, for a gateway of your own; default: %(default)s",
    )
    budget.add_arguments(parser)


def at_least(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        number = budget.whole_number(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return number

    return whole
