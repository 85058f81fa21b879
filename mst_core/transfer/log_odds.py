"""Whether a rhythm speaks for one style or for another: log-odds of what follows what.

A mean profile alone draws a tune to what is commonest in a style, and that every style has; what
tells styles apart is rarer. So a version is also held against the style that the tune comes from,
and counts as arrived when it speaks for its target as much as the target's own tunes do: not more,
or it would be a caricature.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

from mst_core.statistics.style_statistics import MeterHabits

Event = tuple[int, int]
"""Ticks, and 1 for a rest."""
Turn = tuple[int, int, int, int, int]
"""Place in the bar, ticks, 1 for a rest; ticks of the next event, 1 for a rest."""
LONGEST_ODDS = 4.0
"""Nats; one event alone says no more than this."""
EVENTS = 60
"""How many events a style could have at a place, roughly: the share of what it never has."""


class Turns:
    """What follows what in a meter of a style; unseen turns by Witten and Bell's rule (1991)."""

    def __init__(self, habits: MeterHabits, bar: int) -> None:
        """``bar`` is the length of the bar in ticks."""
        self._bar = bar
        self._after: defaultdict[tuple[int, int, int], Counter[Event]] = defaultdict(Counter)
        self._at: defaultdict[int, Counter[Event]] = defaultdict(Counter)
        for turn in habits.turns:
            before = turn.place, turn.ticks, int(turn.rest)
            self._after[before][turn.next_ticks, int(turn.next_rest)] += turn.count
        for rhythm in habits.rhythms:
            self._at[rhythm.place][rhythm.ticks, 0] += rhythm.notes
            self._at[rhythm.place][rhythm.ticks, 1] += rhythm.rests
        self.counts = {
            (turn.place, turn.ticks, int(turn.rest), turn.next_ticks, int(turn.next_rest)):
            turn.count for turn in habits.turns
        }  # fmt: skip
        """How often each turn was seen."""

    def log_share(self, turn: Turn) -> float:
        """Ln of the share of an event among all that follow the one before it."""
        place, ticks, rest, *following = turn
        after = following[0], following[1]
        share = 1 / EVENTS
        for counts in (self._at.get((place + ticks) % self._bar),
                       self._after.get((place, ticks, rest))):  # fmt: skip
            if counts:
                total, kinds = counts.total(), sum(count > 0 for count in counts.values())
                share = (counts[after] + kinds * share) / (total + kinds)
        return math.log(share)


class Odds:
    """Log-odds of one style against another."""

    def __init__(self, target: Turns, source: Turns) -> None:
        self._target, self._source = target, source
        self._known: dict[Turn, float] = {}
        total = sum(target.counts.values()) or 1
        self.usual = sum(count * self(turn) for turn, count in target.counts.items()) / total
        """The mean over the target's own tunes, in nats an event."""

    def __call__(self, turn: Turn) -> float:
        """How much a turn speaks for the target, in nats."""
        found = self._known.get(turn)
        if found is None:
            found = self._target.log_share(turn) - self._source.log_share(turn)
            found = max(-LONGEST_ODDS, min(LONGEST_ODDS, found))
            self._known[turn] = found
        return found
