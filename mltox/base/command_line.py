"""One kind of parser for every command: dashes shown, underscores accepted, nothing abbreviated."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any


class Parser(argparse.ArgumentParser):
    """Options have dashes; where a person types underscores, as Beam's options have them, that is
    the same option. An option may not be abbreviated: a script that says `--out` must not mean
    another one when `--outbox` goes. Line breaks of descriptions and examples are kept.

    >>> parser = Parser(prog="mltox sample")
    >>> _ = parser.add_argument("--topics_file")
    >>> parser.parse_args(["--topics_file", "a.yaml"]).topics_file
    'a.yaml'
    >>> parser.parse_args(["--topics-file=b.yaml"]).topics_file
    'b.yaml'
    >>> print(parser.format_usage().strip())
    usage: mltox sample [-h] [--topics-file TOPICS_FILE]
    """

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        settings.setdefault("allow_abbrev", False)
        super().__init__(**settings)

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        return super().add_argument(*map(dashed, names), **settings)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(known_with(given, self.options(), dashed), namespace)

    def options(self) -> Collection[str]:
        """The names of all options, as they are shown."""
        return self._option_string_actions


def dashed(name: str) -> str:
    """
    >>> dashed("--topics_file=my_topics.yaml")
    '--topics-file=my_topics.yaml'
    """
    return _respelt(name, "_", "-")


def underscored(name: str) -> str:
    """
    >>> underscored("--topics-file=my-topics.yaml")
    '--topics_file=my-topics.yaml'
    """
    return _respelt(name, "-", "_")


def known_with(
    arguments: Sequence[str], known: Collection[str], respell: Callable[[str], str]
) -> list[str]:
    """The arguments, with each option that is known only by its other spelling in that one."""
    made: list[str] = []
    for index, argument in enumerate(arguments):
        if argument == "--":
            return [*made, *arguments[index:]]
        name = argument.partition("=")[0]
        other = respell(name) if name.startswith("--") else name
        made.append(respell(argument) if name not in known and other in known else argument)
    return made


def _respelt(argument: str, old: str, new: str) -> str:
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace(old, new) + equals + value
