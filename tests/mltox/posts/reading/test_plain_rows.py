"""Files as archives and spreadsheets hold them: ids, networks, times, letters."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Mapping
from pathlib import Path

import pytest

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import find_inputs
from mltox.posts.reading.how import How, delimiter_of, source_of, times_of
from mltox.posts.reading.remarks import Remarks
from mltox.posts.reading.rows import read_rows

NOW = 1_767_225_600_000_000
KEYS = AuthorKeys(b"a secret of the tests")


def read(
    path: Path,
    columns: Mapping[str, str] | None = None,
    how: How | None = None,
    remarks: Remarks | None = None,
) -> list[Envelope | Reject]:
    rows = read_rows(path, columns, how=how or How(), remarks=remarks)
    return [item for row in rows for item in decode(row.payload, authors=KEYS, now=NOW)]


def ids(items: list[Envelope | Reject]) -> list[str]:
    return [item.post_id if isinstance(item, Envelope) else item.error_type for item in items]


TWEETS = (
    "id,created_at,text,source,author_id,conversation_id,retweet_count\n"
    "1212092628029698048,2019-12-31T19:26:16.000Z,hello,Twitter for iPhone,5,1,0\n"
    "1212092632223977472,2019-12-31T19:26:17.000Z,again,TweetDeck,5,1,0\n"
)


def test_the_device_of_a_tweet_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "tweets.csv"
    path.write_text(TWEETS)
    items = read(path)
    assert ids(items) == ["x:1212092628029698048", "x:1212092632223977472"]
    assert {getattr(item, "author_key", "") for item in items} == {KEYS.key("x", "5")}


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_file_of_an_unknown_network_is_told_and_can_be_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    row = {"id": "7", "text": "t", "created_at": "2020-01-01", "source": "Twitter for iPhone"}
    if name == "a.csv":
        path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    else:
        path.write_text(json.dumps(row))
    remarks = Remarks()
    assert ids(read(path, remarks=remarks)) == ["file:7"]
    (line,) = remarks.lines()
    assert "--source names it" in line and "Twitter for iPhone" in line
    assert ids(read(path, how=How(source=source_of("Twitter")))) == ["x:7"]


def test_ids_that_hold_their_times_are_of_x(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id,created_at,text\n1212092628029698048,2019-12-31 19:26:16,a\n"
        "1212092632223977472,2019-12-31 19:26:17,b\n"
    )
    assert ids(read(path)) == ["x:1212092628029698048", "x:1212092632223977472"]
    path.write_text("id,text\n1212092628029698048,a\n")
    (post,) = read(path, how=How(source="x"))
    assert isinstance(post, Envelope) and post.created_at // 1_000_000 == 1_577_820_376


@pytest.mark.parametrize(
    "given",
    [
        ["1.82303E+18", "1.82303E+18"],
        ["1,82303E+18", "1,82303E+18"],
        ["1823030000000000000", "1823030000000000000"],
        ["1823034455667788990.0", "1823034455667788990.0"],
    ],
)
def test_ids_that_a_spreadsheet_rounded_are_none(given: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    rows = [f"{each}\ttext {n}\t2020-01-01\n" for n, each in enumerate(given)]
    path.write_text("id\ttext\tcreated_at\n" + "".join(rows))
    remarks = Remarks()
    found = ids(read(path, remarks=remarks))
    assert len(set(found)) == 2 and all(len(each) == len("file:") + 32 for each in found)
    assert "rounded numbers" in remarks.lines()[0]
    assert ids(read(path)) == found


def test_long_ids_of_which_one_ends_in_zeros_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id,text,created_at\n1823030000000000000,a,2020-01-01\n1823030000000000417,b,2020-01-01\n"
    )
    assert ids(read(path)) == ["file:1823030000000000000", "file:1823030000000000417"]


@pytest.mark.parametrize(
    ("stamp", "how"),
    [
        ("31/12/2020 14:05", times_of(None, True, None)),
        ("31.12.2020, 14:05", times_of(None, True, None)),
        ("12/31/2020 02:05 PM", times_of("%m/%d/%Y %I:%M %p", False, None)),
        ("2020-12-31 15:05", times_of(None, False, "Europe/Berlin")),
        ("2020-12-31 09:05", times_of(None, False, "EST")),
        ("2020-12-31T14:05Z", times_of(None, False, "Europe/Berlin")),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_times_as_a_person_says_that_they_are_written(
    stamp: str, how: object, name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    row = {"id": "1", "text": "t", "created_at": stamp}
    if name == "a.csv":
        path.write_text(f'id,text,created_at\n1,t,"{stamp}"\n')
    else:
        path.write_text(json.dumps(row))
    (post,) = read(path, how=How(times=how))  # type: ignore[arg-type]
    assert isinstance(post, Envelope) and post.created_at == 1_609_423_500_000_000


def test_what_a_person_says_wrongly_is_one_line() -> None:
    for wrong in (
        lambda: source_of("twiter"),
        lambda: delimiter_of("ab"),
        lambda: times_of("yyyy", False, None),
        lambda: times_of("%Y", True, None),
        lambda: times_of(None, False, "Mars/Base"),
    ):
        with pytest.raises(Exception, match=r"^--(source|delimiter|date-format|timezone)"):
            wrong()


def test_keys_of_json_are_looked_for_as_columns_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"user": {"name": f"n{n}"}, "t": "hello", "at": "2020-01-01"} for n in range(3)]
    lines = [json.dumps(row) for row in rows]
    lines[1] = lines[1].replace("}", ', "odd": "\\ud800"}', 1)
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    columns = {"text": "t", "created_at": "at", "author": "user.name"}
    items = read(path, columns)
    assert [getattr(item, "author_key", None) for item in items] == [
        KEYS.key("file", f"n{n}") for n in range(3)
    ]
    with pytest.raises(InputError, match=r"no key 'body' \(for text\); a.jsonl has user, t, at"):
        read(path, {"text": "body", "created_at": "at"})


@pytest.mark.parametrize(
    "content",
    [
        'window.YTD.tweets.part0 = [ {"tweet": TWEET}, {"tweet": TWEET2} ]',
        "[TWEET, TWEET2]",
        "[TWEET]\n[TWEET2]\n",
        "TWEET,\nTWEET2,\n",
        "TWEETTWEET2",
        '{\n"oops\n}\nTWEET\nTWEET2',
    ],
)
@pytest.mark.parametrize("name", ["tweets.js", "tweets.json", "tweets.jsonl", "part-0"])
def test_the_name_of_a_file_does_not_decide(content: str, name: str, tmp_path: Path) -> None:
    tweet = {"id_str": "1212092628029698048", "full_text": "a", "lang": "en"}
    text = content.replace(
        "TWEET2", json.dumps(tweet | {"id_str": "1212092632223977472"}, indent=1)
    )
    path = tmp_path / name
    path.write_text(text.replace("TWEET", json.dumps(tweet, indent=1)))
    good = [each for each in ids(read(path)) if each.startswith("x:")]
    assert good == ["x:1212092628029698048", "x:1212092632223977472"]


def test_a_folder_names_what_it_leaves_out(tmp_path: Path) -> None:
    row = b'{"id":"a","text":"hello","created_at":"2021-01-01"}\n'
    packed = {".gz": gzip.compress(row), ".xz": lzma.compress(row)}
    names = ("tweets.2021-01-02.gz", "b.jsonl-20210103.gz", "c.jsonl.1", "d.xz", "part-0")
    for name in names:
        (tmp_path / name).write_bytes(packed.get(Path(name).suffix, row))
    for name, content in (
        ("page.html", b"<html>"),
        ("a.db", b"SQLite format 3\0"),
        ("n.txt", b"x"),
    ):
        (tmp_path / name).write_bytes(content)
    found = find_inputs([str(tmp_path)])
    assert sorted(path.name for path in found.paths) == sorted(names)
    assert [line.split(": ")[0].rpartition("/")[2] for line in found.left_out] == [
        "a.db",
        "n.txt",
        "page.html",
    ]
    with pytest.raises(InputError, match="HTML"):
        find_inputs([str(tmp_path / "page.html")])


def test_a_letter_has_what_is_left_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text,created_at\n1,"you idiot,2020-01-01\n2,b,2020-01-01\n')
    letter, _ = read(path)
    assert isinstance(letter, Reject) and "you idiot" in letter.payload
    path.write_text('id,text,created_at,author\n1,"hi,2020-01-01,raw_author\n2,b,2020-01-01,c\n')
    letter, _ = read(path)
    assert isinstance(letter, Reject) and letter.payload and "raw_author" not in str(letter)
