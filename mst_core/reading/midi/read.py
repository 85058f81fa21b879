"""Reads a MIDI file into its melody and the parts that sound with it.

In order: messages, parts, the choice of the melody part, its top line, barlines, quantization. If
the first note comes a beat or more after its barline, it begins a pickup or follows a rest
(`pickups`). Silent bars before the melody are left out, unless a marker names the first full bar,
so other parts may begin before onset 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import ControlEvent, Key, Melody, Note, Part, PartNote, TempoChange
from mst_core.reading.midi.bars import BarLines
from mst_core.reading.midi.keys import settle_keys
from mst_core.reading.midi.melody_track import find_melody_track, find_skyline
from mst_core.reading.midi.meter_repair import repair_meter
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart, MidiScore, read_midi_parts
from mst_core.reading.midi.pickups import find_first_full_bar
from mst_core.reading.midi.quantization import QuantizedMelody, is_performance, quantize
from mst_core.reading.midi.retiming import Retiming, retime
from mst_core.reading.midi.swing import straighten_notes
from mst_core.reading.midi.tempo_map import TempoMap, quarters_per_minute
from mst_core.reading.parsed_score import Limits, ParsedScore

_LIMITS = Limits()
_CHORD_SPREAD_S = 0.035  # seconds within which a player strikes the notes of a chord
_ANY_KEY = Key(0)
_MIN_TEMPO, _MAX_TEMPO = 5.0, 1_000.0  # quarter notes per minute
_MAX_SILENT_BARS = 8
"""Silent bars that are kept at the end, where the track ends on a barline."""


def read_midi(data: bytes, *, track: int | None = None, limits: Limits = _LIMITS) -> ParsedScore:
    """Read a MIDI file.

    Args:
        data: the whole file.
        track: which part is the melody, from 1 among those that have notes; None chooses one.
        limits: how much the file may hold.

    Returns:
        The melody on the grid of `mst_core.music.TICKS_PER_QUARTER`, the other parts at their
        exact times.

    Raises:
        UnreadableScore: when it is no MIDI file, or a broken one.
        NoMelody: when the melody would have fewer than two notes.
        TooLong: beyond the limits.
        BadOption: when it has no such track.
    """
    score = read_midi_parts(data, limits)
    tempo_map = TempoMap(score.tempos, score.ticks_per_quarter)
    index, candidates, choice_warnings = find_melody_track(score, tempo_map, track=track)
    _check_seconds(score, tempo_map, limits)
    retiming = retime(score, index, tempo_map)
    if retiming.score is not score:
        score = replace(retiming.score, first_bar=None)
        tempo_map = TempoMap(score.tempos, score.ticks_per_quarter)
    score, meter_warnings = repair_meter(score)
    part = score.parts[index]
    bars = BarLines((_quarters(tick, score), meter) for tick, meter in score.meters)
    _check_bars(score, part, bars, limits)

    line, lower_notes = _skyline(part, score, tempo_map)
    if len(line) < 2:
        raise NoMelody(f"track {index + 1} ({part.name})")
    if len(line) > limits.melody_notes:
        raise TooLong(f"a melody of {len(line)} notes", f"{limits.melody_notes} notes")
    tempo = tempo_map.main_tempo(line[0].onset, line[-1].end)
    if not _MIN_TEMPO <= tempo <= _MAX_TEMPO:
        raise UnreadableScore(
            f"the MIDI file goes at {tempo:g} quarter notes a minute",
            f"{_MIN_TEMPO:g} to {_MAX_TEMPO:g} would be read",
        )
    _check_length_at_tempo(score, tempo, limits)
    quantized = quantize(line, ticks_per_quarter=score.ticks_per_quarter, bars=bars, tempo=tempo)
    marked = None if score.first_bar is None else _quarters(score.first_bar, score)
    first_bar = find_first_full_bar(quantized.notes, bars, marked)
    downbeat = bars.onset(first_bar)
    melody = replace(
        _melody(quantized, part, score, bars, first_bar, tempo),
        tempo_changes=_tempo_changes(tempo_map, score, downbeat),
    )
    if melody.bar_count > limits.bars:
        raise TooLong(f"{melody.bar_count} bars", f"{limits.bars} bars")
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    parts = _other_parts(score, index, lower_notes, quantized, downbeat)
    signatures = [(_quarters(tick, score) - downbeat, key) for tick, key in score.keys]
    melody, key_warnings = settle_keys(melody, parts, signatures)
    return ParsedScore(
        title=score.title,
        melody=melody,
        parts=parts,
        program=part.program,
        controls=_control_events(part, score, downbeat, first=melody.notes[0].onset),
        velocity=round(median(each.velocity for each in line)),
        swing=quantized.swing,
        candidates=candidates,
        track=index + 1,
        warnings=(
            *score.warnings,
            *choice_warnings,
            *retiming.warnings,
            *meter_warnings,
            *_skyline_warnings(part, len(line), len(lower_notes)),
            *_bar_warnings(score, bars, first_bar, melody),
            *key_warnings,
            *(() if retiming.tracked else _tempo_warnings(tempo_map, line, tempo)),
            *_rhythm_warnings(quantized, retiming),
        ),
    )


def _tempo_changes(
    tempo_map: TempoMap, score: MidiScore, downbeat: Fraction
) -> tuple[TempoChange, ...]:
    """The tempo map from the first downbeat of the melody on; empty when the tempo is constant."""
    changes = tuple(
        TempoChange(_quarters(tick, score) - downbeat, quarters_per_minute(microseconds))
        for tick, microseconds in tempo_map.changes
    )
    return changes if len({change.tempo for change in changes}) > 1 else ()


def _quarters(tick: int, score: MidiScore) -> Fraction:
    """Ticks as quarter notes."""
    return Fraction(tick, score.ticks_per_quarter)


def _span(score: MidiScore) -> tuple[int, int]:
    """First onset and last end of all parts, in ticks."""
    start = min(each.notes[0].onset for each in score.parts)
    return start, max(note.end for each in score.parts for note in each.notes)


def _check_seconds(score: MidiScore, tempo_map: TempoMap, limits: Limits) -> None:
    """Raise TooLong for too many seconds of all parts, before any work."""
    start, end = _span(score)
    seconds = tempo_map.seconds(end) - tempo_map.seconds(start)
    if seconds > limits.seconds:
        raise TooLong(f"{seconds:.0f} seconds", f"{limits.seconds:g} seconds")


def _check_bars(score: MidiScore, part: MidiPart, bars: BarLines, limits: Limits) -> None:
    """Raise TooLong for too many bars of the melody, before any work."""
    first, last = part.notes[0].onset, max(note.end for note in part.notes)
    count = bars.bar_at(_quarters(last, score)) - bars.bar_at(_quarters(first, score))
    if count > limits.bars:
        raise TooLong(f"{count} bars", f"{limits.bars} bars")


def _check_length_at_tempo(score: MidiScore, tempo: float, limits: Limits) -> None:
    """Raise TooLong if all parts at the melody's tempo, whatever their own, take too long."""
    start, end = _span(score)
    seconds = float(_quarters(end - start, score)) * 60 / tempo
    if seconds > limits.seconds:
        raise TooLong(f"{seconds:.0f} seconds", f"{limits.seconds:g} seconds")


def _skyline(
    part: MidiPart, score: MidiScore, tempo_map: TempoMap
) -> tuple[list[MidiNote], list[MidiNote]]:
    """Top line and lower notes of a part; only a performance may spread the notes of a chord."""
    if not is_performance(part.notes, score.ticks_per_quarter):
        return find_skyline(part.notes, chord_spread=0)
    first, last = part.notes[0].onset, max(note.end for note in part.notes)
    tempo = tempo_map.main_tempo(first, last)
    spread = round(_CHORD_SPREAD_S * tempo / 60 * score.ticks_per_quarter)
    return find_skyline(part.notes, chord_spread=spread)


def _melody(
    quantized: QuantizedMelody,
    part: MidiPart,
    score: MidiScore,
    bars: BarLines,
    first_bar: int,
    tempo: float,
) -> Melody:
    """The melody from ``first_bar`` on, with its bars and meter changes, its key not yet found."""
    downbeat = bars.onset(first_bar)
    notes = tuple(
        Note(each.onset - downbeat, each.duration, each.pitch) for each in quantized.notes
    )
    end = quantized.notes[-1].end
    end_bar = max(first_bar + 1, bars.bar_at(end) + (end > bars.onset(bars.bar_at(end))))
    track_end = _quarters(part.end, score)
    track_end_bar = bars.bar_at(track_end)
    ends_on_barline = bars.onset(track_end_bar) == track_end
    if end_bar < track_end_bar <= end_bar + _MAX_SILENT_BARS and ends_on_barline:
        end_bar = track_end_bar
    return Melody(
        notes=notes,
        meter=bars.meter(first_bar),
        key=_ANY_KEY,
        tempo=tempo,
        bar_count=end_bar - first_bar,
        meter_changes=bars.changes(first_bar, end_bar),
        grace_notes=quantized.grace_notes,
    )


def _other_parts(
    score: MidiScore,
    index: int,
    lower_notes: Sequence[MidiNote],
    quantized: QuantizedMelody,
    downbeat: Fraction,
) -> tuple[Part, ...]:
    """All parts but the melody, and the rest of its own part, at their exact times.

    Those that swing with the melody are as straight as it.
    """

    def convert(name: str, part: MidiPart, notes: Sequence[MidiNote]) -> Part:
        if quantized.swing:
            notes = list(straighten_notes(notes, quantized.swing, score.ticks_per_quarter))
        start = min(each.onset for each in notes)
        return Part(
            name,
            part.program or 0,
            part.drums,
            tuple(
                PartNote(
                    _quarters(each.onset, score) - downbeat,
                    _quarters(each.end - each.onset, score),
                    each.pitch,
                    each.velocity,
                )
                for each in notes
            ),
            _control_events(part, score, downbeat, first=_quarters(start, score) - downbeat),
        )

    parts = [
        convert(each.name, each, each.notes)
        for number, each in enumerate(score.parts)
        if number != index
    ]
    part = score.parts[index]
    if quantized.long_runs:
        parts.insert(index, convert(f"{part.name}, ornaments", part, quantized.long_runs))
    if lower_notes:
        parts.insert(index, convert(f"{part.name}, below the melody", part, lower_notes))
    return tuple(parts)


def _control_events(
    part: MidiPart, score: MidiScore, downbeat: Fraction, *, first: Fraction
) -> tuple[ControlEvent, ...]:
    """What a player does besides notes; what was set before the ``first`` onset stands there."""
    start = part.notes[0].onset
    return tuple(
        ControlEvent(
            first if tick <= start else max(first, _quarters(tick, score) - downbeat),
            kind,
            number,
            value,
        )
        for tick, kind, number, value in part.controls
    )


def _skyline_warnings(part: MidiPart, melody_notes: int, lower_notes: int) -> Iterator[str]:
    if lower_notes:
        yield (
            f'The part "{part.name}" plays chords: its top line, {melody_notes} of '
            f"{len(part.notes)} notes, is the melody; the other notes are kept beside it."
        )


def _bar_warnings(
    score: MidiScore, bars: BarLines, first_bar: int, melody: Melody
) -> Iterator[str]:
    if not score.meters:
        yield "The file names no meter; 4/4 was assumed."
    if bars.moved_changes:
        yield (
            f"{bars.moved_changes} changes of meter inside a bar were moved to the nearest barline."
        )
    silent = first_bar - (melody.pickup > 0)
    if silent > 0:
        yield (
            f"The melody begins after {silent} silent {'bar' if silent == 1 else 'bars'}, "
            f"which {'was' if silent == 1 else 'were'} left out."
        )


def _tempo_warnings(tempo_map: TempoMap, line: Sequence[MidiNote], tempo: float) -> Iterator[str]:
    if not tempo_map.is_specified:
        yield "The file names no tempo; 120 quarter notes a minute were assumed."
        return
    tempos = [each for _, each in tempo_map.tempo_changes(line[0].onset, line[-1].end)]
    if len(set(tempos)) > 1:
        yield (
            f"The tempo changes, between {min(tempos):.0f} and {max(tempos):.0f} quarter "
            f"notes a minute; most of it goes at {tempo:g}."
        )


def _rhythm_warnings(quantized: QuantizedMelody, retiming: Retiming) -> Iterator[str]:
    count, shifted = len(quantized.notes), quantized.shifted_notes
    if quantized.performed:
        yield (
            f"It was played, not written: {shifted} of {count} notes "
            f"({100 * shifted / count:.0f} %) were moved to a sixteenth or a triplet, by "
            f"{quantized.max_shift:.2f} of a quarter note at most."
            f"{'' if retiming.tracked else ' The beats are those of the file.'}"
        )
    elif shifted:
        yield (
            f"{shifted} of {count} notes {'was' if shifted == 1 else 'were'} moved to the nearest "
            f"place that can be written, by {quantized.max_shift:.2f} of a quarter note at most."
        )
    if quantized.loose_ends:
        yield "Its notes end as they were played; their ends were moved to plain places."
    if quantized.fits_poorly:
        yield ("The notes hardly fit these beats; the rhythm is a guess.")
    if quantized.swing:
        yield (
            f"Its eighths swing ({100 * quantized.swing:.0f} % of the beat for the first); they "
            "were written straight."
        )
    ornaments = sum(len(each.pitches) for each in quantized.grace_notes)
    if ornaments:
        yield f"Notes too quick to be written, kept as grace notes: {ornaments}."
    if quantized.long_runs:
        yield (
            f"Runs too quick to be written, kept beside the melody: {len(quantized.long_runs)} "
            "notes."
        )
