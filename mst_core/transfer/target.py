"""What a tune is to sound like: a style, or one other tune seen through the nearest style."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import TICKS, CorpusTune, Event, to_ticks
from mst_core.errors import BadOption
from mst_core.generation.meter_model import Ground
from mst_core.generation.rhythm_lattice import Lattice, Values
from mst_core.music import Key, Melody, Meter, Note
from mst_core.networks.model import StylePair
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import Habits, MeterHabits, observe, pool
from mst_core.transfer.log_odds import Odds, Turn, Turns
from mst_core.transfer.rhythm_similarity import Profile, turn_profile, value_profile

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
class Target:
    """A style's networks and rhythms, for tunes in one key; with the habits of one tune, if any."""

    style: Style
    key: Key
    one: Habits | None = None
    """The habits of the one tune whose rhythm is wanted."""
    lender: Melody | None = None
    """The one tune itself, whose bars may lend their rhythm."""
    usual: float = USUAL
    """Share of the style's events that its rhythms here make up."""
    shortest: int = 1
    """Ticks: no note is written shorter."""
    grain: int = 1
    """Ticks: what every onset and note value is a multiple of."""
    others: tuple[Style, ...] = ()
    """The other styles: one of them is the nearest to a tune as it is."""
    _grounds: dict[str, Ground] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The style's name."""
        return self.style.name

    @property
    def pair(self) -> StylePair:
        """The networks that write."""
        return self.style.pair

    def wider(self) -> Iterator[Target]:
        """The same, and then with more and more of the style's rarer rhythms."""
        yield self
        for share in WIDER:
            yield replace(self, usual=share, _grounds={})

    def at_tempo(self, tempo: float) -> Target:
        """The same without what is too quick to be heard at so many quarter notes a minute."""
        shortest = math.ceil(SHORTEST_S * tempo / 60 * TICKS)
        return replace(self, shortest=shortest, _grounds={})

    def coarser(self) -> Target:
        """The same without what would fall off the grid when note values are halved."""
        return replace(self, grain=2 * self.grain, _grounds={})

    def meter_for(self, meter: Meter) -> Meter:
        """The meter itself where the style can play it, else its usual one.

        A style plays a meter that it never saw by its own beats, but dotted beats only when it has
        some, and even ones only when it has some. Else beats stay beats: 9/8 becomes 3/4, and a
        jig, whose two beats would make a poor bar, 4/4.
        """
        own = meter if self.lender is None else self.lender.meter
        if not _alike(own, meter) and self.plays(own):
            return own  # one tune's rhythm is nothing without its meter
        if self.plays(meter):
            return meter
        beats = int(meter.bar / meter.beat)
        if meter.compound:
            other = Meter(2 * beats if beats == 2 else beats, 4)
        else:
            other = Meter(3 * beats, 8)
        if other.numerator <= MOST_BEATS and self.plays(other):
            return other
        return Meter.parse(self._usual())

    def plays(self, meter: Meter) -> bool:
        """Whether it has rhythms for a meter, its own or another's of the same kind of beats."""
        return self._lender(meter) is not None

    def ground(self, meter: Meter) -> Ground:
        """How the target moves in a meter that `meter_for` gave."""
        name = str(meter)
        if name not in self._grounds:
            lender = self._lender(meter)
            if lender is None:
                raise BadOption("meter", name, f"{self.name} has {', '.join(self._meters())}")
            habits = pooled(self.style.habits, lender)
            bar = int(meter.bar * TICKS)
            lattice = Lattice.of(
                habits, int(Meter.parse(lender).bar * TICKS), rare=0, share=self.usual
            )
            if lattice.bar != bar:
                lattice = lattice.lend(bar)
            lattice = lattice.coarser(self.grain).slower(self.shortest)
            lattice = lattice.join(Lattice(bar, {0: Values(notes=(bar,))}))  # one note may fill it
            if own := self._own(meter):
                lattice = lattice.join(Lattice.of(own, bar, rare=0).coarser(self.grain))
            endings = [
                place
                for place in sorted(habits.endings, key=lambda at: -habits.endings[at])
                if place in lattice.places and bar - place >= TICKS
            ]
            self._grounds[name] = Ground(meter, habits, lattice, endings[0] if endings else 0)
        return self._grounds[name]

    def habits(self, meter: Meter) -> MeterHabits:
        """The rhythms that a result is held against."""
        if own := self._own(meter):
            return own
        return self.ground(meter).habits

    def profiles(self, meter: Meter) -> tuple[Profile, Profile]:
        """What a result is held against: what stands where, and what follows what."""
        habits = self.habits(meter)
        return value_profile(habits), turn_profile(habits)

    def odds(self, meter: Meter, turns: Sequence[Turn]) -> Odds | None:
        """What tells the target from the style that these turns speak for most.

        None when that is the target itself, or none knows the meter, or when one tune is the
        target: it is told from its own genre by its profile alone.
        """
        name = str(meter)
        if self.one is not None:
            return None
        bar = int(meter.bar * TICKS)
        known = [
            Turns(habits, bar)
            for style in (self.style, *self.others)
            if name in style.habits.meters and (habits := pooled(style.habits, name)).turns
        ]
        if len(known) < 2 or name not in self._meters():
            return None
        nearest = max(known, key=lambda style: sum(map(style.log_share, turns)))
        return None if nearest is known[0] else Odds(known[0], nearest)

    def taste(self, meter: Meter) -> Mapping[int, NDArray[np.float64]]:
        """How the one tune fills each place of the bar: shares over the style's durations."""
        own = self._own(meter)
        if own is None:
            return {}
        shares: dict[int, NDArray[np.float64]] = {}
        for rhythm in own.rhythms:
            row = shares.setdefault(rhythm.place, np.zeros(len(self.pair.durations)))
            row[self.pair.durations.token(rhythm.ticks)] += rhythm.notes
        return {place: row / row.sum() for place, row in shares.items() if row.sum()}

    def _own(self, meter: Meter) -> MeterHabits | None:
        """The one tune's habits in bars of this kind."""
        if self.one is None:
            return None
        return next((h for m, h in self.one.meters.items() if _alike(Meter.parse(m), meter)), None)

    def _meters(self) -> Mapping[str, MeterHabits]:
        known = self.style.card.meters
        return {name: habit for name, habit in self.style.habits.meters.items() if name in known}

    def _usual(self) -> str:
        return max(self._meters(), key=lambda name: self._meters()[name].tunes)

    def _lender(self, meter: Meter) -> str | None:
        """The meter of the style whose rhythms serve for this one."""
        meters = self._meters()
        if str(meter) in meters:
            return str(meter)
        alike = [name for name in meters if Meter.parse(name).compound == meter.compound]
        same = [name for name in alike if Meter.parse(name).bar == meter.bar]
        ranked = sorted(same or alike, key=lambda name: -meters[name].bars)
        return ranked[0] if ranked and meter.bar % Fraction(1, 2) == 0 else None


def _alike(one: Meter, other: Meter) -> bool:
    """Whether two meters are the same bar written otherwise, such as 4/4 and 2/2."""
    return one.bar == other.bar and one.compound == other.compound


def pooled(habits: Habits, meter: str) -> MeterHabits:
    """A style's habits in a meter and in those that are written otherwise, such as 4/4 and 2/2."""
    like = Meter.parse(meter)
    alike = [each for name, each in habits.meters.items() if _alike(Meter.parse(name), like)]
    return pool(alike) if len(alike) > 1 else habits.meters[meter]


def target_of(style: Style, key: Key, styles: Mapping[str, Style] | None = None) -> Target:
    """A whole style as the target, told from the other ``styles``."""
    others = tuple(other for other in (styles or {}).values() if other is not style)
    return Target(style, key, others=others)


def target_like(melody: Melody, styles: Mapping[str, Style], key: Key) -> Target:
    """One tune as the target, through the style whose rhythms are nearest to its own."""
    tune = as_corpus_tune(melody)

    def strangeness(style: Style) -> float:
        known = style.habits.meters.get(str(melody.meter))
        if known is None:
            return 2.0
        shares = {(r.place, r.ticks): r.notes for r in known.rhythms}
        total = sum(shares.values())
        bar = tune.bar_ticks
        return -float(
            np.mean([shares.get((e.onset % bar, e.duration), 0) / total for e in tune.events])
        )

    style = min(styles.values(), key=strangeness)
    return Target(style, key, observe([tune], style.pair.durations, fewest=1), melody)


def as_corpus_tune(melody: Melody) -> CorpusTune:
    """A melody as the networks count it, rests between its notes; the shortest lasts one tick."""
    events: list[Event] = []
    now = to_ticks(melody.notes[0].onset)
    for note in melody.notes:
        onset = max(now, to_ticks(note.onset))
        end = max(onset + 1, to_ticks(note.end))
        if onset > now:
            events.append(Event(None, now, onset - now))
        events.append(Event(note.pitch, onset, end - onset))
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


def fitting_scale(melody: Melody, target: Target) -> Fraction:
    """How long a tune's note values should be for the target: as they are, or twice as long."""
    if melody.changes or target.meter_for(melody.meter) != melody.meter:
        return ONCE
    low, _, high = target.ground(melody.meter).habits.notes_a_bar
    sounding = {note.onset // melody.meter.bar for note in melody.notes if note.onset >= 0}
    notes = len(melody.notes) / max(1, len(sounding))
    if notes > DENSE * high and notes / 2 > SPARSE * low:
        return TWICE
    return ONCE


def scaled(melody: Melody, scale: Fraction) -> Melody:
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
        bars=bars(melody.bars),
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


def scaled_bars(bars: frozenset[int], scale: Fraction) -> frozenset[int]:
    """The same bars of the scaled tune."""
    return frozenset(int(bar * scale) + part for bar in bars for part in range(int(scale)))
