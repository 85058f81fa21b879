"""Where the signs of repeats, endings and sections stand in a melody, in steps from its downbeat.

A repeat sign may stand within a bar, before a pickup. Where it would cut a sounding note in two,
as after a change of rhythm, it stands at the barline instead.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mst_core.music import TICKS_PER_QUARTER, Melody
from mst_core.notation.metrical_grid import SHORTEST_TICKS


@dataclass(frozen=True, slots=True)
class RepeatSigns:
    """Places of signs."""

    repeat_starts: frozenset[int]
    """Of ``|:`` behind the first note."""
    repeat_ends: frozenset[int]
    """Of ``:|``."""
    section_starts: frozenset[int]
    starts_with_repeat: bool
    """Whether a repeat opens with the first note, pickup or not."""
    endings: tuple[tuple[int, int, int], ...]
    """Where each begins and ends, and its number."""

    def ending_at(self, place: int) -> int:
        """The number of the ending that a place is in, else 0."""
        return next((number for start, end, number in self.endings if start <= place < end), 0)

    def signs_between(self, start: int, end: int) -> list[int]:
        """The repeat signs between two barlines, in steps from the first one."""
        return sorted(
            sign - start for sign in self.repeat_starts | self.repeat_ends if start < sign < end
        )

    def omits_rest(self, start: int, end: int, bar: tuple[int, int]) -> bool:
        """Whether silence between two places of a bar, given with its barlines, is not written.

        It is what the grid of bars leaves free behind a strain, or before a pickup.
        """
        if end in self.repeat_ends:
            return False
        behind = bar[0] < start and start in self.repeat_ends - self.repeat_starts
        before = end < bar[1] and end in self.repeat_starts and start == bar[0]
        return behind or before


def find_repeat_signs(
    melody: Melody, lines: Sequence[int], sounding: Sequence[tuple[int, int]]
) -> RepeatSigns:
    """Find the signs of a melody; takes its barlines, and where each note starts and ends."""
    first = min(0, sounding[0][0]) if sounding else 0

    onsets = [onset for onset, _ in sounding]

    def sounds(start: int, end: int) -> bool:
        before = bisect_left(onsets, end)
        return before > 0 and sounding[before - 1][1] > start

    def stand(bar: int, lead: Fraction) -> int:
        line, place = lines[bar], lines[bar] - lead * TICKS_PER_QUARTER
        before = lines[bar - 1] if bar else first
        if bar == 0 and place <= first:
            return first
        within = before < place < line and place % SHORTEST_TICKS == 0
        if not within or not sounds(before, line) or sounds(int(place), int(place)):
            return line
        return int(place)

    opening: list[int] = []
    closing: list[int] = []
    endings: list[tuple[int, int, int]] = []
    sections = {bar: lines[bar] for bar in melody.sections}
    for repeat in reversed(melody.repeats):
        begin, end = stand(repeat.start, repeat.lead_in), stand(repeat.end, repeat.lead_out)
        if repeat.second_ending is not None:
            if sounds(end, lines[repeat.end]):
                end = lines[repeat.end]
            # A pickup of the next strain is no part of the ending.
            stop = min([lines[repeat.second_ending], *opening[-1:]])
            endings.append((lines[repeat.end], stop, 2))
        elif sounds(end, lines[repeat.end]) and repeat.end in sections:
            sections[repeat.end] = min(end, sections[repeat.end])
        if repeat.first_ending is not None:
            endings.append((lines[repeat.first_ending], end, 1))
        if repeat.start in sections:
            sections[repeat.start] = begin
        opening.append(begin)
        closing.append(end)
    opens_first = bool(opening) and opening[-1] <= first
    return RepeatSigns(
        repeat_starts=frozenset(opening[:-1] if opens_first else opening),
        repeat_ends=frozenset(closing),
        section_starts=frozenset(sections.values()),
        starts_with_repeat=opens_first,
        endings=tuple(endings),
    )
