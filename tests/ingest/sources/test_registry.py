from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from ingest.sources import registry
from ingest.sources.source import SourceError


@pytest.mark.parametrize("name", ["file", "sample"])
def test_a_source_shows_its_own_options_alone(name: str) -> None:
    parser = argparse.ArgumentParser()
    registry.source_module(name).add_arguments(parser)
    options = parser.format_help()
    assert ("--input" in options) == (name == "file")
    assert ("--seed" in options) == (name == "sample")


def test_a_package_that_is_missing_is_one_line_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy_source.py").write_text("import a_network_of_nobody.client\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(registry.SOURCES, "needy", registry.Entry("needy_source", ""))
    with pytest.raises(SourceError) as raised:
        registry.source_module("needy")
    assert str(raised.value) == (
        "needy needs a_network_of_nobody, which is not installed:"
        " pip install --constraint constraints.txt '.[ingest]'"
    )
    sys.modules.pop("needy_source", None)


def test_a_defect_of_our_own_is_no_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.SOURCES, "gone", registry.Entry("ingest.sources.gone", ""))
    with pytest.raises(ModuleNotFoundError):
        registry.source_module("gone")
