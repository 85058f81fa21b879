"""How a style moves in one meter: habits, lattice, and where its parts come to rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mst_core.generation.form import FormSpan
from mst_core.generation.rhythm_lattice import Lattice, NoteCountSet, count_range
from mst_core.music import TICKS_PER_QUARTER, Meter
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import MeterStatistics

EVENT_COVERAGE = 0.98
"""Share of a meter's events that the rhythms of new tunes make up. Where each had to be more than
one in a thousand, folk kept .98 as well but jazz, whose fast notes stand at many places, .90: of
real solos' notes .12 are shorter than a sixteenth, of new ones' .01 were."""


def sample_weighted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Draw a name by its weight."""
    names = list(weights)
    shares = np.array([weights[name] for name in names], dtype=float)
    return str(rng.choice(names, p=shares / shares.sum()))


@dataclass(frozen=True, slots=True)
class MeterModel:
    """How a style moves in one meter, and where in the bar this tune's parts come to rest."""

    meter: Meter
    statistics: MeterStatistics
    lattice: Lattice
    final_onset: int
    """Ticks from the barline."""
    phrase_pickup: int = 0
    """The pickup, in ticks: every phrase begins so long before its barline."""

    @classmethod
    def sample(cls, style: Style, name: str, rng: np.random.Generator) -> MeterModel:
        """Take a meter of a style, with an ending that tunes of the style have."""
        return cls.candidates(style, name, rng)[0]

    @classmethod
    def candidates(cls, style: Style, name: str, rng: np.random.Generator) -> list[MeterModel]:
        """Take a meter of a style with each of its endings, drawn in the order of their weight."""
        meter = Meter.parse(name)
        bar = int(meter.bar_length * TICKS_PER_QUARTER)
        habits = style.statistics.meters[name]
        lattice = Lattice.from_statistics(habits, bar, rare=0, share=EVENT_COVERAGE)
        usual = {
            place: count
            for place, count in habits.final_onsets.items()
            # On an eighth, heard as an end, and no whole note: where a solo's last note begins on
            # the barline (.46 of them) it is short.
            if place in lattice.positions
            and place % (TICKS_PER_QUARTER // 2) == 0
            and TICKS_PER_QUARTER // 2 <= bar - place <= 3 * TICKS_PER_QUARTER
        }
        order: list[int] = []
        while usual:
            place = int(sample_weighted({str(place): count for place, count in usual.items()}, rng))
            order.append(place)
            del usual[place]
        return [cls(meter, habits, lattice, place) for place in order or [0]]

    def with_pickup(self, spans: Iterable[FormSpan], rng: np.random.Generator) -> MeterModel:
        """The same with a pickup as tunes of the style have it, if these spans allow one."""
        if not self.statistics.pickups:
            return self
        drawn = sample_weighted({str(lead): n for lead, n in self.statistics.pickups.items()}, rng)
        bar = self.lattice.bar_ticks
        with_lead = replace(self, phrase_pickup=int(drawn))
        # An upbeat, not half a bar; and the last note is to be heard before the next one begins.
        fits = (
            with_lead.phrase_pickup <= bar // 2
            and self.final_onset + with_lead.phrase_pickup <= bar - TICKS_PER_QUARTER // 2
        )
        return with_lead if fits and all(map(with_lead.note_counts, spans)) else self

    def note_counts(self, span: FormSpan) -> NoteCountSet:
        """The numbers of notes that a span can have: exact rhythms, as dense as the style is."""
        bar = self.lattice.bar_ticks
        whole = (
            span.bar_count - span.cadence
        )  # a bar of rest at the end has as few notes as it likes
        length = whole * bar + span.cadence * (self.final_onset + self.phrase_pickup)
        ways = self.lattice.reachable_counts(length, -self.phrase_pickup % bar)[0] << span.cadence
        low, _, high = self.statistics.notes_per_bar
        return ways & count_range(
            max(1, int(low * whole * 0.8)), int(high * span.bar_count * 1.2) + 1
        )
