"""Both stores, by the same tests: a folder, and Cloud Storage as a server on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.cursors.opening import open_store
from ingest.cursors.store import Conflict, Keeper, LocalStore, StateError, Store
from tests import gcs_server
from tests.gcs_server import Objects

Open = Callable[[], Store]


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    with gcs_server.serving() as (address, objects):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        yield objects


@pytest.fixture(params=["folder", "gs"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the store as another run would."""
    if request.param == "folder":
        return lambda: open_store(str(tmp_path / "deep" / "state"))
    request.getfixturevalue("objects")
    return lambda: open_store("gs://bucket/state/of/mine")


def test_what_is_saved_is_there_for_the_next_run(opened: Open) -> None:
    store = opened()
    assert store.load("cursor-x") == ({}, 0)
    version = store.save("cursor-x", {"a": "1", "ключ": "€"}, 0)
    assert version > 0
    assert opened().load("cursor-x") == ({"a": "1", "ключ": "€"}, version)
    assert opened().load("cursor-y") == ({}, 0)
    assert store.save("cursor-x", {}, version) > version


def test_two_runs_do_not_set_each_other_back(opened: Open) -> None:
    first, second = Keeper(opened(), "x"), Keeper(opened(), "x")
    first.move({"a": "1"})
    first.save()
    second.move({"a": "0"})
    with pytest.raises(Conflict, match="another run"):
        second.save()
    assert Keeper(opened(), "x").cursor == {"a": "1"}


def test_a_move_leaves_the_other_keys(opened: Open) -> None:
    keeper = Keeper(opened(), "x")
    keeper.move({"a": "1", "b": "2"})
    keeper.save()
    keeper.move({"b": "3"})
    keeper.save()
    assert Keeper(opened(), "x").cursor == {"a": "1", "b": "3"}


@pytest.mark.parametrize("name", ["", "../x", "a/b", "X", "x" * 200])
def test_a_name_is_no_path(name: str, opened: Open) -> None:
    with pytest.raises(StateError):
        opened().load(name)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema":2,"version":1,"value":{}}',
                                     '{"schema":1,"version":1,"value":{"a":1}}'])  # fmt: skip
def test_a_state_that_is_none_is_told_not_overwritten(content: str, tmp_path: Path) -> None:
    path = tmp_path / "cursor-x.json"
    path.write_text(content)
    with pytest.raises(StateError, match=r"cursor-x\.json is no state of mltox"):
        Keeper(LocalStore(tmp_path), "x")
    assert path.read_text() == content


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"--state .*file/state: Not a directory"):
        open_store(str(tmp_path / "file" / "state"))


def test_killed_while_it_saves_the_file_is_whole(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ingest.cursors.store import LocalStore\n"
        "store, version = LocalStore(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    version = store.save('x', {'n': str(version), 'fill': 'f' * 50_000}, version)\n"
        "    print(version, flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(40)][-1]
        os.kill(process.pid, signal.SIGKILL)
    kept = LocalStore(tmp_path).load("x")
    assert kept.version >= said
    assert kept.value["n"] == str(kept.version - 1)


def test_a_write_whose_answer_is_lost_is_no_conflict(objects: Objects) -> None:
    store = open_store("gs://bucket/state")
    objects.lose_answers = 1
    version = store.save("x", {"a": "1"}, 0)
    assert open_store("gs://bucket/state").load("x") == ({"a": "1"}, version)
    assert store.save("x", {"a": "2"}, version) > version


def test_what_cloud_storage_refuses_is_one_line(objects: Objects) -> None:
    objects.refuse = True
    for use in (lambda s: s.load("x"), lambda s: s.save("x", {}, 0)):
        with pytest.raises(StateError, match=r"gs://bucket/x\.json: .*no permission") as raised:
            use(open_store("gs://bucket"))
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("uri", ["gs://", "gs:///a", "gs://Bucket/a"])
def test_a_bucket_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(StateError, match="written gs://BUCKET/PREFIX"):
        open_store(uri)
