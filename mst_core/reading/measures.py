"""The measures of a file as they are written, and the bars that are made of them.

`WrittenMeasure` is what the readers of ABC and MusicXML know of each measure; `BarLayout` is what
`mst_core.reading.bars` makes of them: where each measure stands, the bars, sections and repeats.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeVar

from mst_core.music import Key, Melody, Meter, MeterChange, Note, Repeat

MAX_METER_NUMBER = 32
"""Largest numerator of a meter."""
_DENOMINATORS = (4, 8, 16, 32, 2, 1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WrittenMeasure:
    """The music between two barlines of a file, without its notes."""

    length: Fraction
    """Quarter notes; 0 where nothing is written, which is a bar of silence."""
    meter: Meter | None
    """The time signature that holds; None for free meter."""
    last_onset: Fraction = Fraction(0)
    """Quarter notes from its beginning to its last note; 0 where it has none."""
    sounding: Fraction = Fraction(0)
    """Quarter notes from its beginning to the end of its last note; 0 where it has none."""
    opens_repeat: bool = False
    closes_repeat: bool = False
    play_count: int = 2
    """How often the repeat that it closes is played."""
    double_before: bool = False
    """Whether a double bar or a repeat sign precedes it."""
    double_after: bool = False
    """Whether a double bar or a repeat sign follows it."""
    ending: tuple[int, ...] = ()
    """The passes of the ending that begins with it, counted from 1; empty where none begins."""
    ending_stops: bool = False
    """Whether the bracket of an ending stops after it."""
    opens_section: bool = False
    """Whether a rehearsal mark stands at its beginning."""
    continues_bar: bool = False
    """Whether the file says that it belongs to the bar of the measure before it."""
    is_pickup: bool = False
    """Whether the file says that it is a pickup, though it may be as long as a bar."""


class Placement(NamedTuple):
    """Where a measure stands; one that is played in two endings may stand in each of them."""

    measure: int
    """Index of the measure in the file."""
    onset: Fraction
    """Quarter notes from the first downbeat."""
    length: Fraction
    """Quarter notes that it may fill; a rounding error beyond them is cut off."""


@dataclass(frozen=True, slots=True)
class BarLayout:
    """Where the measures of a file are placed, and the bars, sections and repeats they make."""

    placements: tuple[Placement, ...]
    """In order of time; each measure at least once."""
    onsets: tuple[Fraction, ...]
    """Of each measure of the file where it first belongs, in quarter notes from the first
    downbeat."""
    meters: tuple[Meter, ...]
    """The meter of each full bar."""
    first_meter: Meter
    """The meter that the melody begins with: that of its pickup, else of its first bar."""
    barlines: tuple[Fraction, ...]
    """Of all bars and, last, the end, in quarter notes from the first downbeat."""
    sections: tuple[int, ...]
    """The first bar of each section."""
    repeats: tuple[Repeat, ...]
    warnings: tuple[str, ...]
    """What was assumed or added, in whole sentences."""

    @property
    def meter_changes(self) -> tuple[MeterChange, ...]:
        """The bars in which another meter begins."""
        meters = pairwise([self.first_meter, *self.meters])
        return tuple(MeterChange(bar, new) for bar, (old, new) in enumerate(meters) if new != old)

    def place(self, items: Sequence[Iterable[tuple[Fraction, T]]]) -> Iterator[tuple[Fraction, T]]:
        """Give times from the first downbeat to what stands within measures.

        Args:
            items: For each measure of the file, or the first of them, what stands in it with its
                time in quarter notes from the beginning of the measure.

        Yields:
            Onset in quarter notes from the first downbeat, and item, measure after measure. What
            is written once and placed in two endings comes twice.
        """
        for measure, onset, length in self.placements:
            for time, item in items[measure] if measure < len(items) else ():
                yield onset + min(time, length), item

    def bar_at(self, onset: Fraction) -> int:
        """Return the bar that contains an onset; 0 for a pickup.

        Args:
            onset: Quarter notes from the first downbeat.
        """
        return max(0, bisect_right(self.barlines, onset) - 1)

    def melody(self, notes: Sequence[Note], *, key: Key, tempo: float) -> Melody:
        """Return the melody of these bars.

        A repeat from the beginning goes back to the first note: a rest before a pickup is no part
        of a melody.

        Args:
            notes: In order of onset, at least one.
            key: The first key.
            tempo: Quarter notes per minute.

        Returns:
            The melody with the bars, sections, changes of meter and repeats of this layout.
        """
        pickup = max(Fraction(0), -notes[0].onset)
        return Melody(
            notes=tuple(notes),
            meter=self.first_meter,
            key=key,
            tempo=tempo,
            bar_count=len(self.meters),
            sections=self.sections,
            meter_changes=self.meter_changes,
            repeats=tuple(
                each if each.start else replace(each, lead_in=min(each.lead_in, pickup))
                for each in self.repeats
            ),
        )


def meter_of_length(length: Fraction, like: Meter) -> Meter | None:
    """Find the meter whose bar has a length, in the beat of another meter if possible.

    Args:
        length: Quarter notes, above 0.
        like: The meter around it.

    Returns:
        The meter; None where no meter with a numerator up to `MAX_METER_NUMBER` has this length.
    """
    if length == like.bar_length:
        return like
    for denominator in (like.denominator, *_DENOMINATORS):
        beats = length * denominator / 4
        if beats.denominator == 1 and 1 <= beats <= MAX_METER_NUMBER:
            return Meter(int(beats), denominator)
    return None
