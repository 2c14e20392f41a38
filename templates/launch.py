"""Builds, launches, updates and drains the templates: what `make template` and its like run.

Every command is printed before it runs; with DRY_RUN=1 it is only printed. Settings are environment
variables, see docs/launch.md.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from templates import commands, context
from templates.commands import Command
from templates.target import TargetError

USAGE = 2


def with_tag(variables: Mapping[str, str]) -> dict[str, str]:
    """TAG is the commit that is checked out where nothing else is given, so that a running job
    never finds another image under its tag. Raises TargetError where that would not be so."""
    if variables.get("TAG"):
        return dict(variables)
    git = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    described = subprocess.run(git, capture_output=True, text=True, check=False)
    tag = described.stdout.strip()
    if tag.endswith("-dirty"):
        raise TargetError("there are changes that are not committed: commit them, or give TAG=…")
    return {**variables, "TAG": tag}


def show(command: Command) -> None:
    print(shlex.join(command), flush=True)


def call(command: Command) -> None:
    """Raises TargetError where the program is missing, CalledProcessError where it fails."""
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError as error:
        raise TargetError(f"{command[0]} is not installed") from error


def carry_out(wanted: Sequence[Command], variables: Mapping[str, str]) -> None:
    for command in wanted:
        show(command)
        if not dry(variables):
            call(command)


def dry(variables: Mapping[str, str]) -> bool:
    return bool(variables.get("DRY_RUN"))


def template(variables: Mapping[str, str]) -> None:
    variables = with_tag(variables)
    wanted = commands.build(variables)
    lay_out = [sys.executable, "-m", context.__name__]
    carry_out([lay_out, *wanted], variables)


def drain_job(variables: Mapping[str, str]) -> None:
    job = variables.get("JOB") or found(commands.running_job(variables), variables)
    carry_out([commands.drain(variables, job)], variables)


def found(command: Command, variables: Mapping[str, str]) -> str:
    """The one job that the command lists. Raises TargetError where there is none, or several."""
    show(command)
    if dry(variables):
        return "JOB"
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    if len(listed) != 1:
        what = "no job of this name runs" if not listed else f"jobs: {', '.join(listed)}"
        raise TargetError(f"{what}; give JOB=ID, or NAME=… if it has another name")
    return listed[0]


LAUNCH_VERBS: Mapping[str, Callable[[Mapping[str, str]], None]] = {
    "template": template,
    "run-streaming": lambda given: carry_out(commands.run("streaming", given), given),
    "run-backfill": lambda given: carry_out(commands.run("backfill", given), given),
    "run-forecast": lambda given: carry_out(commands.run("forecast", given), given),
    "update-streaming": lambda given: carry_out(commands.update(given), given),
    "drain": drain_job,
}


def main(argv: Sequence[str], variables: Mapping[str, str]) -> int:
    if len(argv) != 1 or argv[0] not in LAUNCH_VERBS:
        print(f"usage: python -m templates.launch {'|'.join(LAUNCH_VERBS)}", file=sys.stderr)
        return USAGE
    try:
        LAUNCH_VERBS[argv[0]](variables)
    except TargetError as error:
        print(f"{argv[0]}: {error}", file=sys.stderr)
        return USAGE
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
