"""Vocabularies of the networks: tokens of intervals and of durations.

A pitch token is the interval to the last sounding note, folded into an octave up or down, or a
rest. A duration token is an index into the durations of a style's corpus; others take the nearest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from mst_core.corpora.tunes import CorpusTune
from mst_core.music import TICKS_PER_QUARTER

OCTAVE = 12
REST_TOKEN = 2 * OCTAVE + 1
"""Tokens 0 to 24 are intervals from an octave down to an octave up."""
START_TOKEN = REST_TOKEN + 1
"""Before the first event of a tune; never predicted."""
N_PITCH_TOKENS = REST_TOKEN + 1
"""Tokens that a pitch network predicts."""
_COMMON_VALUES = (
    "1/24 1/12 1/8 1/6 1/4 1/3 3/8 5/12 1/2 7/12 2/3 3/4 5/6 1 5/4 4/3 3/2 7/4 2 5/2 3 7/2 4 5 6 8"
)
COMMON_DURATIONS = tuple(map(Fraction, _COMMON_VALUES.split()))
"""The 26 note values that every vocabulary has, in quarter notes, ascending."""


def fold_to_octave(interval: int) -> int:
    """Shift an interval in semitones by octaves into -12 to 12, keeping its direction."""
    while interval > OCTAVE:
        interval -= OCTAVE
    while interval < -OCTAVE:
        interval += OCTAVE
    return interval


def interval_token(interval: int) -> int:
    """Return the token, 0 to 24, of an interval of any size in semitones."""
    return fold_to_octave(interval) + OCTAVE


@dataclass(frozen=True)
class DurationVocabulary:
    """The durations of a style; a token is an index into them."""

    ticks: tuple[int, ...]
    """Ascending, shape ``(V,)``."""

    @classmethod
    def from_tunes(
        cls, tunes: Iterable[CorpusTune], *, min_share: float = 0.0005
    ) -> DurationVocabulary:
        """Collect the durations of at least ``min_share`` of a corpus's events.

        The common note values are always included, so that a value that the corpus never has is
        unlikely rather than impossible.

        Args:
            tunes: the corpus.
            min_share: share of all events, 0 to 1, that a duration needs.
        """
        counts = Counter(event.duration for tune in tunes for event in tune.events)
        least = min_share * counts.total()
        used = {ticks for ticks, count in counts.items() if count >= least}
        return cls(
            tuple(sorted(used | {int(value * TICKS_PER_QUARTER) for value in COMMON_DURATIONS}))
        )

    def __len__(self) -> int:
        """Count the durations."""
        return len(self.ticks)

    def token(self, ticks: int) -> int:
        """Return the token of a duration in ticks, or of the nearest by ratio."""
        known = self._token_cache.get(ticks)
        if known is None:
            known = min(
                range(len(self.ticks)), key=lambda index: abs(math.log(self.ticks[index] / ticks))
            )
            self._token_cache[ticks] = known
        return known

    @cached_property
    def _token_cache(self) -> dict[int, int]:
        return {ticks: index for index, ticks in enumerate(self.ticks)}
