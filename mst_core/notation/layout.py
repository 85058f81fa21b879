"""Lays a melody out into written bars, the basis of all written formats.

Notes and rests are split at barlines and where a reader must see the beat; the parts of a note are
tied. A repeat sign within a bar, as before a pickup, splits it in two. No file format is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter
from mst_core.notation.beams import assign_beams
from mst_core.notation.metrical_grid import MetricalGrid, exact_ticks
from mst_core.notation.note_values import WrittenNote
from mst_core.notation.repeat_signs import RepeatSigns, find_repeat_signs
from mst_core.notation.spelling import Spelling, spell_pitches
from mst_core.notation.tempo_marks import mark_tempos
from mst_core.notation.ties import BarSpan, split_into_note_values
from mst_core.notation.triplets import Triplet, find_triplets, find_tuplets

LOWEST_TREBLE_PITCH = 55
"""MIDI number of the lowest median pitch of a tune in the treble clef."""


@dataclass(frozen=True, slots=True)
class WrittenBar:
    """A bar, or the part of it on one side of a repeat sign."""

    number: int
    """Counted from 1; 0 and less in a pickup. All parts of a bar have the same number."""
    length: Fraction
    """Sum of the durations of its notes, in quarter notes; less than the meter's in a pickup."""
    notes: tuple[WrittenNote, ...]
    """Notes and rests in order."""
    meter: Meter
    key: Key
    starts_section: bool
    """Whether a section begins here; always true for the first bar."""
    starts_repeat: bool
    ends_repeat: bool
    ending: int
    """1 or 2 in an ending of a repeat, else 0."""
    starts_after_repeat_sign: bool
    """Whether it is the part of a bar after a repeat sign."""
    right_barline: str = "single"
    """``single``, ``double`` before a section, ``final``, or ``none`` within a bar."""
    changes_meter: bool = False
    """Whether its meter differs from that of the bar before."""
    changes_key: bool = False
    """Whether its key differs from that of the bar before."""
    tempos: tuple[tuple[Fraction, float], ...] = ()
    """Tempo marks, but the first of all: quarter notes from the start of the full bar, and quarter
    notes a minute; rising."""
    chords: tuple[tuple[Fraction, str], ...] = ()
    """Chord symbols with their quarter notes from the start of the full bar, rising."""
    silent_bars: int = 1
    """Bars of rest that it stands for when above 1, as in the parts of an orchestra."""
    continues_bar: bool = False
    """Whether it is a later piece of a bar that is too long for a line."""
    starts_ending: bool = False
    ends_ending: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it contains only rests."""
        return all(note.spelling is None for note in self.notes)

    @property
    def is_complete(self) -> bool:
        """Whether it is as long as its meter's bar."""
        return self.length == self.meter.bar_length


def lay_out_bars(melody: Melody, *, tuplets: bool = False) -> tuple[WrittenBar, ...]:
    """Lay a melody out into bars.

    Args:
        melody: the melody.
        tuplets: whether tuplets of 5, 7 and more are written as such, as on a page for people. A
            file is more exact without: it has the notes where they were moved to.

    Returns:
        The bars in order; a pickup is a short first bar.

    Raises:
        UnwritableRhythm: when a note begins or ends off the grid of 1/24 quarter.
    """
    note_spans = [
        (
            exact_ticks(note.onset, TICKS_PER_QUARTER, melody),
            exact_ticks(note.end, TICKS_PER_QUARTER, melody),
        )
        for note in melody.notes
    ]
    barlines = [int(line * TICKS_PER_QUARTER) for line in melody.barlines]
    pickup_bar = int(melody.meter.bar_length * TICKS_PER_QUARTER)
    first = min(0, note_spans[0][0] // pickup_bar) if note_spans else 0
    signs = find_repeat_signs(melody, barlines, note_spans)
    barlines = [*range(first * pickup_bar, 0, pickup_bar), *barlines]
    bars: list[WrittenBar] = []
    for index, spans in enumerate(_cut_at_barlines(melody, note_spans, barlines), start=first):
        meter, start = melody.meter_at(index), barlines[index - first]
        key, is_first = melody.key_at(index), index == first
        bars += _write_bar(
            meter, key, index, spans, start, signs, is_first=is_first, tuplets=tuplets
        )
    marked = _mark_boundaries(bars, melody, signs.starts_with_repeat)
    return tuple(_place_words(list(marked), melody, barlines, first))


def uses_bass_clef(melody: Melody) -> bool:
    """Whether a melody is written in the bass clef: its median pitch is below the G of 196 Hz.

    Args:
        melody: the melody; without notes it has the treble clef.
    """
    n_notes = len(melody.notes)
    return n_notes > 0 and sorted(melody.pitches)[n_notes // 2] < LOWEST_TREBLE_PITCH


def break_into_lines(bars: Sequence[WrittenBar], bars_per_line: int) -> Iterator[list[WrittenBar]]:
    """Break bars into lines.

    A pickup is in the first line, a section begins a line, and a second ending of one bar stays in
    the line of the first. A section of one bar, such as one that leads into another key, shares the
    line of the next.

    Args:
        bars: the bars of a melody.
        bars_per_line: most full bars of a line.

    Yields:
        The bars of each line.
    """
    line: list[WrittenBar] = []
    led_in = 0  # bars of a short section at the beginning of the line
    for bar in bars:
        counted = [each for each in line if each.number > 0 and not each.starts_after_repeat_sign]
        if bar.starts_section and not led_in and bars_per_line > 1 and len(counted) == 1:
            led_in = counted[0].starts_section and counted[0].number > 1
            if led_in:
                line.append(bar)
                continue
        is_short_ending = bar.ending == 2 and bar.starts_ending and bar.ends_ending
        is_full = (
            len(counted) >= bars_per_line + led_in
            and not bar.starts_after_repeat_sign
            and not is_short_ending
        )
        if line and (is_full or (bar.starts_section and line[-1].number > 0)):
            yield line
            line, led_in = [], 0
        line.append(bar)
    if line:
        yield line


def _cut_at_barlines(
    melody: Melody, note_spans: Sequence[tuple[int, int]], barlines: Sequence[int]
) -> list[list[BarSpan]]:
    """Return the notes and rests of each bar."""
    timeline: list[tuple[int, int, Spelling | None, tuple[Spelling, ...]]] = []
    now = barlines[0]
    for (onset, end), (spelling, grace) in zip(note_spans, _spell_notes(melody), strict=True):
        if onset > now:
            timeline.append((now, onset, None, ()))
        timeline.append((onset, end, spelling, grace))
        now = end
    if now < barlines[-1]:
        timeline.append((now, barlines[-1], None, ()))
    bars: list[list[BarSpan]] = [[] for _ in barlines[1:]]
    for start, end, written, grace in timeline:
        is_note = written is not None
        index = bisect_right(barlines, start) - 1
        while barlines[index] < end:
            bar = barlines[index]
            begin, stop = max(start, bar), min(end, barlines[index + 1])
            bars[index].append(
                BarSpan(
                    begin - bar,
                    stop - bar,
                    written,
                    continues_after=is_note and stop < end,
                    continues_before=is_note and begin > start,
                    grace=grace if begin == start else (),
                )
            )
            index += 1
    return bars


def _spell_notes(melody: Melody) -> list[tuple[Spelling, tuple[Spelling, ...]]]:
    """Return the spelling of each note and of the ornaments before it, in the key of its bar."""
    keys = [melody.key] * len(melody.notes)
    if melody.key_changes:
        lines = melody.barlines
        keys = [melody.key_at(bisect_right(lines, note.onset) - 1) for note in melody.notes]
    by_key = {key: spell_pitches(melody.pitches, key) for key in set(keys)}
    graces = {each.note: each.pitches for each in melody.grace_notes}
    spelled = []
    for index, (note, key) in enumerate(zip(melody.notes, keys, strict=True)):
        grace = spell_pitches((*graces.get(index, ()), note.pitch), key)[:-1]
        spelled.append((by_key[key][index], grace))
    return spelled


def _write_bar(
    meter: Meter,
    key: Key,
    index: int,
    spans: list[BarSpan],
    start: int,
    signs: RepeatSigns,
    *,
    is_first: bool,
    tuplets: bool,
) -> Iterator[WrittenBar]:
    """Yield the parts of the bar that begins at tick ``start``, one unless a sign splits it."""
    grid = MetricalGrid.for_meter(meter)
    end = start + grid.bar_ticks
    splits = signs.signs_between(start, end)
    spans = [part for span in spans for part in _split_rest(span, splits)]
    edges = {span.start for span in spans} | {span.end for span in spans}
    rests = [(span.start, span.end) for span in spans if span.spelling is None]
    equal = find_tuplets(sorted(edges), splits) if tuplets else []
    for each in equal:
        edges -= {edge for edge in edges if each.start < edge < each.end}
    borders = (border for each in equal for border in (each.start, each.end))
    barriers = replace(grid, strong_positions=grid.strong_positions.union(splits, borders))
    triplets = sorted([*find_triplets(edges, rests, barriers), *equal], key=lambda each: each.start)
    if is_first and index < 0 and spans[0].spelling is None:
        spans = _trim_pickup_rest(spans, triplets)
    for begin, stop in pairwise([start, *(start + split for split in splits), end]):
        part = [span for span in spans if begin <= start + span.start < stop]
        is_silent = all(span.spelling is None for span in part)
        if not part or (index > 0 and is_silent and signs.omits_rest(begin, stop, (start, end))):
            continue
        notes = tuple(assign_beams(split_into_note_values(part, triplets, grid), grid))
        yield WrittenBar(
            number=index + 1,
            length=sum((note.duration for note in notes), Fraction(0)),
            notes=notes,
            meter=meter,
            key=key,
            starts_section=begin > 0 and begin in signs.section_starts,
            starts_repeat=begin in signs.repeat_starts,
            ends_repeat=stop in signs.repeat_ends,
            ending=signs.ending_at(begin),
            starts_after_repeat_sign=begin > start,
        )


def _split_rest(span: BarSpan, splits: Sequence[int]) -> Iterator[BarSpan]:
    """Split a span at the repeat signs inside it; only rests have any inside."""
    inside = [split for split in splits if span.start < split < span.end]
    for start, end in pairwise([span.start, *inside, span.end]):
        yield replace(span, start=start, end=end)


def _trim_pickup_rest(spans: list[BarSpan], triplets: Sequence[Triplet]) -> list[BarSpan]:
    """Start a pickup at its first note, or at the rest that begins the note's triplet."""
    rest, *others = spans
    begin = min([rest.end, *(triplet.start for triplet in triplets)])
    return [replace(rest, start=begin), *others] if begin < rest.end else others


def _place_words(
    bars: list[WrittenBar], melody: Melody, barlines: Sequence[int], first: int
) -> list[WrittenBar]:
    """Give each chord symbol and tempo mark to the bar, or the part of one, where it begins."""
    lines = [Fraction(barlines[bar.number - 1 - first], TICKS_PER_QUARTER) for bar in bars]
    starts = [
        line + (bar.notes[0].onset if bar.notes else 0)
        for line, bar in zip(lines, bars, strict=True)
    ]
    chords: list[dict[Fraction, str]] = [{} for _ in bars]
    tempos: list[dict[Fraction, float]] = [{} for _ in bars]

    def place(onset: Fraction) -> tuple[int, Fraction]:
        index = max(0, bisect_right(starts, onset) - 1)
        # What comes before the first note of a pickup is written above that note.
        return index, max(onset, starts[index]) - lines[index]

    for chord in melody.chords:
        if bars and chord.onset < melody.length:
            index, onset = place(chord.onset)
            chords[index][onset] = chord.text
    for mark in mark_tempos(melody)[1:]:
        if bars and starts[0] < mark.onset < melody.length:
            index, onset = place(mark.onset)
            tempos[index][onset] = mark.tempo
    return [
        replace(bar, chords=tuple(symbols.items()), tempos=tuple(marks.items()))
        for bar, symbols, marks in zip(bars, chords, tempos, strict=True)
    ]


def _mark_boundaries(
    bars: list[WrittenBar], melody: Melody, starts_with_repeat: bool
) -> Iterator[WrittenBar]:
    """Set the fields of each bar that depend on its neighbours."""
    for bar, before, after in zip(bars, [None, *bars], [*bars[1:], None], strict=False):
        barline = "double" if after and after.starts_section and bar.number > 0 else "single"
        yield replace(
            bar,
            starts_section=bar.starts_section or before is None,
            starts_repeat=bar.starts_repeat or (starts_with_repeat and before is None),
            right_barline=barline if after else "final",
            changes_meter=bar.meter != (before.meter if before else melody.meter),
            changes_key=bar.key != (before.key if before else melody.key),
            starts_ending=bool(bar.ending) and (not before or before.ending != bar.ending),
            ends_ending=bool(bar.ending) and (not after or after.ending != bar.ending),
        )
