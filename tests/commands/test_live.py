"""What `mltox live` refuses before it starts anything."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("given", [["--sped", "60"], ["--bundel", "x"], ["--speed", "0"]])
def test_a_typing_error_is_refused_before_anything_is_started(
    given: list[str], tmp_path: Path
) -> None:
    """No gcloud on the PATH: had the emulator been asked for first, the error would be another."""
    ended = subprocess.run(
        [sys.executable, "-m", "mltox", "live", *given],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    (said,) = [line for line in ended.stderr.splitlines() if "error:" in line]
    assert said.startswith("mltox live: error:") and given[0] in said
    assert "emulator is not installed" not in ended.stderr
    assert not list(tmp_path.iterdir())
