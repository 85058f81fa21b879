"""What a tune is transferred to: a style, or one other tune through the nearest style."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune
from mst_core.generation.meter_model import MeterModel, duration_prior
from mst_core.generation.rhythm_lattice import AllowedDurations, Lattice
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter
from mst_core.networks.style import Style
from mst_core.statistics.config import StatisticsConfig
from mst_core.statistics.style_statistics import (
    MeterStatistics,
    StyleStatistics,
    count_statistics,
    merge_meters,
)
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.log_odds import BigramKey, BigramModel, LogOdds
from mst_core.transfer.pitch_similarity import folded_intervals, next_interval_probabilities
from mst_core.transfer.rhythm_similarity import RhythmProfile, bigram_profile, duration_profile

MAX_BEATS = 32
"""Largest numerator of a meter, as in `Meter.parse`."""


@dataclass(frozen=True)
class Target:
    """A style whose networks sample drafts, with one tune's statistics where it is the target."""

    style: Style
    contrast_styles: tuple[Style, ...] = ()
    """The other styles: the given tune may come from one of them. Empty for one tune as target."""
    statistics_of_tune: StyleStatistics | None = None
    """Of the one tune that is the target; None where the whole style is."""
    config: TransferConfig = TransferConfig()


@dataclass(frozen=True)
class PitchTarget(Target):
    """The target of the pitches: its intervals and scale degrees."""

    @classmethod
    def from_style(
        cls, name: str, styles: Mapping[str, Style], config: TransferConfig = TransferConfig()
    ) -> PitchTarget:
        """A whole style as the target.

        Args:
            name: of the style whose pitches are wanted.
            styles: all styles; those but this one are the contrast.
            config: passed on to all that works with this target.
        """
        return cls(styles[name], _all_but(styles[name], styles), config=config)

    @classmethod
    def from_tune(
        cls, melody: Melody, styles: Mapping[str, Style], config: TransferConfig = TransferConfig()
    ) -> PitchTarget:
        """One tune as the target, through the style in which its intervals are most probable.

        Args:
            melody: the tune whose pitches are wanted.
            styles: the styles to choose from.
            config: passed on to all that works with this target.
        """
        intervals = folded_intervals(np.array(melody.pitches, dtype=np.int64))

        def log_likelihood(style: Style) -> float:
            probabilities = next_interval_probabilities(style.statistics, config)
            return float(np.log(probabilities[intervals[:-1], intervals[1:]]).sum())

        style = max(styles.values(), key=log_likelihood)
        return cls(style, statistics_of_tune=_count_one(melody, style), config=config)

    @property
    def weighted_statistics(self) -> list[tuple[float, StyleStatistics]]:
        """Statistics that a result is compared with, each with its weight; weights sum to 1."""
        if self.statistics_of_tune is None:
            return [(1.0, self.style.statistics)]
        weight = self.config.tune_weight
        return [(weight, self.statistics_of_tune), (1 - weight, self.style.statistics)]


@dataclass(frozen=True, kw_only=True)
class RhythmTarget(Target):
    """The target of the rhythm, for tunes in one key and, after `at_tempo`, of one tempo."""

    key: Key
    """Key of the given tune, an input of the duration network."""
    reference_tune: Melody | None = None
    """The one tune that is the target; its bars are among the drafts."""
    coverage: float
    """Share of the style's events that the allowed rhythms make up."""
    min_duration: int = 1
    """Shortest note, in ticks."""
    grid: int = 1
    """Ticks: every onset and duration is a multiple of it."""
    _meter_models: dict[str, MeterModel] = field(default_factory=dict)

    @classmethod
    def from_style(
        cls,
        style: Style,
        key: Key,
        styles: Mapping[str, Style] | None = None,
        config: TransferConfig = TransferConfig(),
    ) -> RhythmTarget:
        """A whole style as the target.

        Args:
            style: whose rhythms are wanted.
            key: of the tune that will be transferred.
            styles: all styles; those but ``style`` are the contrast.
            config: passed on to all that works with this target.
        """
        others = _all_but(style, styles or {})
        return cls(style, others, config=config, key=key, coverage=config.coverage)

    @classmethod
    def from_tune(
        cls,
        melody: Melody,
        styles: Mapping[str, Style],
        key: Key,
        config: TransferConfig = TransferConfig(),
    ) -> RhythmTarget:
        """One tune as the target, through the style whose rhythms are most like its own.

        Args:
            melody: the tune whose rhythm is wanted.
            styles: the styles to choose from.
            key: of the tune that will be transferred.
            config: passed on to all that works with this target.
        """
        tune = CorpusTune.from_melody(melody)

        def distance(style: Style) -> float:
            known = style.statistics.meters.get(str(melody.meter))
            if known is None:
                return 2.0
            counts = {(r.position, r.duration): r.notes for r in known.rhythm_counts}
            total = sum(counts.values())
            bar = tune.bar_ticks
            return -float(
                np.mean([counts.get((e.onset % bar, e.duration), 0) / total for e in tune.events])
            )

        style = min(styles.values(), key=distance)
        return cls(
            style,
            statistics_of_tune=_count_one(melody, style),
            config=replace(config, rhythm_gain_cap=config.tune_gain_cap),
            key=key,
            reference_tune=melody,
            coverage=config.coverage,
        )

    @property
    def name(self) -> str:
        """The style's name."""
        return self.style.name

    def with_wider_coverage(self) -> Iterator[RhythmTarget]:
        """This target, and then with more and more of the style's rarer rhythms."""
        yield self
        for coverage in self.config.wider_coverages:
            yield replace(self, coverage=coverage, _meter_models={})

    def at_tempo(self, tempo: float) -> RhythmTarget:
        """Return the target without notes too short at ``tempo``, in quarter notes a minute."""
        min_duration = math.ceil(self.config.min_note_seconds * tempo / 60 * TICKS_PER_QUARTER)
        return replace(self, min_duration=min_duration, _meter_models={})

    def on_coarser_grid(self) -> RhythmTarget:
        """Return the target on a grid twice as coarse, which halved note values are on too."""
        return replace(self, grid=2 * self.grid, _meter_models={})

    def meter_for(self, meter: Meter) -> Meter:
        """The meter that a tune in ``meter`` gets: its own where the style supports it.

        Otherwise beats stay beats: 9/8 becomes 3/4. A bar of two dotted beats becomes 4/4 (a jig,
        whose two beats would make a poor bar). A target tune in another kind of bar brings its own
        meter. The last resort is the meter that the style has most tunes in.

        Args:
            meter: of the given tune.

        Returns:
            A meter that the style supports.
        """
        own = meter if self.reference_tune is None else self.reference_tune.meter
        if not own.same_bar(meter) and self.supports_meter(own):
            return own
        if self.supports_meter(meter):
            return meter
        beats = int(meter.bar_length / meter.beat_length)
        if meter.is_compound:
            other = Meter(2 * beats if beats == 2 else beats, 4)
        else:
            other = Meter(3 * beats, 8)
        if other.numerator <= MAX_BEATS and self.supports_meter(other):
            return other
        return Meter.parse(self._most_common_meter())

    def supports_meter(self, meter: Meter) -> bool:
        """Whether the style has rhythms for a meter, or for another with the same kind of beats."""
        return self._nearest_known_meter(meter) is not None

    def meter_model(self, meter: Meter) -> MeterModel:
        """The allowed rhythms of a meter; of one that is not supported, those of the commonest."""
        name = str(meter)
        if name not in self._meter_models:
            known = self._nearest_known_meter(meter) or self._most_common_meter()
            self._meter_models[name] = self._build_meter_model(meter, known)
        return self._meter_models[name]

    def _build_meter_model(self, meter: Meter, known: str) -> MeterModel:
        """The allowed rhythms of a meter, from those of the ``known`` meter of the style."""
        statistics = _pooled_statistics(self.style.statistics, known)
        bar = int(meter.bar_length * TICKS_PER_QUARTER)
        known_bar = int(Meter.parse(known).bar_length * TICKS_PER_QUARTER)
        lattice = Lattice.from_statistics(statistics, known_bar, coverage=self.coverage)
        if lattice.bar_ticks != bar:
            lattice = lattice.for_bar_length(bar)
        lattice = lattice.on_grid(self.grid).with_min_duration(self.min_duration)
        # Whatever the style: one note may fill a bar.
        lattice = lattice.union(Lattice(bar, {0: AllowedDurations(notes=(bar,))}))
        if own := self._statistics_of_tune_in(meter):
            lattice = lattice.union(Lattice.from_statistics(own, bar).on_grid(self.grid))
        endings = [
            position
            for position in statistics.final_onsets
            if position in lattice.positions and bar - position >= TICKS_PER_QUARTER
        ]
        final_onset = max(endings, key=lambda at: statistics.final_onsets[at], default=0)
        return MeterModel(meter, statistics, lattice, final_onset)

    def meter_statistics(self, meter: Meter) -> MeterStatistics:
        """The statistics that a result is compared with: of the one tune, or of the style."""
        if own := self._statistics_of_tune_in(meter):
            return own
        return self.meter_model(meter).statistics

    def profiles(self, meter: Meter) -> tuple[RhythmProfile, RhythmProfile]:
        """The profiles that a result is compared with: of events, and of bigrams of events."""
        statistics = self.meter_statistics(meter)
        return duration_profile(statistics), bigram_profile(statistics)

    def log_odds(self, meter: Meter, bigrams: Sequence[BigramKey]) -> LogOdds | None:
        """Log-odds of the target against the style in which a tune is most probable.

        One tune as the target is compared with its own style: what separates it from the other
        tunes of that style is its own.

        Args:
            meter: that the tune gets.
            bigrams: of the given tune.

        Returns:
            None where the tune is most probable in the target itself, where fewer than two styles
            have the meter, and where the one tune that is the target has no bigrams in it.
        """
        name = str(meter)
        bar = int(meter.bar_length * TICKS_PER_QUARTER)
        if self.statistics_of_tune is not None:
            own = self._statistics_of_tune_in(meter)
            if own is None or not own.duration_bigrams:
                return None
            genre = BigramModel(self.meter_model(meter).statistics, bar, self.config)
            one = BigramModel(own, bar, self.config, genre)
            # What a single tune never has is no proof against it.
            return LogOdds(one, genre, self.config, lowest=0.0)
        known = [
            BigramModel(statistics, bar, self.config)
            for style in (self.style, *self.contrast_styles)
            if name in style.statistics.meters
            and (statistics := _pooled_statistics(style.statistics, name)).duration_bigrams
        ]
        if len(known) < 2 or name not in self._known_meters():
            return None
        nearest = max(known, key=lambda model: sum(map(model.log_probability, bigrams)))
        return None if nearest is known[0] else LogOdds(known[0], nearest, self.config)

    def duration_prior(self, meter: Meter) -> Mapping[int, NDArray[np.float64]]:
        """Probabilities of the target tune's durations at each position of the bar.

        Returns:
            By position, in ticks, one row over the style's duration vocabulary, (V,); empty where
            a whole style is the target.
        """
        own = self._statistics_of_tune_in(meter)
        if own is None:
            return {}
        counts = ((each.position, each.duration, each.notes) for each in own.rhythm_counts)
        return duration_prior(counts, self.style.model.vocabulary)

    def _statistics_of_tune_in(self, meter: Meter) -> MeterStatistics | None:
        """The one tune's statistics in bars of this kind."""
        if self.statistics_of_tune is None:
            return None
        return next(
            (
                statistics
                for name, statistics in self.statistics_of_tune.meters.items()
                if Meter.parse(name).same_bar(meter)
            ),
            None,
        )

    def _known_meters(self) -> Mapping[str, MeterStatistics]:
        """The meters of the style that its card names."""
        known = self.style.card.meters
        return {name: each for name, each in self.style.statistics.meters.items() if name in known}

    def _most_common_meter(self) -> str:
        """The meter that the style has most tunes in."""
        return max(self._known_meters(), key=lambda name: self._known_meters()[name].n_tunes)

    def _nearest_known_meter(self, meter: Meter) -> str | None:
        """The meter of the style whose rhythms are used for this one; None where none will do."""
        meters = self._known_meters()
        if str(meter) in meters:
            return str(meter)
        alike = [name for name in meters if Meter.parse(name).is_compound == meter.is_compound]
        same = [name for name in alike if Meter.parse(name).bar_length == meter.bar_length]
        ranked = sorted(same or alike, key=lambda name: -meters[name].n_bars)
        return ranked[0] if ranked and meter.bar_length % Fraction(1, 2) == 0 else None


def _all_but(style: Style, styles: Mapping[str, Style]) -> tuple[Style, ...]:
    """All styles but one."""
    return tuple(other for other in styles.values() if other is not style)


def _count_one(melody: Melody, style: Style) -> StyleStatistics:
    """Statistics of one tune, over a style's duration vocabulary."""
    return count_statistics(
        [CorpusTune.from_melody(melody)], style.model.vocabulary, StatisticsConfig(min_count=1)
    )


def _pooled_statistics(statistics: StyleStatistics, meter: str) -> MeterStatistics:
    """A style's statistics in a meter and in those that are written otherwise, as 4/4 and 2/2."""
    like = Meter.parse(meter)
    alike = [each for name, each in statistics.meters.items() if Meter.parse(name).same_bar(like)]
    return merge_meters(alike) if len(alike) > 1 else statistics.meters[meter]
