"""What the documentation links to and shows is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.commands import PAGES, ROOT

LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)")
MAX_PICTURE = 150_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))
    assert [name for name in targets if not (page.parent / name).exists()] == []


def test_each_picture_is_shown_and_small() -> None:
    folder = ROOT / "dashboards" / "pictures"
    shown = LINK.findall((ROOT / "dashboards" / "README.md").read_text("utf-8"))
    pictures = list(folder.iterdir())
    assert pictures
    for picture in pictures:
        assert f"pictures/{picture.name}" in shown
        assert picture.stat().st_size <= MAX_PICTURE
        assert picture.read_bytes().startswith(b"\x89PNG")
