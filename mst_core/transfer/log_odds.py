"""Whether a rhythm speaks for one style or for another: log-odds of what follows what.

A mean profile alone draws a tune to what is commonest in a style, and that every style has; what
tells styles apart is rarer. So a version is also held against the style that the tune comes from,
and counts as arrived when it speaks for its target as much as the target's own tunes do: not more,
or it would be a caricature.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

from mst_core.statistics.style_statistics import MeterStatistics

DurationOrRest = tuple[int, int]
"""Ticks, and 1 for a rest."""
BigramKey = tuple[int, int, int, int, int]
"""Place in the bar, ticks, 1 for a rest; ticks of the next event, 1 for a rest."""
LONGEST_ODDS = 4.0
"""Nats; one event alone says no more than this."""
EVENTS = 60
"""How many events a style could have at a place, roughly: the share of what it never has."""


class BigramModel:
    """What follows what in a meter of a style; unseen turns by Witten and Bell's rule (1991)."""

    def __init__(self, habits: MeterStatistics, bar: int) -> None:
        """``bar`` is the length of the bar in ticks."""
        self._bar = bar
        self._after: defaultdict[tuple[int, int, int], Counter[DurationOrRest]] = defaultdict(
            Counter
        )
        self._at: defaultdict[int, Counter[DurationOrRest]] = defaultdict(Counter)
        for turn in habits.duration_bigrams:
            before = turn.position, turn.duration, int(turn.is_rest)
            self._after[before][turn.next_duration, int(turn.next_is_rest)] += turn.count
        for rhythm in habits.rhythm_counts:
            self._at[rhythm.position][rhythm.duration, 0] += rhythm.notes
            self._at[rhythm.position][rhythm.duration, 1] += rhythm.rests
        self.counts = {
            (
                turn.position,
                turn.duration,
                int(turn.is_rest),
                turn.next_duration,
                int(turn.next_is_rest),
            ): turn.count
            for turn in habits.duration_bigrams
        }
        """How often each turn was seen."""

    def log_probability(self, turn: BigramKey) -> float:
        """Ln of the share of an event among all that follow the one before it."""
        place, ticks, rest, *following = turn
        after = following[0], following[1]
        share = 1 / EVENTS
        for counts in (
            self._at.get((place + ticks) % self._bar),
            self._after.get((place, ticks, rest)),
        ):
            if counts:
                total, kinds = counts.total(), sum(count > 0 for count in counts.values())
                share = (counts[after] + kinds * share) / (total + kinds)
        return math.log(share)


class LogOdds:
    """Log-odds of one style against another."""

    def __init__(self, target: BigramModel, source: BigramModel) -> None:
        self._target, self._source = target, source
        self._cache: dict[BigramKey, float] = {}
        total = sum(target.counts.values()) or 1
        self.target_mean = sum(count * self(turn) for turn, count in target.counts.items()) / total
        """The mean over the target's own tunes, in nats an event."""

    def __call__(self, bigram: BigramKey) -> float:
        """How much a turn speaks for the target, in nats."""
        found = self._cache.get(bigram)
        if found is None:
            found = self._target.log_probability(bigram) - self._source.log_probability(bigram)
            found = max(-LONGEST_ODDS, min(LONGEST_ODDS, found))
            self._cache[bigram] = found
        return found
