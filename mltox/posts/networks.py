"""The networks that posts come from, and what people call them.

Only what is in this list is a network: the column `source` of X's exports holds the device that a
post was written on, and an id must not depend on that.
"""

from __future__ import annotations

from functools import lru_cache

DEFAULT_SOURCE = "file"
"""Of a post of which nobody says where it is from."""

NETWORKS = frozenset(
    {
        "4chan", "8kun", "blog", "bluesky", "discord", "disqus", "facebook", "file", "flickr",
        "forum", "gab", "gettr", "hackernews", "instagram", "kakao", "koo", "lemmy", "line",
        "linkedin", "mastodon", "medium", "minds", "news", "nostr", "odnoklassniki", "parler",
        "pinterest", "pixelfed", "quora", "reddit", "rumble", "sample", "snapchat", "stackexchange",
        "telegram", "threads", "tiktok", "truthsocial", "tumblr", "twitch", "usenet", "vimeo",
        "vk", "weibo", "whatsapp", "wikipedia", "x", "youtube",
    }
)  # fmt: skip

_ALIASES = {
    "bsky": "bluesky", "bsky.app": "bluesky", "fb": "facebook", "hn": "hackernews",
    "ig": "instagram", "insta": "instagram", "reddit.com": "reddit", "stackoverflow":
    "stackexchange", "telegram channel": "telegram", "tg": "telegram", "tiktok.com": "tiktok",
    "truth social": "truthsocial", "twitter": "x", "twitter.com": "x", "twitter/x": "x",
    "vkontakte": "vk", "x (twitter)": "x", "x.com": "x", "x/twitter": "x", "yt": "youtube",
    "youtube.com": "youtube",
}  # fmt: skip


@lru_cache(maxsize=1_000)
def network_of(name: str) -> str | None:
    """The network that a name stands for, as ids have it; None where it names none.

    >>> network_of("Twitter"), network_of("Twitter for iPhone")
    ('x', None)
    """
    plain = " ".join(name.casefold().split()).removeprefix("www.")
    plain = _ALIASES.get(plain, plain)
    return plain if plain in NETWORKS else None
