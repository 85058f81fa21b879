"""Finds the triplets of a bar: the spans that hold the notes off the grid of 32nds.

A triplet is three in the time of two and lasts 3, 6, 12, 24 or 48 ticks; one of a quarter note
holds three eighths. Other tuplets lie between two ticks: `find_tuplets` knows them by the places to
which their notes were moved, such as 0, 5, 10, 14 and 19 for five in a quarter. Positions
are ticks from the barline (`mst_core.notation.metrical_grid`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.metrical_grid import SHORTEST_TICKS, MetricalGrid

_TRIPLET_LENGTHS = (3, 6, 12, 24, 48)
_TUPLETS = {
    # Length in ticks: the notes in whose time there are others.
    12: 2,
    24: 4,
    36: 6,
    48: 4,
    72: 6,
    96: 4,
}
_TUPLET_NOTES = (5, 7, 9, 10, 11, 13)


@dataclass(frozen=True, slots=True)
class Triplet:
    """The span of a triplet, in ticks from the barline."""

    start: int
    length: int
    notes: int = 3
    """How many notes of equal length fill it, 3 unless it is another tuplet."""
    in_time_of: int = 2
    """In the time of how many of them."""

    @property
    def end(self) -> int:
        """End position (exclusive)."""
        return self.start + self.length

    def strength(self, position: int) -> int:
        """Return the metrical strength of a position inside the triplet.

        Args:
            position: ticks from the barline.

        Returns:
            2 for its start and end, 1 for its thirds, 0 and -1 for their halves and quarters, -2
            for other ticks.
        """
        inside = position - self.start
        if inside % self.length == 0:
            return 2
        for strength, parts in ((1, 3), (0, 6), (-1, 12)):
            if inside * parts % self.length == 0:
                return strength
        return -2


def find_tuplets(edges: Sequence[int], barriers: Sequence[int]) -> list[Triplet]:
    """Find tuplets of 5, 7, 9, 10, 11 or 13 notes that were moved to the nearest ticks.

    Args:
        edges: positions at which notes and rests begin and end, rising.
        barriers: positions that may not be inside one, such as those of repeat signs.

    Returns:
        The tuplets in order; they do not overlap, and each of their notes is a note or rest.
    """
    tuplets: list[Triplet] = []
    index = 0
    while index < len(edges):
        start = edges[index]
        found = next(
            (
                Triplet(start, length, notes, base << (notes > 2 * base))
                for length, base in _TUPLETS.items()
                for notes in _TUPLET_NOTES
                if index + notes < len(edges)
                and edges[index + notes] - start == length
                and start % min(length, TICKS_PER_QUARTER // 2) == 0
                and length % notes
                and all(
                    edges[index + i] - start == (2 * i * length + notes) // (2 * notes)
                    for i in range(1, notes)
                )
                and not any(start < barrier < start + length for barrier in barriers)
            ),
            None,
        )
        if found is None:
            index += 1
        else:
            tuplets.append(found)
            index += found.notes
    return tuplets


def find_triplets(
    edges: set[int], rests: list[tuple[int, int]], grid: MetricalGrid
) -> list[Triplet]:
    """Find the triplets that hold every edge off the grid of 32nds.

    Args:
        edges: positions at which notes and rests begin and end.
        rests: start and end of each rest.
        grid: the grid of the bar.

    Returns:
        The triplets in order; they do not overlap.
    """
    triplets: list[Triplet] = []
    covered = 0
    for position in sorted(edges):
        if position % SHORTEST_TICKS and position > covered:
            triplet = _choose_triplet(position, covered, edges, rests, grid)
            triplets.append(triplet)
            covered = triplet.end
    return triplets


def _choose_triplet(
    position: int,
    covered: int,
    edges: set[int],
    rests: list[tuple[int, int]],
    grid: MetricalGrid,
) -> Triplet:
    """Return the shortest triplet whose borders cross no note, or else one on the beat."""

    def can_split(border: int) -> bool:
        in_rest = any(start < border < end for start, end in rests)
        return border in edges or (in_rest and border in grid.group_starts)

    candidates = list(_candidate_triplets(position, covered, grid))
    for triplet in candidates:
        inside = (edge - triplet.start for edge in edges if triplet.start < edge < triplet.end)
        if (
            can_split(triplet.start)
            and can_split(triplet.end)
            and all(edge * 6 % triplet.length == 0 for edge in inside)
        ):
            return triplet
    aligned = [triplet for triplet in candidates if triplet.start % triplet.length == 0]
    return next(
        triplet
        for length in (TICKS_PER_QUARTER, 12, 6, 3)
        for triplet in aligned
        if triplet.length == length
    )


def _candidate_triplets(position: int, covered: int, grid: MetricalGrid) -> Iterator[Triplet]:
    """Yield the triplets that may hold a position, short and aligned ones first."""
    for length in _TRIPLET_LENGTHS:
        half = max(SHORTEST_TICKS, length // 2)
        aligned = position // length * length
        shifted = position // half * half
        for start in dict.fromkeys((aligned, shifted, shifted - half)):
            triplet = Triplet(start, length)
            if covered <= start < position < triplet.end <= grid.bar_ticks and not any(
                start < strong < triplet.end for strong in grid.strong_positions
            ):
                yield triplet
