"""How a style moves in one meter: habits, lattice, and where its parts come to rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mst_core.corpora.tunes import TICKS
from mst_core.generation.form import Span
from mst_core.generation.rhythm_lattice import Counts, Lattice, between
from mst_core.music import Meter
from mst_core.networks.style import Style
from mst_core.statistics.style_statistics import MeterHabits

USUAL = 0.98
"""Share of a meter's events that the rhythms of new tunes make up. Where each had to be more than
one in a thousand, folk kept .98 as well but jazz, whose fast notes stand at many places, .90: of
real solos' notes .12 are shorter than a sixteenth, of new ones' .01 were."""


def draw_weighted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Draw a name by its weight."""
    names = list(weights)
    shares = np.array([weights[name] for name in names], dtype=float)
    return str(rng.choice(names, p=shares / shares.sum()))


@dataclass(frozen=True, slots=True)
class Ground:
    """How a style moves in one meter, and where in the bar this tune's parts come to rest."""

    meter: Meter
    habits: MeterHabits
    lattice: Lattice
    ending: int
    """Ticks from the barline."""
    lead: int = 0
    """The pickup, in ticks: every phrase begins so long before its barline."""

    @classmethod
    def of(cls, style: Style, name: str, rng: np.random.Generator) -> Ground:
        """Take a meter of a style, with an ending that tunes of the style have."""
        return cls.all_of(style, name, rng)[0]

    @classmethod
    def all_of(cls, style: Style, name: str, rng: np.random.Generator) -> list[Ground]:
        """Take a meter of a style with each of its endings, drawn in the order of their weight."""
        meter = Meter.parse(name)
        bar = int(meter.bar * TICKS)
        habits = style.habits.meters[name]
        lattice = Lattice.of(habits, bar, rare=0, share=USUAL)
        usual = {
            place: count
            for place, count in habits.endings.items()
            # On an eighth, heard as an end, and no whole note: where a solo's last note begins on
            # the barline (.46 of them) it is short.
            if place in lattice.places
            and place % (TICKS // 2) == 0
            and TICKS // 2 <= bar - place <= 3 * TICKS
        }
        order: list[int] = []
        while usual:
            place = int(draw_weighted({str(place): count for place, count in usual.items()}, rng))
            order.append(place)
            del usual[place]
        return [cls(meter, habits, lattice, place) for place in order or [0]]

    def with_pickup(self, spans: Iterable[Span], rng: np.random.Generator) -> Ground:
        """The same with a pickup as tunes of the style have it, if these spans allow one."""
        if not self.habits.pickups:
            return self
        drawn = draw_weighted({str(lead): n for lead, n in self.habits.pickups.items()}, rng)
        bar = self.lattice.bar
        with_lead = replace(self, lead=int(drawn))
        # An upbeat, not half a bar; and the last note is to be heard before the next one begins.
        fits = with_lead.lead <= bar // 2 and self.ending + with_lead.lead <= bar - TICKS // 2
        return with_lead if fits and all(map(with_lead.counts, spans)) else self

    def counts(self, span: Span) -> Counts:
        """The numbers of notes that a span can have: exact rhythms, as dense as the style is."""
        bar = self.lattice.bar
        whole = span.bars - span.closes  # a bar of rest at the end has as few notes as it likes
        length = whole * bar + span.closes * (self.ending + self.lead)
        ways = self.lattice.ways(length, -self.lead % bar)[0] << span.closes
        low, _, high = self.habits.notes_a_bar
        return ways & between(max(1, int(low * whole * 0.8)), int(high * span.bars * 1.2) + 1)
