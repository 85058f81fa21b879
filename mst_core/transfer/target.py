"""What a tune is to sound like: a style, or one other tune seen through the nearest style."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune, TuneEvent, to_ticks
from mst_core.errors import BadOption
from mst_core.generation.meter_model import MeterModel
from mst_core.generation.rhythm_lattice import AllowedDurations, Lattice
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter, Note
from mst_core.networks.model import StyleModel
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import (
    MeterStatistics,
    StyleStatistics,
    count_statistics,
    merge_meters,
)
from mst_core.transfer.log_odds import BigramKey, BigramModel, LogOdds
from mst_core.transfer.rhythm_similarity import RhythmProfile, bigram_profile, duration_profile

USUAL = 0.97
"""Share of a style's events that the rhythms make up which a given tune can get. More and the alien
comes in (held-out folk made jazz: entropy); less and the style stays away (gap closure .49 at what
new tunes use, .76 here)."""


SHORTEST_S = 0.07
"""How long the shortest written note must sound at the tune's tempo. Soloists run faster, in
sextuplets; but a given tune's notes are meant to be heard one by one."""
MOST_BEATS = 32
"""What a meter may have above its line, as in `Meter.parse`."""
WIDER = (0.99, 0.998, 1.0)
"""The same for a tune whose bars the usual rhythms cannot fill."""


@dataclass(frozen=True)
class RhythmTarget:
    """A style's networks and rhythms, for tunes in one key; with the habits of one tune, if any."""

    style: Style
    key: Key
    statistics_of_tune: StyleStatistics | None = None
    """The habits of the one tune whose rhythm is wanted."""
    reference_tune: Melody | None = None
    """The one tune itself, whose bars may lend their rhythm."""
    coverage: float = USUAL
    """Share of the style's events that its rhythms here make up."""
    min_duration: int = 1
    """Ticks: no note is written shorter."""
    grid: int = 1
    """Ticks: what every onset and note value is a multiple of."""
    contrast_styles: tuple[Style, ...] = ()
    """The other styles: one of them is the nearest to a tune as it is."""
    _meter_models: dict[str, MeterModel] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The style's name."""
        return self.style.name

    @property
    def model(self) -> StyleModel:
        """The networks that write."""
        return self.style.model

    def with_wider_coverage(self) -> Iterator[RhythmTarget]:
        """The same, and then with more and more of the style's rarer rhythms."""
        yield self
        for share in WIDER:
            yield replace(self, coverage=share, _meter_models={})

    def at_tempo(self, tempo: float) -> RhythmTarget:
        """The same without what is too quick to be heard at so many quarter notes a minute."""
        shortest = math.ceil(SHORTEST_S * tempo / 60 * TICKS_PER_QUARTER)
        return replace(self, min_duration=shortest, _meter_models={})

    def on_coarser_grid(self) -> RhythmTarget:
        """The same without what would fall off the grid when note values are halved."""
        return replace(self, grid=2 * self.grid, _meter_models={})

    def meter_for(self, meter: Meter) -> Meter:
        """The meter itself where the style can play it, else its usual one.

        A style plays a meter that it never saw by its own beats, but dotted beats only when it has
        some, and even ones only when it has some. Else beats stay beats: 9/8 becomes 3/4, and a
        jig, whose two beats would make a poor bar, 4/4.
        """
        own = meter if self.reference_tune is None else self.reference_tune.meter
        if not own.same_bar(meter) and self.supports_meter(own):
            return own  # one tune's rhythm is nothing without its meter
        if self.supports_meter(meter):
            return meter
        beats = int(meter.bar_length / meter.beat_length)
        if meter.is_compound:
            other = Meter(2 * beats if beats == 2 else beats, 4)
        else:
            other = Meter(3 * beats, 8)
        if other.numerator <= MOST_BEATS and self.supports_meter(other):
            return other
        return Meter.parse(self._most_common_meter())

    def supports_meter(self, meter: Meter) -> bool:
        """Whether it has rhythms for a meter, its own or another's of the same kind of beats."""
        return self._nearest_known_meter(meter) is not None

    def meter_model(self, meter: Meter) -> MeterModel:
        """How the target moves in a meter that `meter_for` gave."""
        name = str(meter)
        if name not in self._meter_models:
            lender = self._nearest_known_meter(meter)
            if lender is None:
                raise BadOption("meter", name, f"{self.name} has {', '.join(self._known_meters())}")
            habits = pooled_statistics(self.style.statistics, lender)
            bar = int(meter.bar_length * TICKS_PER_QUARTER)
            lattice = Lattice.from_statistics(
                habits,
                int(Meter.parse(lender).bar_length * TICKS_PER_QUARTER),
                rare=0,
                share=self.coverage,
            )
            if lattice.bar_ticks != bar:
                lattice = lattice.for_bar_length(bar)
            lattice = lattice.on_grid(self.grid).with_min_duration(self.min_duration)
            lattice = lattice.union(
                Lattice(bar, {0: AllowedDurations(notes=(bar,))})
            )  # one note may fill it
            if own := self._statistics_of_tune_in(meter):
                lattice = lattice.union(
                    Lattice.from_statistics(own, bar, rare=0).on_grid(self.grid)
                )
            endings = [
                place
                for place in sorted(habits.final_onsets, key=lambda at: -habits.final_onsets[at])
                if place in lattice.positions and bar - place >= TICKS_PER_QUARTER
            ]
            self._meter_models[name] = MeterModel(
                meter, habits, lattice, endings[0] if endings else 0
            )
        return self._meter_models[name]

    def meter_statistics(self, meter: Meter) -> MeterStatistics:
        """The rhythms that a result is held against."""
        if own := self._statistics_of_tune_in(meter):
            return own
        return self.meter_model(meter).statistics

    def profiles(self, meter: Meter) -> tuple[RhythmProfile, RhythmProfile]:
        """What a result is held against: what stands where, and what follows what."""
        habits = self.meter_statistics(meter)
        return duration_profile(habits), bigram_profile(habits)

    def log_odds(self, meter: Meter, turns: Sequence[BigramKey]) -> LogOdds | None:
        """What tells the target from the style that these turns speak for most.

        None when that is the target itself, or none knows the meter, or when one tune is the
        target: it is told from its own genre by its profile alone.
        """
        name = str(meter)
        if self.statistics_of_tune is not None:
            return None
        bar = int(meter.bar_length * TICKS_PER_QUARTER)
        known = [
            BigramModel(habits, bar)
            for style in (self.style, *self.contrast_styles)
            if name in style.statistics.meters
            and (habits := pooled_statistics(style.statistics, name)).duration_bigrams
        ]
        if len(known) < 2 or name not in self._known_meters():
            return None
        nearest = max(known, key=lambda style: sum(map(style.log_probability, turns)))
        return None if nearest is known[0] else LogOdds(known[0], nearest)

    def duration_prior(self, meter: Meter) -> Mapping[int, NDArray[np.float64]]:
        """How the one tune fills each place of the bar: shares over the style's durations."""
        own = self._statistics_of_tune_in(meter)
        if own is None:
            return {}
        shares: dict[int, NDArray[np.float64]] = {}
        for rhythm in own.rhythm_counts:
            row = shares.setdefault(rhythm.position, np.zeros(len(self.model.vocabulary)))
            row[self.model.vocabulary.token(rhythm.duration)] += rhythm.notes
        return {place: row / row.sum() for place, row in shares.items() if row.sum()}

    def _statistics_of_tune_in(self, meter: Meter) -> MeterStatistics | None:
        """The one tune's habits in bars of this kind."""
        if self.statistics_of_tune is None:
            return None
        return next(
            (
                h
                for m, h in self.statistics_of_tune.meters.items()
                if Meter.parse(m).same_bar(meter)
            ),
            None,
        )

    def _known_meters(self) -> Mapping[str, MeterStatistics]:
        known = self.style.card.meters
        return {
            name: habit for name, habit in self.style.statistics.meters.items() if name in known
        }

    def _most_common_meter(self) -> str:
        return max(self._known_meters(), key=lambda name: self._known_meters()[name].n_tunes)

    def _nearest_known_meter(self, meter: Meter) -> str | None:
        """The meter of the style whose rhythms serve for this one."""
        meters = self._known_meters()
        if str(meter) in meters:
            return str(meter)
        alike = [name for name in meters if Meter.parse(name).is_compound == meter.is_compound]
        same = [name for name in alike if Meter.parse(name).bar_length == meter.bar_length]
        ranked = sorted(same or alike, key=lambda name: -meters[name].n_bars)
        return ranked[0] if ranked and meter.bar_length % Fraction(1, 2) == 0 else None


def pooled_statistics(habits: StyleStatistics, meter: str) -> MeterStatistics:
    """A style's habits in a meter and in those that are written otherwise, such as 4/4 and 2/2."""
    like = Meter.parse(meter)
    alike = [each for name, each in habits.meters.items() if Meter.parse(name).same_bar(like)]
    return merge_meters(alike) if len(alike) > 1 else habits.meters[meter]


def target_of(style: Style, key: Key, styles: Mapping[str, Style] | None = None) -> RhythmTarget:
    """A whole style as the target, told from the other ``styles``."""
    others = tuple(other for other in (styles or {}).values() if other is not style)
    return RhythmTarget(style, key, contrast_styles=others)


def target_like(melody: Melody, styles: Mapping[str, Style], key: Key) -> RhythmTarget:
    """One tune as the target, through the style whose rhythms are nearest to its own."""
    tune = to_corpus_tune(melody)

    def strangeness(style: Style) -> float:
        known = style.statistics.meters.get(str(melody.meter))
        if known is None:
            return 2.0
        shares = {(r.position, r.duration): r.notes for r in known.rhythm_counts}
        total = sum(shares.values())
        bar = tune.bar_ticks
        return -float(
            np.mean([shares.get((e.onset % bar, e.duration), 0) / total for e in tune.events])
        )

    style = min(styles.values(), key=strangeness)
    return RhythmTarget(
        style, key, count_statistics([tune], style.model.vocabulary, min_count=1), melody
    )


def to_corpus_tune(melody: Melody) -> CorpusTune:
    """A melody as the networks count it, rests between its notes; the shortest lasts one tick."""
    events: list[TuneEvent] = []
    now = to_ticks(melody.notes[0].onset)
    for note in melody.notes:
        onset = max(now, to_ticks(note.onset))
        end = max(onset + 1, to_ticks(note.end))
        if onset > now:
            events.append(TuneEvent(None, now, onset - now))
        events.append(TuneEvent(note.pitch, onset, end - onset))
        now = end
    lines = tuple(to_ticks(line) for line in melody.barlines[:-1])
    return CorpusTune("", "", melody.meter, melody.key, tuple(events), lines)


# Tunes whose notes stand closer together than a style ever plays them.
#
# A solo in sixteenths has no place in a reel's bars, but it has in two of them, played twice as
# fast.
# So such a tune is written in note values twice as long, changed, and brought back: its bars and
# its
# length stay. The other way round two bars would become one, and equal bars could part.

DENSE = 1.1
"""How much more notes a bar than the style's liveliest tunes are too many."""
SPARSE = 0.7
"""How much fewer than its calmest are too few."""
ONCE, TWICE = Fraction(1), Fraction(2)


def augmentation_for(melody: Melody, target: RhythmTarget) -> Fraction:
    """How long a tune's note values should be for the target: as they are, or twice as long."""
    if melody.meter_changes or target.meter_for(melody.meter) != melody.meter:
        return ONCE
    low, _, high = target.meter_model(melody.meter).statistics.notes_per_bar
    sounding = {note.onset // melody.meter.bar_length for note in melody.notes if note.onset >= 0}
    notes = len(melody.notes) / max(1, len(sounding))
    if notes > DENSE * high and notes / 2 > SPARSE * low:
        return TWICE
    return ONCE


def augment(melody: Melody, scale: Fraction) -> Melody:
    """A tune in longer or shorter note values, its bars as many times as many."""
    if scale == ONCE:
        return melody

    def bars(bar: int) -> int:
        return int(bar * scale)

    def maybe(bar: int | None) -> int | None:
        return None if bar is None else bars(bar)

    return replace(
        melody,
        notes=tuple(Note(n.onset * scale, n.duration * scale, n.pitch) for n in melody.notes),
        bar_count=bars(melody.bar_count),
        sections=tuple(map(bars, melody.sections)),
        repeats=tuple(
            replace(
                repeat,
                start=bars(repeat.start),
                end=bars(repeat.end),
                first_ending=maybe(repeat.first_ending),
                second_ending=maybe(repeat.second_ending),
                lead_in=repeat.lead_in * scale,
                lead_out=repeat.lead_out * scale,
            )
            for repeat in melody.repeats
        ),
    )


def augmented_bars(bars: frozenset[int], scale: Fraction) -> frozenset[int]:
    """The same bars of the scaled tune."""
    return frozenset(int(bar * scale) + part for bar in bars for part in range(int(scale)))
