"""What is planted in the sample, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ingest.sources.sample.texts import ELECTION, FOOTBALL, TRANSIT


class PlantedIncident(NamedTuple):
    """An incident over `hours` hours from hour `start`, counted from the first Monday, 00:00 UTC.

    `extra` posts an hour come on top of the topic's own, `theme` (a part of them `calm`, the rest
    of the symbol `theme` of the topic's grammar); the topic's own are multiplied by `usual`.
    `terms` are words that the theme's texts hold and ordinary ones do not.
    """

    topic: str
    kind: str
    metric: str
    direction: str
    start: int
    hours: int
    extra: float
    theme: str = ""
    calm: str = ""
    calm_share: float = 0.0
    usual: float = 1.0
    terms: tuple[str, ...] = ()
    about: str = ""

    def strength(self, hour: int) -> float:
        """Returns how strong the incident is in an hour, 0 outside: it rises, stays and ebbs."""
        at = hour - self.start
        if not 0 <= at < self.hours:
            return 0.0
        return 0.8 if at in (0, self.hours - 1) else 1.1


def _at(day: int, hour: int) -> int:
    return day * 24 + hour


INCIDENTS = (
    PlantedIncident(
        ELECTION,
        "toxicity_surge",
        "toxic_share",
        "up",
        start=_at(10, 19),
        hours=5,
        extra=42,
        theme="debate",
        calm="debate_calm",
        calm_share=0.25,
        terms=("debate", "memo", "moderator", "#debatenight"),
        about="a leaked memo in the televised debate",
    ),
    PlantedIncident(
        FOOTBALL,
        "volume_surge",
        "posts",
        "up",
        start=_at(13, 16),
        hours=6,
        extra=55,
        theme="cup",
        terms=("cup", "trophy", "final", "#cupwinners"),
        about="the cup is won; joy, and no more toxicity than usual",
    ),
    PlantedIncident(
        TRANSIT,
        "toxicity_surge",
        "toxic_share",
        "up",
        start=_at(15, 7),
        hours=4,
        extra=40,
        theme="tunnel",
        calm="tunnel_calm",
        calm_share=0.2,
        terms=("tunnel", "stranded", "#tunnelchaos"),
        about="passengers stranded in a tunnel",
    ),
    PlantedIncident(
        FOOTBALL,
        "volume_surge",
        "posts",
        "up",
        start=_at(17, 9),
        hours=4,
        extra=40,
        theme="transfer",
        terms=("salcedo", "medical", "#salcedodeal"),
        about="rumours of a transfer",
    ),
    PlantedIncident(
        FOOTBALL,
        "toxicity_surge",
        "toxic_share",
        "up",
        start=_at(19, 17),
        hours=4,
        extra=45,
        theme="penalty",
        calm="penalty_calm",
        calm_share=0.2,
        terms=("penalty", "referee", "#penaltygate"),
        about="a penalty in the last minute",
    ),
    PlantedIncident(
        TRANSIT,
        "silence",
        "posts",
        "down",
        start=_at(21, 13),
        hours=6,
        extra=0,
        usual=0.02,
        about="hardly a post arrives, as if a source were down",
    ),
    PlantedIncident(
        ELECTION,
        "brigade",
        "toxic_share",
        "up",
        start=_at(23, 13),
        hours=3,
        extra=85,
        theme="brigade",
        terms=("step", "coward", "#stepdownvarga"),
        about="many accounts repeat the same three insults",
    ),
    PlantedIncident(
        TRANSIT,
        "toxicity_surge",
        "toxic_share",
        "up",
        start=_at(25, 21),
        hours=5,
        extra=16,
        theme="video",
        terms=("video", "conductor", "#line4video"),
        about="a video from the night bus; few posts, most of them hostile",
    ),
)

BY_TOPIC: Mapping[str, tuple[PlantedIncident, ...]] = {
    topic: tuple(incident for incident in INCIDENTS if incident.topic == topic)
    for topic in (ELECTION, FOOTBALL, TRANSIT)
}
