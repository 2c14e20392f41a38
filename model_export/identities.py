"""Which groups a text mentions, for the bias figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_TERMS: Mapping[str, str] = {
    "women": r"wom[ae]n|females?|girls?|lad(?:y|ies)",
    "men": r"m[ae]n|males?|boys?|guys?",
    "gay or lesbian": r"gays?|lesbians?|homosexuals?|bisexuals?|queer|lgbtq?",
    "trans": r"trans(?:gender)?|nonbinary",
    "black": r"black|african[ -]american|africans?",
    "white": r"white",
    "asian": r"asians?|chinese|japanese|koreans?|indians?|vietnamese|filipinos?|pakistanis?",
    "latino": r"latin[oax]s?|mexicans?|hispanics?",
    "jewish": r"jew(?:s|ish)?",
    "muslim": r"muslims?|islamic|islam|arabs?",
    "christian": r"christians?|catholics?",
    "immigrant": r"(?:im)?migrants?|refugees?|foreigners?|asylum seekers?",
    "disabled": r"disabled|disabilit(?:y|ies)|autistic|deaf|blind|wheelchairs?",
    "old": r"elderly|old (?:people|man|woman)",
}
SUBGROUPS = {name: re.compile(rf"\b(?:{terms})\b", re.IGNORECASE) for name, terms in _TERMS.items()}


def mentions(texts: Sequence[str], subgroup: str) -> NDArray[np.bool_]:
    return np.asarray([bool(SUBGROUPS[subgroup].search(text)) for text in texts])
