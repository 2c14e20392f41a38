"""What a span of hours of a topic holds: its posts, what is said more than before, and by whom."""
