"""A melody laid out into bars, as a musician would write it: what every written form stands on.

Notes and rests are cut at barlines and where a reader needs to see the pulse; ties hold the pieces
of a note together. A repeat sign within a bar, as before a pickup, cuts it in two. It knows nothing
of any file format.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from mst_core.music import TICKS_PER_QUARTER, Melody, Meter
from mst_core.notation.beams import assign_beams
from mst_core.notation.metrical_grid import MetricalGrid, exact_ticks
from mst_core.notation.note_values import WrittenNote
from mst_core.notation.repeat_signs import RepeatSigns, find_repeat_signs
from mst_core.notation.spelling import Spelling, spell_pitches
from mst_core.notation.ties import BarSpan, split_into_note_values
from mst_core.notation.triplets import Triplet, find_triplets

LOWEST_TREBLE_PITCH = 55
"""A tune whose middle pitch is below this G is written in the bass clef."""


@dataclass(frozen=True, slots=True)
class WrittenBar:
    """One bar, or the part of it on one side of a repeat sign, with its pieces from the left."""

    number: int
    """Counted from 1, and from 0 downwards in a pickup. All parts of a bar have the same."""
    length: Fraction
    """Quarter notes that the pieces last together; shorter than the meter's bar in a pickup."""
    notes: tuple[WrittenNote, ...]
    meter: Meter
    starts_section: bool
    """Whether a section of the tune begins here; the first bar always does."""
    starts_repeat: bool
    ends_repeat: bool
    ending: int
    """1 or 2 in an ending of a repeat, else 0."""
    starts_after_repeat_sign: bool
    """Whether it begins within its bar, behind a repeat sign."""
    right_barline: str = "single"
    """The barline on its right: ``single``, ``double`` before a section, or ``final``."""
    changes_meter: bool = False
    """Whether its meter is another than the one before."""
    starts_ending: bool = False
    ends_ending: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing sounds in it."""
        return all(piece.spelling is None for piece in self.notes)

    @property
    def is_complete(self) -> bool:
        """Whether it lasts as long as its meter says."""
        return self.length == self.meter.bar_length


def lay_out_bars(melody: Melody) -> tuple[WrittenBar, ...]:
    """Lay a melody out into its bars; a pickup makes a short first one.

    Raises:
        UnwritableRhythm: when a note begins or ends off the grid of 1/24 quarter.
    """
    sounding = [
        (
            exact_ticks(note.onset, TICKS_PER_QUARTER, melody),
            exact_ticks(note.end, TICKS_PER_QUARTER, melody),
        )
        for note in melody.notes
    ]
    lines = [int(line * TICKS_PER_QUARTER) for line in melody.barlines]
    upbeat = int(melody.meter.bar_length * TICKS_PER_QUARTER)
    first = min(0, sounding[0][0] // upbeat) if sounding else 0
    marks = find_repeat_signs(melody, lines, sounding)
    lines = [*range(first * upbeat, 0, upbeat), *lines]
    bars: list[WrittenBar] = []
    for place, spans in enumerate(_cut_at_barlines(melody, sounding, lines), start=first):
        meter, start = melody.meter_at(place), lines[place - first]
        bars += _write_bar(meter, place, spans, start, marks, first=place == first)
    return tuple(_mark_boundaries(bars, melody.meter, marks.starts_with_repeat))


def break_into_lines(bars: Sequence[WrittenBar], many: int) -> Iterator[list[WrittenBar]]:
    """Break bars into lines of ``many``; a pickup goes with the first, a section opens a line.

    A second ending of one bar stays beside the first.
    """
    line: list[WrittenBar] = []
    for bar in bars:
        counted = [each for each in line if each.number > 0 and not each.starts_after_repeat_sign]
        alone = bar.ending == 2 and bar.starts_ending and bar.ends_ending
        full = len(counted) >= many and not bar.starts_after_repeat_sign and not alone
        if line and (full or (bar.starts_section and line[-1].number > 0)):
            yield line
            line = []
        line.append(bar)
    if line:
        yield line


def _cut_at_barlines(
    melody: Melody, sounding: Sequence[tuple[int, int]], lines: Sequence[int]
) -> list[list[BarSpan]]:
    """Fill each bar with notes and rests, cut at the barlines."""
    timeline: list[tuple[int, int, Spelling | None]] = []
    now = lines[0]
    for (onset, end), spelling in zip(
        sounding, spell_pitches(melody.pitches, melody.key), strict=True
    ):
        if onset > now:
            timeline.append((now, onset, None))
        timeline.append((onset, end, spelling))
        now = end
    if now < lines[-1]:
        timeline.append((now, lines[-1], None))
    bars: list[list[BarSpan]] = [[] for _ in lines[1:]]
    for start, end, written in timeline:
        sounds = written is not None
        place = bisect_right(lines, start) - 1
        while lines[place] < end:
            bar = lines[place]
            begin, stop = max(start, bar), min(end, lines[place + 1])
            bars[place].append(
                BarSpan(
                    begin - bar,
                    stop - bar,
                    written,
                    tied=sounds and stop < end,
                    continues=sounds and begin > start,
                )
            )
            place += 1
    return bars


def _write_bar(
    meter: Meter, place: int, spans: list[BarSpan], start: int, marks: RepeatSigns, *, first: bool
) -> Iterator[WrittenBar]:
    """Write one bar that begins at step ``start``, in parts where repeat signs cut it."""
    pulse = MetricalGrid.for_meter(meter)
    end = start + pulse.bar_ticks
    signs = marks.signs_between(start, end)
    spans = [part for span in spans for part in _split_rest(span, signs)]
    edges = {span.start for span in spans} | {span.end for span in spans}
    rests = [(span.start, span.end) for span in spans if span.spelling is None]
    triplets = find_triplets(
        edges, rests, replace(pulse, strong_positions=pulse.strong_positions.union(signs))
    )
    if first and place < 0 and spans[0].spelling is None:
        spans = _trim_pickup_rest(spans, triplets)
    for begin, stop in pairwise([start, *(start + sign for sign in signs), end]):
        part = [span for span in spans if begin <= start + span.start < stop]
        silent = all(span.spelling is None for span in part)
        if not part or (place > 0 and silent and marks.omits_rest(begin, stop, (start, end))):
            continue
        pieces = tuple(assign_beams(split_into_note_values(part, triplets, pulse), pulse))
        yield WrittenBar(
            number=place + 1,
            length=sum((piece.duration for piece in pieces), Fraction(0)),
            notes=pieces,
            meter=meter,
            starts_section=begin > 0 and begin in marks.section_starts,
            starts_repeat=begin in marks.repeat_starts,
            ends_repeat=stop in marks.repeat_ends,
            ending=marks.ending_at(begin),
            starts_after_repeat_sign=begin > start,
        )


def _split_rest(span: BarSpan, signs: Sequence[int]) -> Iterator[BarSpan]:
    """Cut a rest where repeat signs stand in it."""
    inside = [sign for sign in signs if span.start < sign < span.end]
    for start, end in pairwise([span.start, *inside, span.end]):
        yield replace(span, start=start, end=end)


def _trim_pickup_rest(spans: list[BarSpan], triplets: Sequence[Triplet]) -> list[BarSpan]:
    """Begin a pickup where its first note does, or at the rest that opens its triplet."""
    silence, *rest = spans
    begin = min([silence.end, *(triplet.start for triplet in triplets)])
    return [replace(silence, start=begin), *rest] if begin < silence.end else rest


def _mark_boundaries(
    bars: list[WrittenBar], meter: Meter, opens_first: bool
) -> Iterator[WrittenBar]:
    """Tell each bar what its neighbours make of it."""
    for bar, before, after in zip(bars, [None, *bars], [*bars[1:], None], strict=False):
        ahead = "double" if after and after.starts_section and bar.number > 0 else "single"
        yield replace(
            bar,
            starts_section=bar.starts_section or before is None,
            starts_repeat=bar.starts_repeat or (opens_first and before is None),
            right_barline=ahead if after else "final",
            changes_meter=bar.meter != (before.meter if before else meter),
            starts_ending=bool(bar.ending) and (not before or before.ending != bar.ending),
            ends_ending=bool(bar.ending) and (not after or after.ending != bar.ending),
        )
