"""`mltox provision`: a Google Cloud project, or a warehouse alone."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mltox.base.command_line import Parser
from mltox.base.entry import EXIT_USAGE, reporting_errors
from mltox.base.errors import UsageError
from mltox.base.logs import LogFormat, log_format_argument, say, set_up
from mltox.warehouse import open_warehouse
from mltox.warehouse.schema import TABLES
from mltox.warehouse.views import VIEWS
from templates.provisioning.apply import ResourceOutcome, make, services, take_away
from templates.provisioning.change import Change
from templates.provisioning.names import DATASET, PROJECT, REGION, Names
from templates.provisioning.plan import plan
from templates.provisioning.resources import Api, Resource
from templates.provisioning.rest import Rest, connect_rest

DESCRIPTION = """\
Makes what is missing in a Google Cloud project: APIs, topics and subscriptions, the dataset with
its tables and views, service accounts with their roles, empty secrets, buckets, the repository of
images, paused schedules. With --warehouse it makes the tables and views alone, DuckDB's too.
A second run changes nothing.

reads   what is there
writes  what is missing, and settings that differ
"""
EXAMPLES = """\
examples:
  mltox provision --project my-project --region europe-west1 --dry-run
  mltox provision --warehouse bq://my-project.mltox
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="mltox provision",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    made.add_argument("--project", metavar="ID", help="the Google Cloud project")
    made.add_argument(
        "--region", metavar="NAME", help="where everything lies, such as europe-west1"
    )
    made.add_argument(
        "--dataset", default="mltox", metavar="NAME", help="of BigQuery (default: %(default)s)"
    )
    made.add_argument(
        "--warehouse",
        metavar="URI",
        help="instead of a project: a DuckDB file, or bq://project.dataset",
    )
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="print the plan and touch nothing; needs no credentials",
    )
    made.add_argument(
        "--destroy",
        action="store_true",
        help="remove it all again, rows included, after you typed the project's id",
    )
    log_format_argument(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one line on what is wrong."""
    options = parser().parse_args(argv)
    set_up(LogFormat(options.log_format))
    return reporting_errors(lambda: run(options))


def run(options: argparse.Namespace, rest: Callable[[str], Rest] = connect_rest) -> int:
    if options.warehouse:
        return provision_warehouse(options)
    names = names_of(options)
    wanted = plan(names)
    if options.destroy:
        return destroy(names, wanted, options, rest)
    if options.dry_run:
        print(listing(wanted))
        return 0
    return report(make(wanted, services(names, rest(names.project))))


def names_of(options: argparse.Namespace) -> Names:
    for option, pattern in (("project", PROJECT), ("region", REGION), ("dataset", DATASET)):
        value = getattr(options, option)
        if not value:
            raise UsageError("give --project and --region, or --warehouse for the tables alone")
        if not pattern.fullmatch(value):
            raise UsageError(f"--{option}: {value!r} is no {option} of Google Cloud")
    return Names(options.project, options.region, options.dataset)


def provision_warehouse(options: argparse.Namespace) -> int:
    if options.project or options.destroy or options.dry_run:
        raise UsageError("--warehouse makes tables and views; the other options are of a --project")
    with open_warehouse(options.warehouse) as warehouse:
        warehouse.create()
        print(f"{warehouse.uri}: {len(TABLES)} tables and {len(VIEWS)} views are there")
    return 0


def listing(resources: Iterable[Resource]) -> str:
    return "\n".join(line(each.kind, each.name, each.note) for each in resources)


def line(first: str, name: str, note: str) -> str:
    return f"  {first:<13}{name}{f'  ({note})' if note else ''}"


def destroy(
    names: Names,
    wanted: tuple[Resource, ...],
    options: argparse.Namespace,
    rest: Callable[[str], Rest],
) -> int:
    """Asks on standard input; anything but the project's id changes nothing."""
    going = [each for each in wanted if not isinstance(each, Api)]
    print(f"removes from {names.project}, with all rows of the dataset:")
    print(listing(reversed(going)))
    if options.dry_run:
        return 0
    print(f"type {names.project} to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() != names.project:
        say("nothing was removed")
        return EXIT_USAGE
    return report(take_away(going, services(names, rest(names.project))))


def report(outcome: Iterable[ResourceOutcome]) -> int:
    """A line for each resource as it is done, and the sums; 2 where one failed."""
    counts: Counter[Change] = Counter()
    problems = []
    for done in outcome:
        if done.change is None:
            problems.append(done.problem)
        else:
            counts[done.change] += 1
            print(line(done.change, f"{done.resource.kind} {done.resource.name}", ""), flush=True)
    print(", ".join(f"{count} {change}" for change, count in counts.items()))
    for problem in problems:
        say(problem)
    return EXIT_USAGE if problems else 0


if __name__ == "__main__":
    sys.exit(main())
