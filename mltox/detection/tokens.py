"""Words of a post, for explanations: no links, mentions, entities or retweet marks."""

from __future__ import annotations

import html
import re
import unicodedata

_NOISE = re.compile(r"(?:https?://|www\.)\S+|@\w+|\brt\b", re.IGNORECASE)
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f"
_WORD = re.compile(rf"[{_CJK}]+|#?[^\W{_CJK}]+(?:['’][^\W{_CJK}]+)*")
_UNSPACED = re.compile(rf"[{_CJK}]")
LONGEST_TOKEN = 40


def tokens(text: str) -> tuple[str, ...]:
    """Casefolded words and hashtags in order; scripts without spaces give character pairs.

    >>> tokens("RT @bob: They&#39;re BACK again https://t.co/x #Vote2016")
    ("they're", 'back', 'again', '#vote2016')
    """
    plain = unicodedata.normalize("NFKC", html.unescape(text))
    found: list[str] = []
    for match in _WORD.finditer(_NOISE.sub(" ", plain).casefold()):
        word = match.group().replace("’", "'")
        if _UNSPACED.match(word):
            found += [word[i : i + 2] for i in range(len(word) - 1)]
        elif 2 <= len(word) <= LONGEST_TOKEN and not word.isnumeric():
            found.append(word)
    return tuple(found)
