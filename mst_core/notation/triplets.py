"""Where the triplets of a bar lie: the stretches that hold what the grid of 32nds cannot write.

Every triplet is three in the time of two, over a stretch of 3, 6, 12, 24 or 48 steps: a quarter's
holds three eighths. All places are steps from the barline, see `mst_core.notation.metrical_grid`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mst_core.music import TICKS_PER_QUARTER
from mst_core.notation.metrical_grid import SHORTEST_TICKS, MetricalGrid

_TRIPLET_LENGTHS = (3, 6, 12, 24, 48)


@dataclass(frozen=True, slots=True)
class Triplet:
    """Three equal notes, or what amounts to them, between two places of a bar."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + self.length

    def strength(self, position: int) -> int:
        """Rank a place inside it: 1 for its thirds, less for their halves."""
        inside = position - self.start
        if inside % self.length == 0:
            return 2
        for strength, parts in ((1, 3), (0, 6), (-1, 12)):
            if inside * parts % self.length == 0:
                return strength
        return -2


def find_triplets(
    edges: set[int], rests: list[tuple[int, int]], grid: MetricalGrid
) -> list[Triplet]:
    """Find the triplets that hold every cut off the grid of 32nds, in order.

    Takes the places where notes and rests begin and end, and the rests as (start, end).
    """
    triplets: list[Triplet] = []
    covered = 0
    for place in sorted(edges):
        if place % SHORTEST_TICKS and place > covered:
            triplet = _choose_triplet(place, covered, edges, rests, grid)
            triplets.append(triplet)
            covered = triplet.end
    return triplets


def _choose_triplet(
    place: int, covered: int, edges: set[int], rests: list[tuple[int, int]], grid: MetricalGrid
) -> Triplet:
    """Take the shortest triplet that no note reaches into or out of, else the quarter's."""

    def free(edge: int) -> bool:
        in_rest = any(start < edge < end for start, end in rests)
        return edge in edges or (in_rest and edge in grid.group_starts)

    possible = list(_candidate_triplets(place, covered, grid))
    for triplet in possible:
        inside = (cut - triplet.start for cut in edges if triplet.start < cut < triplet.end)
        if (
            free(triplet.start)
            and free(triplet.end)
            and all(cut * 6 % triplet.length == 0 for cut in inside)
        ):
            return triplet
    aligned = [triplet for triplet in possible if triplet.start % triplet.length == 0]
    return next(
        triplet
        for length in (TICKS_PER_QUARTER, 12, 6, 3)
        for triplet in aligned
        if triplet.length == length
    )


def _candidate_triplets(place: int, covered: int, grid: MetricalGrid) -> Iterator[Triplet]:
    """Go through the triplets that may hold a place, short ones and straight ones first."""
    for length in _TRIPLET_LENGTHS:
        half = max(SHORTEST_TICKS, length // 2)
        straight = place // length * length
        late = place // half * half
        for start in dict.fromkeys((straight, late, late - half)):
            triplet = Triplet(start, length)
            if covered <= start < place < triplet.end <= grid.bar_ticks and not any(
                start < strong < triplet.end for strong in grid.strong_positions
            ):
                yield triplet
