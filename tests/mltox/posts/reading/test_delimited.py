"""Damaged tables: every row that can be saved is saved."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.reading.delimited import TableRow, table_rows
from mltox.posts.reading.dialect import Dialect, dialect_of

HEADER = "id,created_at,text\n"
ROWS = [f"{n},2020-01-0{n % 9 + 1},text {n}\n" for n in range(1, 41)]


def read(text: str, default: str = ",") -> tuple[list[TableRow], list[tuple[int, int]], Dialect]:
    lines = io.StringIO(text, newline="").readlines()
    dialect = dialect_of(lines, default, ["text"])
    suspected: list[tuple[int, int]] = []
    body = lines[dialect.preamble + 1 :]
    rows = table_rows(
        body,
        dialect,
        len(dialect.header),
        lambda line, count: suspected.append((line, count)),
        dialect.preamble + 2,
    )
    return list(rows), suspected, dialect


def with_row_5(row: str) -> str:
    return HEADER + "".join([*ROWS[:4], row, *ROWS[5:]])


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        (with_row_5('5,2020-01-01,"he opens\n'), [6]),
        (with_row_5('5,"2020-01-01,he opens\n'), [6]),
        (with_row_5('"5,2020-01-01,he opens\n'), [6]),
        (with_row_5('5,2020-01-01,"he opens\n').replace("text 20\n", '"a, b"\n'), [6]),
        (with_row_5('5,2020-01-01,"he opens\n').replace("text 20\n", '"zzz\n'), [6, 21]),
        (with_row_5('5,2020-01-01,"two\nlines" x\n'), [6]),
        (with_row_5("5,2020-01-01,one, two\n"), [6]),
        (with_row_5("5,2020-01-01\n"), [6]),
    ],
)
def test_a_damaged_row_takes_no_other_with_it(text: str, damaged: list[int]) -> None:
    rows, _, _ = read(text)
    assert [row.line for row in rows if row.fault] == damaged
    whole = {row.cells[0] for row in rows if not row.fault}
    lost = {"5", "20"} if 21 in damaged else {"5"}
    assert whole == {str(n) for n in range(1, 41)} - lost
    assert all(row.text for row in rows if row.fault)


@pytest.mark.parametrize("close", ["", '"'])
def test_a_quote_that_is_missing_where_all_cells_are_quoted(close: str) -> None:
    lines = [f'"{n}","t{n}","2020"\n' for n in range(1, 9)]
    lines[3] = f'"4","t4,"2020{close}\n'
    rows, _, _ = read('"id","text","at"\n' + "".join(lines))
    assert [row.cells[0] for row in rows if not row.fault] == list("1235678")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ('5,2020-01-01,"hi" he said\n', '"hi" he said'),
        ('5,2020-01-01,he said "hi"\n', 'he said "hi"'),
        ('5,2020-01-01,"he said ""hi"", then, left"\n', 'he said "hi", then, left'),
        ('5,2020-01-01,"he said \\"hi\\", then left"\n', 'he said "hi", then left'),
        ('5,2020-01-01,"two\nlines"\n', "two\nlines"),
        ('5,2020-01-01,closed"\n', 'closed"'),
        ("5,2020-01-01,a,,\n", "a"),
    ],
)
def test_what_is_sound_or_nearly_so_is_read_as_it_was_posted(row: str, text: str) -> None:
    rows, _, _ = read(with_row_5(row))
    assert not any(each.fault for each in rows)
    assert rows[4].cells[2] == text


def test_a_sound_cell_that_holds_what_looks_like_rows_is_one_post_and_told() -> None:
    rows, suspected, _ = read(with_row_5('5,2020-01-01,"list:\n9,9,9\n8,8,8\nend"\n'))
    assert len(rows) == 40 and suspected == [(6, 2)]


@pytest.mark.parametrize(
    ("text", "delimiter", "names"),
    [
        ("id;text\n1;a, b\n2;c\n", ";", ("id", "text")),
        ("sep=;\nid;text\n1;a, b\n", ";", ("id", "text")),
        ("id\ttext\n1\ta, b\n", "\t", ("id", "text")),
        ("id|text\n1|a, b\n", "|", ("id", "text")),
        ("Report:,all\nBrand:,x\n\nid,text\n1,a\n", ",", ("id", "text")),
        ("Report: all; of it\n\nid;text\n1;a, b\n", ";", ("id", "text")),
        ('"id","text"\n"1","1","a"\n"2","2","b"\n', ",", ("", "id", "text")),
        ("text\nhello, you\n", ",", ("text",)),
        (" id , text \n1,a\n", ",", ("id", "text")),
    ],
)
def test_how_a_table_is_written(text: str, delimiter: str, names: tuple[str, ...]) -> None:
    rows, _, dialect = read(text)
    assert (dialect.delimiter, dialect.header) == (delimiter, names)
    if names != ("text",):
        assert not any(row.fault for row in rows)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('"open', '"open'),
        ('he "said" it', 'he "said" it'),
        ('"hello"', '"hello"'),
        ('"he said ""x"""', 'he said "x"'),
        ('"two\nlines"', "two\nlines"),
    ],
)
def test_quotes_of_tabbed_tables_are_letters_unless_they_are_not(cell: str, text: str) -> None:
    rows, _, _ = read(f"id\ttext\tat\n1\t{cell}\t2020\n2\tb\t2020\n", "\t")
    assert [row.cells for row in rows] == [["1", text, "2020"], ["2", "b", "2020"]]


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0"), max_size=9)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12), st.booleans())
def test_what_a_csv_writer_wrote_is_what_is_read(
    cells: list[tuple[str, str, str]], all_quoted: bool
) -> None:
    made = io.StringIO(newline="")
    writer = csv.writer(made, quoting=csv.QUOTE_ALL) if all_quoted else csv.writer(made)
    writer.writerows([("a", "text", "c"), *cells])
    rows, _, _ = read(made.getvalue())
    # a row of blank cells alone is as good as none only where there is one column
    assert [tuple(row.cells) for row in rows] == cells
