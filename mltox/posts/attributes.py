"""Attributes of a post's message, beside its payload: the publisher writes them, the graph reads
them."""

POST_ID, CREATED_AT, LETTER_ID = "post_id", "created_at", "letter_id"
"""What makes a message a duplicate, its event time (RFC 3339), the dead letter that it was."""
