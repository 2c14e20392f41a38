"""What `import mltox` gives: every name that it lists, and nothing heavy until it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

import mltox

HEAVY = (
    "apache_beam",
    "torch",
    "transformers",
    "google.cloud.bigquery",
    "onnxruntime",
    "duckdb",
    "numpy",
)
LOOK = f"import sys, mltox; print([name for name in {HEAVY!r} if name in sys.modules])"


@pytest.mark.parametrize("name", mltox.__all__)
def test_every_name_that_it_lists_is_there(name: str) -> None:
    assert getattr(mltox, name) is not None


def test_a_name_that_it_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Scoerr'"):
        _ = mltox.Scoerr


def test_importing_it_loads_nothing_heavy() -> None:
    shown = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_public_library_without_beam_or_a_network_client(tmp_path: Path) -> None:
    """Scoring, reading, topics and DuckDB in a process in which neither can be imported."""
    program = """
import sys
for name in ("apache_beam", "torch", "transformers", "google.cloud", "tweepy"):
    sys.modules[name] = None
import mltox
with mltox.open_warehouse(sys.argv[1]) as warehouse:
    warehouse.create()
print(mltox.Scorer(threads=1).score(["hello"])[0].toxicity < 0.5, mltox.Topic("a").name)
"""
    shown = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "posts.duckdb")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.split() == ["True", "a"]


def test_a_bare_path_is_wanted() -> None:
    with pytest.raises(TypeError, match="one file, not list"):
        next(mltox.read_posts(["a.csv"]))  # type: ignore[arg-type]
