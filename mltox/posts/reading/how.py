"""What a person says about how files are to be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from mltox.base.errors import UsageError
from mltox.posts.formats.stamps import Times, zone_of
from mltox.posts.networks import NETWORKS, network_of


@dataclass(frozen=True)
class How:
    """`source` is the network that all posts of the files are of, `delimiter` that of tables,
    `times` how times are written. What is None is found out, or is as usual."""

    source: str | None = None
    delimiter: str | None = None
    times: Times | None = None


AS_USUAL = How()
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


def delimiter_of(text: str | None) -> str | None:
    """The delimiter that a person named: one sign, or `tab`, `comma`, …. Raises UsageError.

    >>> delimiter_of("tab")
    '\\t'
    """
    if text is None:
        return None
    delimiter = _NAMED.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter in '"\r\n' or delimiter.isalnum():
        raise UsageError(f"--delimiter: {text!r} is not one sign, nor tab, comma, semicolon, pipe")
    return delimiter


def source_of(name: str | None) -> str | None:
    """The network that a person named. Raises UsageError for one that is not known."""
    if name is None:
        return None
    network = network_of(name)
    if network is None:
        raise UsageError(
            f"--source: {name!r} is no network; known are {', '.join(sorted(NETWORKS))}"
        )
    return network


def times_of(date_format: str | None, day_first: bool, zone_name: str | None) -> Times | None:
    """How a person said that times are written; None where nothing was said. Raises UsageError."""
    if date_format is None and not day_first and zone_name is None:
        return None
    if date_format is not None and (day_first or "%" not in date_format):
        what = "goes without --dayfirst" if day_first else "has no % in it, as in '%d/%m/%Y %H:%M'"
        raise UsageError(f"--date-format {what}")
    zone = UTC if zone_name is None else zone_of(zone_name)
    if zone is None:
        raise UsageError(f"--timezone: {zone_name!r} is no zone, as Europe/Berlin or CET are")
    return Times(date_format, day_first, zone)
