"""What can go wrong while the page is made."""


class DashboardError(Exception):
    """The page cannot be made; the message is one clear line for a person."""
