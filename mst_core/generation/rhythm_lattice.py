"""The rhythm lattice: which rhythms fill a span exactly, and with how many notes.

A lattice joins the positions of the bar by the durations that tunes of a style have there. From
each position it computes the numbers of notes with which a span can be completed, as a set kept in
the bits of one integer. So spans are filled exactly, with a given number of notes where that is
required, and a writer that checks the sets never meets a dead end. All times are ticks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mst_core.statistics.style_statistics import MeterStatistics

UNSEEN_WEIGHT = 1e-6
"""Weight of a duration that was never counted at its position."""

NoteCountSet = int
"""A set of numbers of notes: bit n is set when n is in it."""


@dataclass(frozen=True, slots=True)
class AllowedDurations:
    """The durations, in ticks, of notes and of rests that may begin at one position."""

    notes: tuple[int, ...] = ()
    rests: tuple[int, ...] = ()


NO_DURATIONS = AllowedDurations()
"""A position where nothing begins."""


@dataclass(frozen=True)
class Lattice:
    """The rhythms of one meter of one style."""

    bar_ticks: int
    """Length of the bar."""
    positions: dict[int, AllowedDurations]
    """What may begin, by ticks from the barline."""
    weights: dict[tuple[int, int, bool], float] = field(default_factory=dict)
    """Relative frequency of (position, duration, is a rest)."""
    _completion_cache: dict[tuple[int, int, int], NDArray[np.float64]] = field(default_factory=dict)
    _counts_cache: dict[tuple[int, int], tuple[NoteCountSet, ...]] = field(default_factory=dict)

    @classmethod
    def from_statistics(
        cls, statistics: MeterStatistics, bar_ticks: int, *, coverage: float = 1.0
    ) -> Lattice:
        """Build the lattice of the most frequent rhythms of a meter.

        Args:
            statistics: counts of durations by position.
            bar_ticks: length of the bar.
            coverage: share of all counted events to keep, most frequent first, 0 to 1.

        Returns:
            The lattice of those rhythms, with their frequencies.
        """
        ranked = sorted(
            [
                *((count.notes, count, False) for count in statistics.rhythm_counts if count.notes),
                *((count.rests, count, True) for count in statistics.rhythm_counts if count.rests),
            ],
            key=lambda entry: (-entry[0], entry[1].position, entry[1].duration, entry[2]),
        )
        total = sum(count for count, _, _ in ranked)
        left = coverage * total
        notes: dict[int, list[int]] = {}
        rests: dict[int, list[int]] = {}
        weights: dict[tuple[int, int, bool], float] = {}
        for count, rhythm, is_rest in ranked:
            if left <= 0:
                break
            (rests if is_rest else notes).setdefault(rhythm.position, []).append(rhythm.duration)
            weights[rhythm.position, rhythm.duration, is_rest] = count / total
            left -= count
        return cls(
            bar_ticks,
            {
                position: AllowedDurations(
                    tuple(notes.get(position, ())), tuple(rests.get(position, ()))
                )
                for position in notes.keys() | rests.keys()
            },
            weights,
        )

    def for_bar_length(self, bar_ticks: int) -> Lattice:
        """Return the same rhythms for a bar of another length.

        A shorter bar takes the first beats; a longer one repeats them from its beginning. Nothing
        crosses the new barline.
        """
        positions: dict[int, AllowedDurations] = {}
        for position in range(bar_ticks):
            durations = self.positions.get(position % self.bar_ticks, NO_DURATIONS)
            notes = tuple(ticks for ticks in durations.notes if position + ticks <= bar_ticks)
            rests = tuple(ticks for ticks in durations.rests if position + ticks <= bar_ticks)
            if notes or rests:
                positions[position] = AllowedDurations(notes, rests)
        weights = {
            (position, ticks, is_rest): self.weights.get(
                (position % self.bar_ticks, ticks, is_rest), 0.0
            )
            for position, durations in positions.items()
            for is_rest, each in ((False, durations.notes), (True, durations.rests))
            for ticks in each
        }
        return Lattice(bar_ticks, positions, weights)

    def on_grid(self, step: int) -> Lattice:
        """Keep only positions and durations that are multiples of ``step`` ticks."""
        if step == 1:
            return self

        def kept(durations: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(ticks for ticks in durations if ticks % step == 0)

        positions = {
            position: AllowedDurations(kept(durations.notes), kept(durations.rests))
            for position, durations in self.positions.items()
            if position % step == 0
        }
        return Lattice(self.bar_ticks, positions, self.weights)

    def with_min_duration(self, min_ticks: int) -> Lattice:
        """Keep only notes of at least ``min_ticks``; rests stay."""
        positions = {
            position: AllowedDurations(
                tuple(ticks for ticks in durations.notes if ticks >= min_ticks), durations.rests
            )
            for position, durations in self.positions.items()
        }
        return Lattice(self.bar_ticks, positions, self.weights)

    def union(self, other: Lattice) -> Lattice:
        """Return the rhythms of both lattices, their weights added."""
        positions = {}
        for position in self.positions.keys() | other.positions.keys():
            ours = self.positions.get(position, NO_DURATIONS)
            theirs = other.positions.get(position, NO_DURATIONS)
            positions[position] = AllowedDurations(
                tuple(sorted({*ours.notes, *theirs.notes})),
                tuple(sorted({*ours.rests, *theirs.rests})),
            )
        weights = {
            key: self.weights.get(key, 0.0) + other.weights.get(key, 0.0)
            for key in self.weights.keys() | other.weights.keys()
        }
        return Lattice(self.bar_ticks, positions, weights)

    def reachable_counts(self, length: int, position: int = 0) -> tuple[NoteCountSet, ...]:
        """Compute with how many notes a span can be filled from each of its ticks to its end.

        Args:
            length: of the span, in ticks; it may end anywhere in a bar.
            position: where in the bar it begins, in ticks.

        Returns:
            ``length + 1`` sets; the first is for the whole span. Kept for the next call.
        """
        if (length, position) not in self._counts_cache:
            counts = [0] * (length + 1)
            counts[length] = 1
            for tick in range(length - 1, -1, -1):
                durations = self.positions.get((tick + position) % self.bar_ticks, NO_DURATIONS)
                found = 0
                for ticks in durations.notes:
                    if tick + ticks <= length:
                        found |= counts[tick + ticks] << 1
                for ticks in durations.rests:
                    if tick + ticks <= length:
                        found |= counts[tick + ticks]
                counts[tick] = found
            self._counts_cache[length, position] = tuple(counts)
        return self._counts_cache[length, position]

    def completion_probability(
        self, length: int, position: int, max_notes: int
    ) -> NDArray[np.float64]:
        """Compute the probability that a span is filled exactly, with exactly n more notes.

        Durations are taken as drawn by their weights, independently of one another. A writer with
        given pitches weighs its choices by this, so that it does not crowd the end of the bar.

        Args:
            length: of the span, in ticks.
            position: where in the bar it begins, in ticks.
            max_notes: the largest n.

        Returns:
            (length + 1, max_notes + 1): entry (t, n) is for the rest of the span after tick t.
        """
        key = (length, position, max_notes)
        if key not in self._completion_cache:
            probability = np.zeros((length + 1, max_notes + 1))
            probability[length, 0] = 1
            for tick in range(length - 1, -1, -1):
                at = (tick + position) % self.bar_ticks
                durations = self.positions.get(at, NO_DURATIONS)
                entries = [(ticks, False) for ticks in durations.notes]
                entries += [(ticks, True) for ticks in durations.rests]
                weights = [self.weights.get((at, *entry), 0.0) + UNSEEN_WEIGHT for entry in entries]
                total = sum(weights)
                for (ticks, is_rest), weight in zip(entries, weights, strict=True):
                    if tick + ticks <= length:
                        rest = probability[tick + ticks] * (weight / total)  # (max_notes + 1,)
                        if is_rest:
                            probability[tick] += rest
                        else:
                            probability[tick, 1:] += rest[:-1]
            self._completion_cache[key] = probability
        return self._completion_cache[key]


def count_range(fewest: int, most: int) -> NoteCountSet:
    """Return the set of the numbers from ``fewest`` to ``most``, both inclusive.

    Args:
        fewest: the smallest number of notes, 0 or more.
        most: the largest; below ``fewest`` by one for the empty set.
    """
    return (1 << (most + 1)) - (1 << fewest)
