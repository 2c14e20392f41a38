from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mltox.base.scratch import PREFIX, scratch_folder

HOLD = """
import signal, sys
from mltox.base.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "spool").write_text("text of a post")
    print(folder, flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_goes_with_its_run_also_where_that_fails(temporary: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "spool").write_text("x")
        1 // 0  # noqa: B018
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_goes_and_that_of_a_run_at_work_stays(temporary: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    killed, at_work = (
        subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    )
    left, held = (Path(p.stdout.readline().decode().strip()) for p in (killed, at_work) if p.stdout)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    try:
        assert left.exists()
        with scratch_folder():
            assert not left.exists() and (held / "spool").exists()
    finally:
        at_work.kill()
        at_work.wait()


def test_what_is_not_ours_stays(temporary: Path) -> None:
    (temporary / f"{PREFIX}file").write_text("x")
    (temporary / f"{PREFIX}empty").mkdir()
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / "lock").write_text("")
    (temporary / f"{PREFIX}link").symlink_to(temporary / "elsewhere")
    with scratch_folder():
        pass
    assert len(list(temporary.iterdir())) == 4
