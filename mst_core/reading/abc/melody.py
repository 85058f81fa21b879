"""Makes a melody of an ABC tune: its measures in bars, every written note once, on the grid.

What belongs to a place of the tune and not to a note (chord symbols, changes of tempo and key) and
grace notes find their place by that of the measure in which they stand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

from mst_core.errors import NoMelody
from mst_core.music import (
    TICKS_PER_QUARTER,
    ChordSymbol,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Note,
    Part,
    PartNote,
    TempoChange,
)
from mst_core.reading.abc.tempo import DEFAULT_TEMPO
from mst_core.reading.abc.tune import AbcMeasure, AbcNote, AbcTune, Place, merge_ties
from mst_core.reading.bars import lay_out_bars
from mst_core.reading.chord_symbols import from_german, transpose_chord
from mst_core.reading.grid import describe_moved, fit_to_grid, nearest_place
from mst_core.reading.measures import BarLayout, WrittenMeasure
from mst_core.reading.parsed_score import Limits

MAX_BARS_OF_VOICE = 2_000
_SHORTEST = Fraction(1, TICKS_PER_QUARTER)


def lay_out_tune(tune: AbcTune, *, max_bars: int = Limits().bars) -> BarLayout:
    """Place the measures of a tune in bars.

    Args:
        tune: A tune with at least one measure.
        max_bars: Most bars.

    Returns:
        The places of its measures, and the bars, sections and repeats.

    Raises:
        TooLong: when there are more than ``max_bars`` bars.
    """
    return lay_out_bars(list(_written_measures(tune.measures)), max_bars=max_bars)


def build_melody(
    tune: AbcTune, layout: BarLayout | None = None, *, chords_of: AbcTune | None = None
) -> Melody:
    """Build the melody of a tune on the grid, every written note once and the repeats marked.

    Args:
        tune: A tune with at least one measure.
        layout: Its bars, from `lay_out_tune`; None to lay them out here.
        chords_of: The voice whose chord symbols are taken; None for the tune itself.

    Returns:
        The melody, in quarter notes from the first downbeat.

    Raises:
        NoMelody: when it has fewer than two notes.
        TooLong: when it has more bars than a file may have.
        UnreadableScore: when its bars have more notes than places.
    """
    layout = layout or lay_out_tune(tune)
    notes = _notes(tune.measures, layout)
    if len(notes) < 2:
        raise NoMelody("this ABC tune")
    written = layout.melody(notes, key=tune.key, tempo=tune.tempo or DEFAULT_TEMPO)
    fitted = fit_to_grid(notes, written.barlines)
    moved = {old.onset: new.onset for old, new in zip(notes, fitted, strict=True)}
    melody = replace(
        written,
        notes=fitted,
        chords=_chords(chords_of or tune, layout, moved),
        grace_notes=_grace_notes(tune, layout, notes),
    )
    keys = _placed([place for place, _ in tune.keys], tune, layout)
    tempos = _placed([place for place, _ in tune.tempos], tune, layout)
    melody = _with_keys(melody, [(onset, tune.keys[number][1]) for onset, number in keys])
    return _with_tempos(melody, [(onset, tune.tempos[number][1]) for onset, number in tempos])


def describe_moved_notes(tune: AbcTune, layout: BarLayout, melody: Melody) -> Iterator[str]:
    """Word the remark on the notes that were moved to the grid.

    Args:
        tune: A tune.
        layout: Its bars.
        melody: Its melody, from `build_melody`.

    Yields:
        At most one sentence.
    """
    remark = describe_moved(_notes(tune.measures, layout), melody.notes)
    if remark:
        yield remark


def build_part(voice: AbcTune, number: int, melody: AbcTune, layout: BarLayout) -> Part:
    """Build the accompanying part of another voice, all notes of its chords included.

    Args:
        voice: The voice.
        number: Its number from 1, for its name where it has none.
        melody: The voice that is the melody.
        layout: The bars of the melody, in which the measures of the voice are placed too.

    Returns:
        Its notes on the grid; ties are joined, grace notes left out.
    """
    alike = [each.length for each in voice.measures] == [each.length for each in melody.measures]
    if not alike:
        layout = lay_out_tune(voice, max_bars=MAX_BARS_OF_VOICE)
    items = [list(_onsets(measure)) for measure in voice.measures]
    notes: list[PartNote] = []
    tied: dict[int, int] = {}  # pitch: index of the note that goes on
    for exact, note in layout.place(items):
        onset = nearest_place(exact)
        duration = max(nearest_place(exact + note.duration) - onset, _SHORTEST)
        sounding = () if note.pitch is None else (note.pitch, *note.below)
        held = {pitch: tied[pitch] for pitch in sounding if pitch in tied}
        tied = {}
        for pitch in sounding:
            index = held.get(pitch)
            if index is not None and notes[index].onset + notes[index].duration == onset:
                notes[index] = replace(notes[index], duration=notes[index].duration + duration)
            else:
                index = len(notes)
                notes.append(PartNote(onset, duration, pitch))
            if note.tied:
                tied[pitch] = index
    return Part(
        name=voice.voice or f"Voice {number}",
        program=voice.program or 0,
        drums=voice.is_percussion,
        notes=tuple(sorted(notes, key=lambda each: (each.onset, each.pitch))),
    )


def _chords(
    tune: AbcTune, layout: BarLayout, moved: dict[Fraction, Fraction]
) -> tuple[ChordSymbol, ...]:
    """The chord symbols of a voice as they sound; one that only repeats the last is left out."""
    german = any(
        note.chord.startswith("H") or "/H" in note.chord
        for measure in tune.measures
        for note in measure.notes
    )
    items = [
        [(onset, note.chord) for onset, note in _onsets(measure) if note.chord]
        for measure in tune.measures
    ]
    found: dict[Fraction, str] = {}
    for exact, chord in layout.place(items):
        onset = moved.get(exact) or nearest_place(exact)
        chord = transpose_chord(from_german(chord) if german else chord, tune.transposition)
        found.setdefault(onset, chord)
    return tuple(ChordSymbol(onset, found[onset]) for onset in sorted(found))


def _grace_notes(tune: AbcTune, layout: BarLayout, notes: Sequence[Note]) -> tuple[GraceNotes, ...]:
    """The grace notes before each note; those before a tied continuation have none to lead to."""
    numbers = {note.onset: number for number, note in enumerate(notes)}
    items = [
        [(onset, note.graces) for onset, note in _onsets(measure) if note.graces]
        for measure in tune.measures
    ]
    found = {numbers[onset]: graces for onset, graces in layout.place(items) if onset in numbers}
    return tuple(GraceNotes(number, found[number]) for number in sorted(found))


def _with_keys(melody: Melody, keys: list[tuple[Fraction, Key]]) -> Melody:
    """The melody with its changes of key, each at the nearest barline."""
    first = melody.key
    by_bar: dict[int, Key] = {}
    lines = melody.barlines
    for onset, key in keys:
        bar = bisect_left(lines, onset)
        if 0 < bar < len(lines) and onset - lines[bar - 1] < lines[bar] - onset:
            bar -= 1
        if bar < melody.bar_count:
            by_bar[bar] = key
    if melody.notes and keys and keys[0][0] <= melody.notes[0].onset:
        first = keys[0][1]
    changes: list[KeyChange] = []
    current = first
    for bar in sorted(by_bar):
        if by_bar[bar] != current:
            current = by_bar[bar]
            changes.append(KeyChange(bar, current))
    return replace(melody, key=first, key_changes=tuple(changes))


def _with_tempos(melody: Melody, tempos: list[tuple[Fraction, float]]) -> Melody:
    """The melody with its tempo map; its tempo is the one that holds for the most quarters."""
    start = min(melody.notes[0].onset, Fraction(0))
    found = {start: melody.tempo}
    for onset, tempo in tempos:
        found[max(start, nearest_place(onset))] = tempo
    changes: list[TempoChange] = []
    for onset in sorted(found):
        if onset < melody.length and (not changes or changes[-1].tempo != found[onset]):
            changes.append(TempoChange(onset, found[onset]))
    if len(changes) == 1:
        return replace(melody, tempo=changes[0].tempo)
    held: dict[float, Fraction] = {}
    ends = [*(change.onset for change in changes[1:]), melody.length]
    for change, end in zip(changes, ends, strict=True):
        held[change.tempo] = held.get(change.tempo, Fraction(0)) + end - change.onset
    return replace(melody, tempo=max(held, key=held.__getitem__), tempo_changes=tuple(changes))


def _placed(
    places: Sequence[Place], tune: AbcTune, layout: BarLayout
) -> list[tuple[Fraction, int]]:
    """Onset and number of each place of a tune, rising; one after its end is left out."""
    items: list[list[tuple[Fraction, int]]] = [[] for _ in tune.measures]
    for number, (measure, time) in enumerate(places):
        if measure < len(items):
            items[measure].append((time, number))
    return sorted(layout.place(items))


def _onsets(measure: AbcMeasure) -> Iterator[tuple[Fraction, AbcNote]]:
    """Each note and rest of a measure with its time from the beginning of the measure."""
    onset = Fraction(0)
    for note in measure.notes:
        yield onset, note
        onset += note.duration


def _written_measures(measures: Sequence[AbcMeasure]) -> list[WrittenMeasure]:
    """Name the signs of each measure as the layout of bars knows them."""
    endings: list[tuple[int, ...]] = [(), *(each.endings for each in measures), ()]
    written: list[WrittenMeasure] = []
    for measure, before, passes, after in zip(
        measures, endings, endings[1:], endings[2:], strict=False
    ):
        begins = bool(passes) and passes != before
        onsets = accumulate((note.duration for note in measure.notes), initial=Fraction(0))
        sounding = [
            (onset, onset + note.duration)
            for note, onset in zip(measure.notes, onsets, strict=False)
            if note.pitch is not None
        ]
        written.append(
            WrittenMeasure(
                length=measure.length,
                meter=measure.meter,
                last_onset=sounding[-1][0] if sounding else Fraction(0),
                sounding=sounding[-1][1] if sounding else Fraction(0),
                opens_repeat=measure.opens_repeat,
                closes_repeat=measure.closes_repeat,
                # The bracket of an ending, as in [1, is no double bar.
                double_before=measure.starts_section and not begins,
                double_after=measure.ends_section and after in ((), passes),
                ending=passes if begins else (),
                ending_stops=bool(passes) and passes != after,
            )
        )
    return written


def _notes(measures: Sequence[AbcMeasure], layout: BarLayout) -> list[Note]:
    """The notes of placed measures; a tie holds only if no silence was put in between."""
    notes: list[Note] = []
    run: list[AbcMeasure] = []  # measures without silence between them
    start = end = Fraction(0)
    for index, onset, length in layout.placements:
        if run and onset != end:
            notes.extend(_notes_of_run(run, start, end))
            run = []
        if not run:
            start = onset
        run.append(measures[index])
        end = onset + length
        if length != measures[index].length:
            notes.extend(_notes_of_run(run, start, end))
            run = []
    notes.extend(_notes_of_run(run, start, end))
    return notes


def _notes_of_run(run: list[AbcMeasure], start: Fraction, end: Fraction) -> list[Note]:
    """The notes of consecutive measures from ``start`` to ``end``."""
    return [
        Note(start + event.onset, min(event.duration, end - start - event.onset), event.pitch)
        for event in merge_ties(run)
        if event.pitch is not None
    ]
