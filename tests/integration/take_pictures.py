"""Pictures of the local page's charts, for dashboards/README.md.

    python -m tests.integration.take_pictures demo/index.html dashboards/pictures

The page is that of `mltox demo`, whose posts are generated.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.integration.browser import Browser, chromium

WIDTH = 1000
MARGIN = 8
PICTURES: Mapping[str, str] = {
    "overview": "[data-part=overview]",
    "toxicity": "article:has(#score-chart)",
    "posts": "article:has(#posts-chart)",
    "anomalies": "article:has(#episodes)",
    "week": "article:has(#week)",
    "labels": "article:has(#labels-chart)",
    "topics": "article:has(#compare-chart)",
    "accuracy": "[data-part=accuracy]",
    "letters": "[data-part=letters]",
}
"""File name without its ending -> what is in it, as a CSS selector."""


def take(browser: Browser, selector: str) -> bytes:
    box = browser.js(
        f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
        " return [b.x + scrollX, b.y + scrollY, b.width, b.height]; })()"
    )
    left, top, width, height = box
    clip = {
        "x": max(0, left - MARGIN),
        "y": top - MARGIN,
        "width": width + 2 * MARGIN,
        "height": min(height, 900) + 2 * MARGIN,
        "scale": 1,
    }
    answer = browser.call(
        "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
    )
    return base64.b64decode(answer["data"])


def main(page: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile) / "p") as browser:
        browser.open(page.resolve(), width=WIDTH)
        for name, selector in PICTURES.items():
            (folder / f"{name}.png").write_bytes(take(browser, selector))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
