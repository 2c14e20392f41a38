"""The counters that docs/operations.md tells to watch are those of the code, and all of them."""

from __future__ import annotations

import re

from tests.docs.commands import ROOT

CODE = re.compile(r'(?:counter|distribution)\(\s*(?:_NAMESPACE,\s*)?f?"([a-z_{}]+)"')


def in_code() -> set[str]:
    files = (ROOT / "pipelines").rglob("*.py")
    found = {name for path in files for name in CODE.findall(path.read_text("utf-8"))}
    return {name.replace("{table}", "TABLE") for name in found}


def in_the_page() -> set[str]:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = text.split("## Watch")[1].split("Alerts worth")[0].split("\n\n", 2)[2]
    return {name for name in re.findall(r"`([a-zA-Z_]+)`", section) if name != "mltox"}


def test_every_counter_is_told_and_every_one_told_is_there() -> None:
    assert in_the_page() == in_code()
    assert len(in_code()) > 15
