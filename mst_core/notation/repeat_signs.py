"""Finds the positions of repeat signs, endings and sections, in ticks from the first downbeat.

A repeat sign may be within a bar, before a pickup. Where it would split a sounding note, as after a
change of rhythm, it is moved to the barline.
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
    """Positions of the signs of a melody."""

    repeat_starts: frozenset[int]
    """Positions of ``|:`` after the first note."""
    repeat_ends: frozenset[int]
    """Positions of ``:|``."""
    section_starts: frozenset[int]
    starts_with_repeat: bool
    """Whether a repeat begins with the first note, which may be in a pickup."""
    endings: tuple[tuple[int, int, int], ...]
    """Start, end (exclusive) and number of each ending."""

    def ending_at(self, position: int) -> int:
        """Return the number of the ending that contains a position.

        Args:
            position: ticks from the first downbeat.

        Returns:
            1 or 2, and 0 outside endings.
        """
        return next((number for start, end, number in self.endings if start <= position < end), 0)

    def signs_between(self, start: int, end: int) -> list[int]:
        """Return the repeat signs between two barlines.

        Args:
            start: position of the first barline.
            end: position of the second barline.

        Returns:
            Rising positions in ticks from the first barline, without the barlines themselves.
        """
        signs = self.repeat_starts | self.repeat_ends
        return sorted(sign - start for sign in signs if start < sign < end)

    def omits_rest(self, start: int, end: int, bar: tuple[int, int]) -> bool:
        """Whether silence in a part of a bar is not written.

        That is silence that only fills the bar: after the end of a section, or before a pickup.

        Args:
            start: position at which the part begins.
            end: position at which it ends.
            bar: positions of the two barlines.
        """
        if end in self.repeat_ends:
            return False
        after_end = bar[0] < start and start in self.repeat_ends - self.repeat_starts
        before_pickup = end < bar[1] and end in self.repeat_starts and start == bar[0]
        return after_end or before_pickup


def find_repeat_signs(
    melody: Melody, barlines: Sequence[int], note_spans: Sequence[tuple[int, int]]
) -> RepeatSigns:
    """Find the positions of all signs of a melody.

    Args:
        melody: the melody.
        barlines: its barlines in ticks.
        note_spans: start and end of each note in ticks, in order.

    Returns:
        The positions.
    """
    first = min(0, note_spans[0][0]) if note_spans else 0
    onsets = [onset for onset, _ in note_spans]

    def sounds_between(start: int, end: int) -> bool:
        before = bisect_left(onsets, end)
        return before > 0 and note_spans[before - 1][1] > start

    def sign_position(bar: int, lead: Fraction) -> int:
        line, position = barlines[bar], barlines[bar] - lead * TICKS_PER_QUARTER
        line_before = barlines[bar - 1] if bar else first
        if bar == 0 and position <= first:
            return first
        is_within = line_before < position < line and position % SHORTEST_TICKS == 0
        splits_note = is_within and sounds_between(int(position), int(position))
        if not is_within or not sounds_between(line_before, line) or splits_note:
            return line
        return int(position)

    starts: list[int] = []
    ends: list[int] = []
    endings: list[tuple[int, int, int]] = []
    sections = {bar: barlines[bar] for bar in melody.sections}
    for repeat in reversed(melody.repeats):
        start = sign_position(repeat.start, repeat.lead_in)
        end = sign_position(repeat.end, repeat.lead_out)
        if repeat.second_ending is not None:
            if sounds_between(end, barlines[repeat.end]):
                end = barlines[repeat.end]
            # A pickup of the next section is not part of the ending.
            stop = min([barlines[repeat.second_ending], *starts[-1:]])
            endings.append((barlines[repeat.end], stop, 2))
        elif sounds_between(end, barlines[repeat.end]) and repeat.end in sections:
            sections[repeat.end] = min(end, sections[repeat.end])
        if repeat.first_ending is not None:
            endings.append((barlines[repeat.first_ending], end, 1))
        if repeat.start in sections:
            sections[repeat.start] = start
        starts.append(start)
        ends.append(end)
    starts_with_repeat = bool(starts) and starts[-1] <= first
    return RepeatSigns(
        repeat_starts=frozenset(starts[:-1] if starts_with_repeat else starts),
        repeat_ends=frozenset(ends),
        section_starts=frozenset(sections.values()),
        starts_with_repeat=starts_with_repeat,
        endings=tuple(endings),
    )
