"""Topics by keyword: what they are, how a file lists them, which of them a text belongs to."""

from mltox.posts.topics.matcher import TopicMatcher
from mltox.posts.topics.reading import load_topics
from mltox.posts.topics.topic import Topic, TopicError

__all__ = ["Topic", "TopicError", "TopicMatcher", "load_topics"]
