"""Log-odds of duration bigrams: whether a rhythm is more like one style or another.

A mean profile alone draws a tune to what is most common in a style, and every style has that; what
separates styles is rarer. So a version is also compared with the style that the tune comes from. It
counts as arrived when its mean log-odds are those of the target's own tunes
(docs/decisions.md#log-odds).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

from mst_core.statistics.style_statistics import MeterStatistics
from mst_core.transfer.config import TransferConfig

BigramKey = tuple[int, int, int, int, int]
"""Position in the bar, ticks, 1 for a rest; ticks of the next event, 1 for a rest."""


class BigramModel:
    """A bigram model of the events in one meter of a style, Witten-Bell smoothed (1991).

    The next event is conditioned on the event before it and its position; it backs off to all
    events at the next position, and from there to a uniform distribution. That of one tune, which
    is too short for that, backs off to the model of its style.
    """

    def __init__(
        self,
        statistics: MeterStatistics,
        bar_ticks: int,
        config: TransferConfig = TransferConfig(),
        style: BigramModel | None = None,
    ) -> None:
        """Count the bigrams.

        Args:
            statistics: of one meter of a style.
            bar_ticks: length of a bar, in ticks.
            config: the number of possible events.
            style: the model of a style, where the statistics are those of one tune.
        """
        self._bar_ticks = bar_ticks
        self._style = style
        self._uniform = 1 / config.possible_events
        self._after: defaultdict[tuple[int, int, int], Counter[tuple[int, int]]] = defaultdict(
            Counter
        )
        self._at: defaultdict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
        self.counts: dict[BigramKey, int] = {}
        """How often each bigram was seen."""
        for bigram in statistics.duration_bigrams:
            event = bigram.position, bigram.duration, int(bigram.is_rest)
            following = bigram.next_duration, int(bigram.next_is_rest)
            self._after[event][following] += bigram.count
            self.counts[(*event, *following)] = bigram.count
        for rhythm in statistics.rhythm_counts:
            self._at[rhythm.position][rhythm.duration, 0] += rhythm.notes
            self._at[rhythm.position][rhythm.duration, 1] += rhythm.rests

    def log_probability(self, bigram: BigramKey) -> float:
        """Natural logarithm of the probability of a bigram's second event given its first."""
        return math.log(self._probability(bigram))

    def _probability(self, bigram: BigramKey) -> float:
        position, ticks, rest, *following = bigram
        after = following[0], following[1]
        before, at = self._after.get((position, ticks, rest)), None
        if self._style is None:
            at, probability = self._at.get((position + ticks) % self._bar_ticks), self._uniform
        else:
            probability = self._style._probability(bigram)
        for counts in (at, before):
            if counts:
                total, kinds = counts.total(), sum(count > 0 for count in counts.values())
                probability = (counts[after] + kinds * probability) / (total + kinds)
        return probability


class LogOdds:
    """Log-odds of bigrams between a target style and a source style, in nats."""

    def __init__(
        self,
        target: BigramModel,
        source: BigramModel,
        config: TransferConfig = TransferConfig(),
        *,
        lowest: float | None = None,
    ) -> None:
        """Compare two models.

        Args:
            target: of the style that is wanted.
            source: of the style that the tune comes from.
            config: the bound of the log-odds of one bigram.
            lowest: the lower bound, in nats; None for that of the configuration.
        """
        self._target, self._source = target, source
        self._max = config.max_log_odds
        self._min = -config.max_log_odds if lowest is None else lowest
        self._cache: dict[BigramKey, float] = {}
        total = sum(target.counts.values()) or 1
        self.target_mean = (
            sum(count * self(bigram) for bigram, count in target.counts.items()) / total
        )
        """Mean over the target style's own tunes, in nats an event."""

    def __call__(self, bigram: BigramKey) -> float:
        """Log-odds of one bigram: positive where it is more probable in the target style."""
        found = self._cache.get(bigram)
        if found is None:
            found = self._target.log_probability(bigram) - self._source.log_probability(bigram)
            found = max(self._min, min(self._max, found))
            self._cache[bigram] = found
        return found
