"""The text of a Mastodon status, which comes as HTML."""

from __future__ import annotations

import html
import re

# Servers send a small, cleaned set of tags. A regular expression, unlike the standard library's
# parser, neither raises on a malformed declaration nor takes long on a hostile one.
_TAG = re.compile(r"<(/?)([a-zA-Z!][^\s<>/]*)([^<>]*)>")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""")
_BLANK_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")
_LINES = frozenset({"dd", "dt", "figcaption", "li", "summary", "tr"})
_PARAGRAPHS = frozenset(
    {
        "address", "article", "aside", "blockquote", "center", "details", "dialog", "div", "dl",
        "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "main", "menu", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead",
        "ul",
    }
)  # fmt: skip


def text_of_html(content: str) -> str:
    """Returns the text as a reader sees it: no tags, entities resolved, paragraphs apart.

    >>> text_of_html("<h1>Stop</h1><p>Two<br>lines</p><ul><li>a</li><li>b</li></ul>")
    'Stop\\n\\nTwo\\nlines\\n\\n- a\\n- b'
    """
    text = _BLANK_LINES.sub("\n\n", _TAG.sub(_shown, content).replace("\r\n", "\n"))
    return html.unescape(text).strip()


def _shown(tag: re.Match[str]) -> str:
    closing, name = bool(tag[1]), tag[2].lower()
    if name == "br":
        return "\n"
    if name == "li":
        return "" if closing else "\n- "
    if name in _PARAGRAPHS:
        return "\n\n"
    if name in _LINES:
        return "\n"
    if name in ("td", "th"):
        return "" if closing else " "
    if name == "img":
        # some servers send custom emoji as pictures; what they are called is what was typed
        alt = _ALT.search(tag[3])
        return (alt[1] or alt[2] or "") if alt else ""
    return ""
