"""Each command in the documentation exists, with the options that it is given."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
from functools import cache

import pytest

from commands.cli import VERBS, main
from pipelines.runs.arguments import unknown_to_beam
from tests.docs.commands import PAGES, ROOT, Command, all_commands, commands_of

COMMANDS = all_commands()
EXTRAS = ("torch", "onnx", "transformers", "sklearn")


def of(program: str) -> list[Command]:
    return [command for command in COMMANDS if command.words[0] == program]


@cache
def help_of(words: tuple[str, ...]) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    return told.getvalue()


def lists(shown: str, option: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", shown) is not None


@pytest.mark.parametrize("command", of("mltox"), ids=lambda c: f"{c.page}: {' '.join(c.words)}")
def test_an_mltox_command_exists_with_its_options(command: Command) -> None:
    verbs = command.words[1:]
    if not verbs or verbs[0].startswith("-") or verbs[0].isupper():
        return  # `mltox`, `mltox --help` and `mltox VERB` are no single command
    assert verbs[0] in VERBS
    if VERBS[verbs[0]].extra and not all(map(importlib.util.find_spec, EXTRAS)):
        return
    with_source = verbs[0] == "ingest" and len(verbs) > 1 and verbs[1].islower()
    shown = help_of(verbs[: 2 if with_source else 1])
    missing = [option for option in command.options if not lists(shown, option)]
    if "Beam's own pipeline options" in shown:
        missing = [option for option in missing if unknown_to_beam([f"{option}=1"])]
    assert not missing


def makefile() -> str:
    return (ROOT / "Makefile").read_text("utf-8")


@cache
def variables() -> frozenset[str]:
    """Those of the Makefile, of the launcher that it calls, and of the templates' parameters."""
    folder = ROOT / "templates"
    launcher = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    metadata = [json.loads(path.read_text("utf-8")) for path in folder.glob("metadata/*.json")]
    parameters = [each["name"].upper() for page in metadata for each in page["parameters"]]
    read_there = re.findall(r'"([A-Z_]{2,})"', launcher)
    of_make = re.findall(r"^([A-Z_]+) \?=|\$\((\w+)\)", makefile(), re.M)
    return frozenset({*parameters, *read_there, *(name for names in of_make for name in names)})


@pytest.mark.parametrize("command", of("make"), ids=lambda c: f"{c.page}: {' '.join(c.words)}")
def test_a_make_command_has_its_target_and_variables(command: Command) -> None:
    targets = set(re.findall(r"^([\w-]+(?: [\w-]+)*):", makefile(), re.M))
    targets = {name for line in targets for name in line.split()}
    for word in command.words[1:]:
        name, equals, _ = word.partition("=")
        assert word == "…" or name in (variables() if equals else targets)


def test_the_documentation_has_commands() -> None:
    assert len(PAGES) >= 6
    assert len(of("mltox")) > 20 and len(of("make")) > 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\nmltox score 'a b'  # why\n```", [("mltox", "score", "a b")]),
        ("```sh\nmake demo A=b\nls\n```", [("make", "demo", "A=b")]),
        ("```\nmltox demo \\\n  --out x\n```", [("mltox", "demo", "--out", "x")]),
        ("see `mltox demo --out x`, `makes`", [("mltox", "demo", "--out", "x")]),
        ("  ```\n  make test\n  ```", [("make", "test")]),
        ("mltox is a name, and make a verb", []),
    ],
)
def test_commands_are_found(text: str, expected: list[tuple[str, ...]]) -> None:
    assert [command.words for command in commands_of(text, "page")] == expected


def test_an_option_that_is_not_there_is_found() -> None:
    shown = help_of(("dashboard",))
    assert lists(shown, "--looker") and lists(shown, "--warehouse")
    assert not lists(shown, "--look") and not lists(shown, "--warehouses")
