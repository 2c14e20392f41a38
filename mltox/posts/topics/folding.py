"""Text as it is compared: case-folded, compatibility forms made one, in time linear in its length.

NFKC puts every run of combining marks in the order of their classes, which CPython does by
insertion: 96 kB of marks took 2.5 s. So a run is cut to 30 marks first, which is what Unicode's
Stream-Safe Text Format (UAX #15, section 13) allows, and far more than any orthography has.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_APOSTROPHES, _HYPHENS, _SOFT_HYPHEN = "‘’‛ʼʻ´′＇", "‐‑", "\u00ad"
_PLAIN = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_HYPHENS, "-") | {_SOFT_HYPHEN: ""}
)
"""Signs that are typed for others, and the soft hyphen, which is none."""
MOST_MARKS = 30
_PLANES_WITH_MARKS = range(0x300, 0x20000)


def fold(text: str) -> str:
    """Returns the text as it is compared: NFKC-normalised and case-folded, with the apostrophe and
    the hyphen of a keyboard where a phone puts typographic ones.

    >>> fold("ＳＴＲＡẞＥ"), fold("Women’s March")
    ('strasse', "women's march")
    """
    if text.isascii():
        return text.lower()
    return compatible(compatible(text.translate(_PLAIN)).casefold())


def compatible(text: str) -> str:
    """Returns NFKC of the text, of whose runs of combining marks the first MOST_MARKS stay."""
    return unicodedata.normalize("NFKC", _long_runs().sub(r"\1", text))


@cache
def _long_runs() -> re.Pattern[str]:
    marks = f"[{''.join(filter(extends_run, map(chr, _PLANES_WITH_MARKS)))}]"
    return re.compile(f"({marks}{{{MOST_MARKS}}}){marks}+")


def extends_run(character: str) -> bool:
    """Whether it is a mark that is put in order, or decomposes into such marks first."""
    if unicodedata.combining(character):
        return True
    return bool(unicodedata.decomposition(character)) and bool(
        unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
    )
