"""What can go wrong while the page is made."""

from mltox.base.errors import UserError


class DashboardError(UserError):
    """The page cannot be made; the message is one clear line for a person."""
