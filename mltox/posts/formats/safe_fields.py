"""The fields of a message that a dead letter may keep, and the forms that their values have.

Whatever is not listed is masked, see `mltox.posts.formats.masked`.
"""

from __future__ import annotations

import re

CONTAINERS = frozenset(
    [
        "data",
        "payload",
        "commit",
        "record",
        "post",
        "posts",
        "feed",
        "tweet",
        "tweets",
        "includes",
        "statuses",
        "status",
        "children",
        "replies",
        "reblog",
        "retweeted_status",
        "quoted_status",
        "extended_tweet",
        "note_tweet",
        "referenced_tweets",
        "delete",
        "drop",
    ]
)
"""Keys under which there is a post, or a part of one. What is under any other is not the post's."""
IDS = frozenset(["id", "id_str", "post_id", "conversation_id", "parent_id", "link_id", "deleted"])
TIMES = frozenset(
    [
        "created_at",
        "createdAt",
        "created_utc",
        "time_us",
        "timestamp",
        "timestamp_ms",
        "ingested_at",
    ]
)
LANGUAGES = frozenset(["lang", "language", "langs"])
TEXT_FIELDS = frozenset(
    ["text", "full_text", "body", "selftext", "content", "title", "spoiler_text"]
)
TOPIC_FIELDS = frozenset(["topic", "topics"])
WORDS = frozenset(
    ["source", "kind", "type", "$type", "event", "operation", "collection", "mltox_notice"]
)
COUNT_FIELDS = frozenset(["schema", "result_count", "count"])
ACCOUNTS = frozenset(
    [
        "author",
        "author_id",
        "author_key",
        "author_fullname",
        "author_name",
        "user",
        "user_id",
        "user_id_str",
        "user_name",
        "userName",
        "userId",
        "username",
        "screen_name",
        "screenName",
        "account",
        "account_id",
        "acct",
        "name",
        "display_name",
        "displayName",
        "nickname",
        "from_user",
        "from_user_id",
        "did",
        "handle",
        "owner",
        "creator",
        "link_author",
        "approved_by",
        "banned_by",
        "in_reply_to_user_id",
        "in_reply_to_user_id_str",
        "in_reply_to_screen_name",
        "in_reply_to_account_id",
        "users",
        "user_mentions",
        "mentions",
    ]
)
OTHER_KEYS = frozenset(
    [
        "rkey",
        "rev",
        "cid",
        "uri",
        "url",
        "urls",
        "permalink",
        "subreddit",
        "entities",
        "errors",
        "meta",
        "message",
        "detail",
        "embed",
        "embeds",
        "external",
        "card",
        "media",
        "attachments",
        "public_metrics",
        "score",
        "bio",
        "description",
        "location",
    ]
)
KEYS = (
    CONTAINERS
    | IDS
    | TIMES
    | LANGUAGES
    | TEXT_FIELDS
    | TOPIC_FIELDS
    | WORDS
    | COUNT_FIELDS
    | ACCOUNTS
) | OTHER_KEYS
BODIES = TEXT_FIELDS - {"title", "spoiler_text"}
ACCOUNT_MARKS = frozenset(["username", "screen_name", "acct", "userName", "handle", "display_name"])

KNOWN_WORDS = frozenset(
    [
        "x",
        "bluesky",
        "mastodon",
        "reddit",
        "file",
        "sample",
        "t1",
        "t2",
        "t3",
        "t4",
        "t5",
        "t6",
        "more",
        "Listing",
        "commit",
        "identity",
        "account",
        "update",
        "status.update",
        "delete",
        "create",
        "retweeted",
        "quoted",
        "replied_to",
        "message",
        "app.bsky.feed.post",
        "app.bsky.feed.like",
        "app.bsky.feed.repost",
        "network.bsky.jetstream.subscribeEvents#commit",
    ]
)
ID = re.compile(
    r"(?:(?:x|bluesky|mastodon|reddit|file|sample):)?"
    r"(?:[A-Za-z]{0,2}[0-9]{1,40}|t[1-6]_[0-9a-z]{1,20}|[0-9a-f]{16,64}|[0-9a-f-]{36})"
)
TIME = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|GMT|UTC)"
    r"|[0-9TZ:+., /-]){1,40}"
)
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,2}")
