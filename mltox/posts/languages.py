"""Codes of languages as networks, people and detectors write them."""

from __future__ import annotations

import re
from typing import Any

_TAG = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.DOTALL)
_NO_LANGUAGE = frozenset({"und", "zxx", "mis", "mul", "art"})
_OLD = {"in": "id", "iw": "he", "ji": "yi"}
_TWO_OF_THREE = {
    # ISO 639-2 and 639-3 codes of languages that have one of two letters; both forms where two
    "afr": "af", "alb": "sq", "amh": "am", "ara": "ar", "arm": "hy", "aze": "az", "baq": "eu",
    "bel": "be", "ben": "bn", "bod": "bo", "bos": "bs", "bul": "bg", "bur": "my", "cat": "ca",
    "ces": "cs", "chi": "zh", "cmn": "zh", "cym": "cy", "cze": "cs", "dan": "da", "deu": "de",
    "div": "dv", "dut": "nl", "ell": "el", "eng": "en", "epo": "eo", "est": "et", "eus": "eu",
    "fas": "fa", "fil": "tl", "fin": "fi", "fra": "fr", "fre": "fr", "geo": "ka", "ger": "de",
    "gle": "ga", "glg": "gl", "gre": "el", "guj": "gu", "hat": "ht", "hau": "ha", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "hye": "hy", "ibo": "ig", "ice": "is", "ind": "id",
    "isl": "is", "ita": "it", "jav": "jv", "jpn": "ja", "kan": "kn", "kat": "ka", "kaz": "kk",
    "khm": "km", "kin": "rw", "kor": "ko", "kur": "ku", "lao": "lo", "lat": "la", "lav": "lv",
    "lit": "lt", "mac": "mk", "mal": "ml", "mar": "mr", "may": "ms", "mkd": "mk", "mlg": "mg",
    "mlt": "mt", "mon": "mn", "mri": "mi", "msa": "ms", "mya": "my", "nep": "ne", "nld": "nl",
    "nob": "no", "nor": "no", "ori": "or", "pan": "pa", "per": "fa", "pol": "pl", "por": "pt",
    "pus": "ps", "ron": "ro", "rum": "ro", "rus": "ru", "sin": "si", "slk": "sk", "slo": "sk",
    "slv": "sl", "som": "so", "spa": "es", "sqi": "sq", "srp": "sr", "sun": "su", "swa": "sw",
    "swe": "sv", "tam": "ta", "tel": "te", "tgl": "tl", "tha": "th", "tib": "bo", "tur": "tr",
    "uig": "ug", "ukr": "uk", "urd": "ur", "uzb": "uz", "vie": "vi", "wel": "cy", "xho": "xh",
    "yid": "yi", "yor": "yo", "zho": "zh", "zul": "zu",
}  # fmt: skip
_NAMES = {
    "arabic": "ar", "chinese": "zh", "dutch": "nl", "english": "en", "french": "fr",
    "german": "de", "hindi": "hi", "indonesian": "id", "italian": "it", "japanese": "ja",
    "korean": "ko", "persian": "fa", "polish": "pl", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr", "ukrainian": "uk",
    "urdu": "ur", "vietnamese": "vi",
}  # fmt: skip


def language(value: Any) -> str | None:
    """The ISO 639 code of a language tag, of two letters where there is one; None for no language.

    X's own codes (`und`, and `qam`, `qct`, `qht`, `qme`, `qst`, `zxx` for posts without words) are
    None; so is anything that is no language tag, since a post is not worse for that.

    >>> language("en-US"), language("eng"), language("qme"), language("English")
    ('en', 'en', None, 'en')
    """
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    match = _TAG.fullmatch(text)
    if match is None:
        return _NAMES.get(text)
    code = match[1]
    if code in _NO_LANGUAGE or (len(code) == 3 and code[0] == "q"):
        return None
    return _TWO_OF_THREE.get(code, _OLD.get(code, code))


_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia
id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo
lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl
ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk
tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ceb ckb war arz azb mzn nds
hsb dsb sco als bar pnb new bpy diq gom krc lez lmo mai min mwl nah nap pam pms sah scn szl tyv
vec vep vls wuu xal xmf yue ast arq ary hmn haw lus bho
"""
_KNOWN = frozenset(_CODES.split())


def is_known(code: str) -> bool:
    """Whether a code that `language` gave is one of a language, and no slip of the pen."""
    return code in _KNOWN
