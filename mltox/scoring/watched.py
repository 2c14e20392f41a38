"""A scorer whose bundle may be replaced while it works."""

from __future__ import annotations

import logging
import threading
import time
from enum import Enum

from mltox.scoring.bundle import BundleError, peek_fingerprint
from mltox.scoring.scale.maps import MODEL_SCALE
from mltox.scoring.scale.scaled import AnyScorer, opened_on
from mltox.scoring.trial import UnsoundModel

log = logging.getLogger(__name__)


class BundleNews(Enum):
    """What a look at the bundle brought."""

    NONE = "none"
    SWAPPED = "swapped"
    REFUSED = "refused"


class WatchedScorer:
    """Looks every `seconds` whether another bundle lies at `bundle`, and takes it if it is sound.

    A bundle that fails its checks or its trial leaves the old one at work, is logged once as an
    error, and is looked at again when it changes. `seconds` of 0 never looks. On another scale than
    the model's own a bundle needs a map for it. May be used from several threads. Raises
    BundleError where the first bundle does not load or work.
    """

    def __init__(self, bundle: str, threads: int, seconds: float, scale: str = MODEL_SCALE) -> None:
        self._bundle = bundle
        self._scale = scale
        self._threads = threads
        self._seconds = seconds
        self._scorer = opened_on(scale, bundle, threads=threads)
        self._seen = self._scorer.bundle.sha256
        self._unsound = ""
        self._next_look = time.monotonic() + seconds
        self._lock = threading.Lock()

    @property
    def at_work(self) -> AnyScorer:
        """The scorer, without a look for another."""
        return self._scorer

    def current(self) -> tuple[AnyScorer, BundleNews]:
        """The scorer to use now, and whether it changed with this call."""
        if not self._seconds or time.monotonic() < self._next_look:
            return self._scorer, BundleNews.NONE
        with self._lock:
            if time.monotonic() < self._next_look:
                return self._scorer, BundleNews.NONE
            change = self._look()
            self._next_look = time.monotonic() + self._seconds
            return self._scorer, change

    def _look(self) -> BundleNews:
        try:
            found = peek_fingerprint(self._bundle)
            if found in (self._seen, self._unsound):
                return BundleNews.NONE
            scorer = opened_on(self._scale, self._bundle, threads=self._threads)
        except BundleError as error:
            if isinstance(error, UnsoundModel):
                self._unsound = found
            if (refused := str(error)) != self._seen:
                log.error("the new bundle is refused, %s stays at work: %s",
                          self._scorer.model, error)  # fmt: skip
                self._seen = refused
                return BundleNews.REFUSED
            return BundleNews.NONE
        log.info("model swapped: %s instead of %s", scorer.model, self._scorer.model)
        self._scorer, self._seen = scorer, scorer.bundle.sha256
        return BundleNews.SWAPPED
