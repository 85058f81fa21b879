"""Which rhythms can fill a span, with how many notes.

A lattice joins places in the bar by the note values that a style's players write there. From each
place it knows the numbers of notes that a way to the end can take: a set, kept as the bits of one
integer. So bars and phrases sum exactly, with an exact number of notes where one is asked, and no
choice is a dead end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mst_core.statistics.style_statistics import MeterStatistics

RARE = 0.001
"""Share of a meter's events below which a new tune does not write a rhythm."""

UNSEEN_WEIGHT = 1e-6
"""Weight of a value that was never counted at its place."""

NoteCountSet = int
"""A set of numbers of notes: bit n is set when n is in it."""


@dataclass(frozen=True, slots=True)
class AllowedDurations:
    """The note values, in ticks, that may begin at one place of the bar."""

    notes: tuple[int, ...] = ()
    rests: tuple[int, ...] = ()


NO_DURATIONS = AllowedDurations()
"""A place where nothing begins."""


@dataclass(frozen=True)
class Lattice:
    """The rhythms of one meter of one style."""

    bar_ticks: int
    """Ticks."""
    positions: dict[int, AllowedDurations]
    weights: dict[tuple[int, int, bool], float] = field(default_factory=dict)
    """How often each value begins at its place; the third part tells rests."""
    _completion_cache: dict[tuple[int, int, int], NDArray[np.float64]] = field(default_factory=dict)
    _counts_cache: dict[tuple[int, int], tuple[NoteCountSet, ...]] = field(default_factory=dict)

    @classmethod
    def from_statistics(
        cls, habits: MeterStatistics, bar: int, *, rare: float = RARE, share: float = 1.0
    ) -> Lattice:
        """Keep the rhythms that are no accidents.

        They are more frequent than ``rare``, and the most frequent ones, up to a ``share`` of all
        events.
        """
        ranked = sorted(
            [
                *((rhythm.notes, rhythm, False) for rhythm in habits.rhythm_counts if rhythm.notes),
                *((rhythm.rests, rhythm, True) for rhythm in habits.rhythm_counts if rhythm.rests),
            ],
            key=lambda entry: (-entry[0], entry[1].position, entry[1].duration, entry[2]),
        )
        total = sum(count for count, _, _ in ranked)
        left = share * total
        notes: dict[int, list[int]] = {}
        rests: dict[int, list[int]] = {}
        weights: dict[tuple[int, int, bool], float] = {}
        for count, rhythm, silent in ranked:
            if left <= 0 or count <= rare * total:
                break
            (rests if silent else notes).setdefault(rhythm.position, []).append(rhythm.duration)
            weights[rhythm.position, rhythm.duration, silent] = count / total
            left -= count
        return cls(
            bar,
            {
                place: AllowedDurations(tuple(notes.get(place, ())), tuple(rests.get(place, ())))
                for place in notes.keys() | rests.keys()
            },
            weights,
        )

    def for_bar_length(self, bar: int) -> Lattice:
        """The same rhythms for a bar of another length: its first beats, or its beats again.

        A longer bar goes on as the bar began; nothing crosses the new barline.
        """
        places: dict[int, AllowedDurations] = {}
        for place in range(bar):
            values = self.positions.get(place % self.bar_ticks, NO_DURATIONS)
            notes = tuple(value for value in values.notes if place + value <= bar)
            rests = tuple(value for value in values.rests if place + value <= bar)
            if notes or rests:
                places[place] = AllowedDurations(notes, rests)
        weights = {
            (place, value, silent): self.weights.get((place % self.bar_ticks, value, silent), 0.0)
            for place, values in places.items()
            for silent, each in ((False, values.notes), (True, values.rests))
            for value in each
        }
        return Lattice(bar, places, weights)

    def on_grid(self, grain: int) -> Lattice:
        """Only what begins and lasts multiples of so many ticks."""
        if grain == 1:
            return self

        def kept(values: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(value for value in values if value % grain == 0)

        places = {
            place: AllowedDurations(kept(values.notes), kept(values.rests))
            for place, values in self.positions.items()
            if place % grain == 0
        }
        return Lattice(self.bar_ticks, places, self.weights)

    def with_min_duration(self, shortest: int) -> Lattice:
        """Only notes that last at least so many ticks."""
        places = {
            place: AllowedDurations(tuple(v for v in values.notes if v >= shortest), values.rests)
            for place, values in self.positions.items()
        }
        return Lattice(self.bar_ticks, places, self.weights)

    def union(self, other: Lattice) -> Lattice:
        """The rhythms of both."""
        both = self.positions.keys() | other.positions.keys()
        return Lattice(
            self.bar_ticks,
            {
                place: AllowedDurations(
                    tuple(
                        sorted(
                            {
                                *self.positions.get(place, NO_DURATIONS).notes,
                                *other.positions.get(place, NO_DURATIONS).notes,
                            }
                        )
                    ),
                    tuple(
                        sorted(
                            {
                                *self.positions.get(place, NO_DURATIONS).rests,
                                *other.positions.get(place, NO_DURATIONS).rests,
                            }
                        )
                    ),
                )
                for place in both
            },
            {
                name: self.weights.get(name, 0.0) + other.weights.get(name, 0.0)
                for name in self.weights.keys() | other.weights.keys()
            },
        )

    def reachable_counts(self, length: int, place: int = 0) -> tuple[NoteCountSet, ...]:
        """The numbers of notes that fill a span of ``length`` ticks, from each tick to its end.

        A span begins at a place of the bar, by default on the barline, and may end anywhere.
        """
        if (length, place) not in self._counts_cache:
            ways = [0] * (length + 1)
            ways[length] = 1
            for tick in range(length - 1, -1, -1):
                values = self.positions.get((tick + place) % self.bar_ticks, NO_DURATIONS)
                found = 0
                for value in values.notes:
                    if tick + value <= length:
                        found |= ways[tick + value] << 1
                for value in values.rests:
                    if tick + value <= length:
                        found |= ways[tick + value]
                ways[tick] = found
            self._counts_cache[length, place] = tuple(ways)
        return self._counts_cache[length, place]

    def completion_probability(self, length: int, place: int, most: int) -> NDArray[np.float64]:
        """How likely a span of ``length`` ticks ends well: (length + 1, most + 1).

        Entry (t, n) is the chance that playing on from tick t as the style does, whatever came
        before, fills the span exactly and with exactly n more notes. It keeps a writer from
        dawdling first and cramming then.
        """
        if (length, place, most) not in self._completion_cache:
            chances = np.zeros((length + 1, most + 1))
            chances[length, 0] = 1
            for tick in range(length - 1, -1, -1):
                at = (tick + place) % self.bar_ticks
                values = self.positions.get(at, NO_DURATIONS)
                entries = [(value, False) for value in values.notes]
                entries += [(value, True) for value in values.rests]
                weights = [self.weights.get((at, *entry), 0.0) + UNSEEN_WEIGHT for entry in entries]
                for (value, silent), weight in zip(entries, weights, strict=True):
                    if tick + value <= length:
                        further = chances[tick + value] * (weight / sum(weights))
                        if silent:
                            chances[tick] += further
                        else:
                            chances[tick, 1:] += further[:-1]
            self._completion_cache[length, place, most] = chances
        return self._completion_cache[length, place, most]


def count_range(fewest: int, most: int) -> NoteCountSet:
    """The set of the numbers from ``fewest`` to ``most``, both inclusive."""
    return (1 << (most + 1)) - (1 << fewest)
