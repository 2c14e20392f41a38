"""The text of a Mastodon status, which comes as HTML."""

from __future__ import annotations

import html
import re

# Servers send a small, cleaned set of tags. A regular expression, unlike the standard library's
# parser, neither raises on a malformed declaration nor takes long on a hostile one.
_TAG = re.compile(r"<(/?[a-zA-Z!][^\s<>/]*)[^<>]*>")
_BREAKS = {"br": "\n", "/p": "\n\n", "/blockquote": "\n\n", "/pre": "\n\n", "li": "\n- "}


def text_of_html(content: str) -> str:
    """Returns the text as a reader sees it: no tags, entities resolved, paragraphs apart."""
    text = _TAG.sub(lambda tag: _BREAKS.get(tag[1].lower(), ""), content)
    return html.unescape(text).strip()
