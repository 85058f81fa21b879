"""How a style moves in one meter: habits, lattice, and where its parts come to rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mst_core.composing.form import Span
from mst_core.composing.lattice import Counts, Lattice, between
from mst_core.music import Meter
from mst_core.networks.corpus import TICKS
from mst_core.networks.habits import MeterHabits
from mst_core.networks.style import Style


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
        lattice = Lattice.of(habits, bar)
        usual = {
            place: count
            for place, count in habits.endings.items()
            # On an eighth, and long enough to be heard as an end.
            if place in lattice.places and bar - place >= TICKS and place % (TICKS // 2) == 0
        }
        order: list[int] = []
        while usual:
            place = int(draw_weighted({str(place): count for place, count in usual.items()}, rng))
            order.append(place)
            del usual[place]
        return [cls(meter, habits, lattice, place) for place in order or [0]]

    def counts(self, span: Span) -> Counts:
        """The numbers of notes that a span can have: exact rhythms, as dense as the style is."""
        bar = self.lattice.bar
        whole = span.bars - span.closes  # a bar of rest at the end has as few notes as it likes
        ways = self.lattice.ways(whole * bar + span.closes * self.ending)[0] << span.closes
        low, _, high = self.habits.notes_a_bar
        return ways & between(max(1, int(low * whole * 0.8)), int(high * span.bars * 1.2) + 1)
