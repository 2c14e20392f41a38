"""Nothing of a run is told to anybody, ONNX Runtime's maker included."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCORE = "from mltox.scoring import Scorer; Scorer(threads=1).score(['hello']); print('scored')"
LOOKS_UP = ("/etc/resolv.conf", "/etc/hosts", "sin_port=htons(53)", "nscd")


def environment(home: Path) -> dict[str, str]:
    """Without what ONNX Runtime takes for a sign that it is being tested."""
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")}
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}


def test_scoring_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCORE], env=environment(tmp_path), capture_output=True, text=True
    )
    assert done.stdout == "scored\n", done.stderr
    assert list(tmp_path.rglob("*")) == []


def test_who_wants_to_report_may(tmp_path: Path) -> None:
    show = "import mltox, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for given, shown in (({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")):
        env = {**environment(tmp_path), **given}
        done = subprocess.run([sys.executable, "-c", show], env=env, capture_output=True, text=True)
        assert done.stdout.strip() == shown


@pytest.mark.drill
def test_scoring_looks_up_no_name(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    trace = tmp_path / "trace"
    wait = f"{SCORE}; import time; time.sleep(25)"
    command = ["strace", "-f", "-e", "trace=openat,connect,sendto", "-o", str(trace)]
    command += [sys.executable, "-c", wait]
    subprocess.run(command, env=environment(tmp_path / "home"), check=True)
    told = [
        line for line in trace.read_text().splitlines() if any(sign in line for sign in LOOKS_UP)
    ]
    assert told == []


def test_exports_tell_nothing_either(tmp_path: Path) -> None:
    code = "import model_export.quantise, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True
    )
    if "No module named" not in done.stderr:  # an extra that is not installed
        assert done.stdout.strip() == "1"
    assert not list(tmp_path.rglob("*onnxruntime*"))
