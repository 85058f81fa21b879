"""Which rhythms can fill a span, with how many notes.

A lattice joins places in the bar by the note values that a style's players write there. From each
place it knows the numbers of notes that a way to the end can take: a set, kept as the bits of one
integer. So bars and phrases sum exactly, with an exact number of notes where one is asked, and no
choice is a dead end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mst_core.networks.habits import MeterHabits

RARE = 0.001
"""Share of a meter's events below which a new tune does not write a rhythm."""

Counts = int
"""A set of numbers of notes: bit n is set when n is in it."""


@dataclass(frozen=True, slots=True)
class Values:
    """The note values, in ticks, that may begin at one place of the bar."""

    notes: tuple[int, ...] = ()
    rests: tuple[int, ...] = ()


NOTHING = Values()
"""A place where nothing begins."""


@dataclass(frozen=True)
class Lattice:
    """The rhythms of one meter of one style."""

    bar: int
    """Ticks."""
    places: dict[int, Values]
    _ways: dict[tuple[int, int], tuple[Counts, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, habits: MeterHabits, bar: int, *, rare: float = RARE, share: float = 1.0
    ) -> Lattice:
        """Keep the rhythms that are no accidents.

        They are more frequent than ``rare``, and the most frequent ones, up to a ``share`` of all
        events.
        """
        ranked = sorted(
            [
                *((rhythm.notes, rhythm, False) for rhythm in habits.rhythms if rhythm.notes),
                *((rhythm.rests, rhythm, True) for rhythm in habits.rhythms if rhythm.rests),
            ],
            key=lambda entry: (-entry[0], entry[1].place, entry[1].ticks, entry[2]),
        )
        total = sum(count for count, _, _ in ranked)
        left = share * total
        notes: dict[int, list[int]] = {}
        rests: dict[int, list[int]] = {}
        for count, rhythm, silent in ranked:
            if left <= 0 or count <= rare * total:
                break
            (rests if silent else notes).setdefault(rhythm.place, []).append(rhythm.ticks)
            left -= count
        return cls(
            bar,
            {
                place: Values(tuple(notes.get(place, ())), tuple(rests.get(place, ())))
                for place in notes.keys() | rests.keys()
            },
        )

    def lend(self, bar: int) -> Lattice:
        """The same rhythms for a bar of another length: its first beats, or its beats again.

        A longer bar goes on as the bar began; nothing crosses the new barline.
        """
        places: dict[int, Values] = {}
        for place in range(bar):
            values = self.places.get(place % self.bar, NOTHING)
            notes = tuple(value for value in values.notes if place + value <= bar)
            rests = tuple(value for value in values.rests if place + value <= bar)
            if notes or rests:
                places[place] = Values(notes, rests)
        return Lattice(bar, places)

    def join(self, other: Lattice) -> Lattice:
        """The rhythms of both."""
        both = self.places.keys() | other.places.keys()
        return Lattice(
            self.bar,
            {
                place: Values(
                    tuple(sorted({*self.places.get(place, NOTHING).notes,
                                  *other.places.get(place, NOTHING).notes})),
                    tuple(sorted({*self.places.get(place, NOTHING).rests,
                                  *other.places.get(place, NOTHING).rests})),
                )
                for place in both
            },
        )  # fmt: skip

    def ways(self, length: int, place: int = 0) -> tuple[Counts, ...]:
        """The numbers of notes that fill a span of ``length`` ticks, from each tick to its end.

        A span begins at a place of the bar, by default on the barline, and may end anywhere.
        """
        if (length, place) not in self._ways:
            ways = [0] * (length + 1)
            ways[length] = 1
            for tick in range(length - 1, -1, -1):
                values = self.places.get((tick + place) % self.bar, NOTHING)
                found = 0
                for value in values.notes:
                    if tick + value <= length:
                        found |= ways[tick + value] << 1
                for value in values.rests:
                    if tick + value <= length:
                        found |= ways[tick + value]
                ways[tick] = found
            self._ways[length, place] = tuple(ways)
        return self._ways[length, place]


def between(fewest: int, most: int) -> Counts:
    """The set of the numbers from ``fewest`` to ``most``, both inclusive."""
    return (1 << (most + 1)) - (1 << fewest)
