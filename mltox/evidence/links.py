"""Where a post can be read at its network, as far as its id tells.

Ids of Bluesky and Mastodon are hashes, for the addresses there hold the author's name; a comment
of Reddit is found only beneath its submission. So X and submissions have links.
"""

from __future__ import annotations

import re

_X = re.compile(r"x:([0-9]{1,20})", re.ASCII)
_REDDIT = re.compile(r"reddit:t3_([a-z0-9]{1,13})", re.ASCII)


def link_of(post_id: str) -> str | None:
    """An https address, or None where the id alone does not lead to the post.

    Only an id of the network's own form makes a link: no text of a stranger becomes an address.

    >>> link_of("x:1357")
    'https://x.com/i/status/1357'
    >>> link_of("reddit:t1_abc") is None
    True
    """
    if found := _X.fullmatch(post_id):
        return f"https://x.com/i/status/{found[1]}"
    if found := _REDDIT.fullmatch(post_id):
        return f"https://www.reddit.com/comments/{found[1]}/"
    return None
