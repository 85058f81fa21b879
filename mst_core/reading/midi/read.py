"""From the bytes of a MIDI file to its melody, and to what sounds beside it.

The steps: messages, strands, which strand is the melody, its top line, bars, written rhythm. A
first note behind the first beat of its bar begins a pickup. Bars of silence before the melody are
left out: other parts may then begin before 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import Melody, Note, Part, PartNote
from mst_core.reading.key_finding import find_key
from mst_core.reading.midi.bars import BarLines
from mst_core.reading.midi.melody_track import Skyline, find_melody_track, find_skyline
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import MidiPart, MidiScore, read_midi_parts
from mst_core.reading.midi.quantization import QuantizedMelody, is_performance, quantize
from mst_core.reading.midi.tempo_map import TempoMap, quarters_per_minute
from mst_core.reading.parsed_score import Limits, ParsedScore

_LIMITS = Limits()
_CHORD_SPREAD_S = 0.035  # seconds within which a player strikes the notes of a chord
_SLOWEST, _FASTEST = 5.0, 1_000.0  # quarters a minute
_MAX_SILENT_BARS = 8
"""Silent bars at the end that are kept, where the track ends on a barline."""


def read_midi(data: bytes, *, track: int | None = None, limits: Limits = _LIMITS) -> ParsedScore:
    """Read a MIDI file. ``track`` names the melody, counted from 1 among those that have notes.

    Raises:
        UnreadableScore: when it is no MIDI file that can be read, and why.
        NoMelody: when there are not two notes of a melody in it.
        TooLong: when it holds more than the limits allow.
        BadOption: when it has no such track.
    """
    song = read_midi_parts(data, limits)
    tempo = TempoMap(song.tempos, song.ticks_per_quarter)
    found = find_melody_track(song.parts, tempo, track=track)
    strand = song.parts[found.index]
    bars = BarLines((_quarters(tick, song), meter) for tick, meter in song.meters)
    _check_lengths(song, strand, tempo, bars, limits)

    sky = _skyline(strand, song, tempo)
    if len(sky.melody) < 2:
        raise NoMelody(f"track {found.index + 1} ({strand.name})")
    if len(sky.melody) > limits.melody_notes:
        raise TooLong(f"a melody of {len(sky.melody)} notes", f"{limits.melody_notes} notes")
    speed = tempo.prevailing_tempo(sky.melody[0].onset, sky.melody[-1].end)
    if not _SLOWEST <= speed <= _FASTEST:
        raise UnreadableScore(
            f"the MIDI file goes at {speed:g} quarters a minute",
            f"{_SLOWEST:g} to {_FASTEST:g} would be read",
        )
    _check_parts(song, speed, limits)
    written = quantize(sky.melody, ticks_a_quarter=song.ticks_per_quarter, bars=bars, tempo=speed)
    first, onset = _first_downbeat(written.notes[0], bars)
    melody = _melody(written, strand, song, bars, first, onset, speed)
    if melody.bar_count > limits.bars:
        raise TooLong(f"{melody.bar_count} bars", f"{limits.bars} bars")
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    return ParsedScore(
        title=song.title,
        melody=melody,
        parts=_other_parts(song, found.index, sky, onset),
        program=strand.program,
        tempos=tuple(
            (float(_quarters(tick, song) - onset), quarters_per_minute(microseconds))
            for tick, microseconds in tempo.changes
        )
        if tempo.is_specified
        else (),
        warnings=(
            *song.warnings,
            *found.warnings,
            *_skyline_warnings(strand, sky),
            *_bar_warnings(song, bars, first, onset, melody),
            *_tempo_warnings(tempo, speed),
            *_rhythm_warnings(written),
        ),
    )


def _quarters(tick: int, song: MidiScore) -> Fraction:
    return Fraction(tick, song.ticks_per_quarter)


def _check_lengths(
    song: MidiScore, strand: MidiPart, tempo: TempoMap, bars: BarLines, limits: Limits
) -> None:
    """Refuse what lasts too long, before any work is done on it.

    Raises:
        TooLong: when the notes of all strands take more seconds, or the melody more bars.
    """
    start = min(each.notes[0].onset for each in song.parts)
    end = max(note.end for each in song.parts for note in each.notes)
    seconds = tempo.seconds(end) - tempo.seconds(start)
    if seconds > limits.seconds:
        raise TooLong(f"{seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    last = max(note.end for note in strand.notes)
    count = bars.bar_at(_quarters(last, song)) - bars.bar_at(_quarters(strand.notes[0].onset, song))
    if count > limits.bars:
        raise TooLong(f"{count} bars", f"{limits.bars} bars")


def _check_parts(song: MidiScore, speed: float, limits: Limits) -> None:
    """Refuse parts that last too long at the melody's tempo, whatever tempo they have themselves.

    Raises:
        TooLong: when they take more seconds than the limit.
    """
    start = min(each.notes[0].onset for each in song.parts)
    end = max(note.end for each in song.parts for note in each.notes)
    seconds = float(_quarters(end - start, song)) * 60 / speed
    if seconds > limits.seconds:
        raise TooLong(f"{seconds:.0f} seconds", f"{limits.seconds:g} seconds")


def _skyline(strand: MidiPart, song: MidiScore, tempo: TempoMap) -> Skyline:
    """The top line. Only a player's chords are spread, so written music is taken to the tick."""
    if not is_performance(strand.notes, song.ticks_per_quarter):
        return find_skyline(strand.notes, chord_spread=0)
    first, last = strand.notes[0].onset, max(note.end for note in strand.notes)
    speed = tempo.prevailing_tempo(first, last)
    return find_skyline(
        strand.notes, chord_spread=round(_CHORD_SPREAD_S * speed / 60 * song.ticks_per_quarter)
    )


def _first_downbeat(first: Note, bars: BarLines) -> tuple[int, Fraction]:
    """The bar that counts as the first full one, and its onset."""
    bar = bars.bar_at(first.onset)
    behind = first.onset - bars.onset(bar)
    # Written pickups are padded to a bar with rests; some programs write a shorter first bar.
    pickup = behind >= bars.meter(bar).beat_length or (
        bar == 0 and bars.meter(0).bar_length < bars.meter(1).bar_length
    )
    bar += pickup
    return bar, bars.onset(bar)


def _melody(
    written: QuantizedMelody,
    strand: MidiPart,
    song: MidiScore,
    bars: BarLines,
    first: int,
    onset: Fraction,
    tempo: float,
) -> Melody:
    notes = tuple(Note(each.onset - onset, each.duration, each.pitch) for each in written.notes)
    end = written.notes[-1].end
    last = max(first + 1, bars.bar_at(end) + (end > bars.onset(bars.bar_at(end))))
    track_end = _quarters(strand.end, song)
    closing = bars.bar_at(track_end)
    if last < closing <= last + _MAX_SILENT_BARS and bars.onset(closing) == track_end:
        last = closing
    keys = [key for tick, key in song.keys if _quarters(tick, song) <= max(onset, Fraction(0))]
    key = keys[-1] if keys else song.keys[0][1] if song.keys else find_key(notes)
    return Melody(
        notes=notes,
        meter=bars.meter(first),
        key=key,
        tempo=tempo,
        bar_count=last - first,
        meter_changes=bars.changes(first, last),
    )


def _other_parts(song: MidiScore, place: int, sky: Skyline, onset: Fraction) -> tuple[Part, ...]:
    """All other strands, and what lies under the melody in its own, at their exact times."""

    def part(name: str, strand: MidiPart, notes: Sequence[MidiNote]) -> Part:
        return Part(
            name,
            strand.program or 0,
            strand.drums,
            tuple(
                PartNote(
                    _quarters(each.onset, song) - onset,
                    _quarters(each.end - each.onset, song),
                    each.pitch,
                    each.velocity,
                )
                for each in notes
            ),
        )

    parts = [
        part(each.name, each, each.notes)
        for number, each in enumerate(song.parts)
        if number != place
    ]
    if sky.lower_notes:
        strand = song.parts[place]
        parts.insert(place, part(f"{strand.name}, below the melody", strand, sky.lower_notes))
    return tuple(parts)


def _skyline_warnings(strand: MidiPart, sky: Skyline) -> list[str]:
    if not sky.lower_notes:
        return []
    return [
        f"{strand.name} plays chords: of {len(strand.notes)} notes "
        f"the {len(sky.melody)} of the top "
        f"line are the melody, the others are kept beside it."
    ]


def _bar_warnings(
    song: MidiScore, bars: BarLines, first: int, onset: Fraction, melody: Melody
) -> list[str]:
    remarks = []
    if not song.meters:
        remarks.append("The file names no meter; 4/4 was assumed.")
    if bars.moved_changes:
        remarks.append(
            f"{bars.moved_changes} changes of meter inside a bar were moved to the nearest barline."
        )
    silent = first - (melody.pickup > 0)
    if silent:
        remarks.append(
            f"The melody begins after {silent} silent {'bar' if silent == 1 else 'bars'}, "
            f"which {'was' if silent == 1 else 'were'} left out."
        )
    if not song.keys:
        remarks.append(f"The file names no key; its notes are those of {melody.key.name}.")
    later = {key for tick, key in song.keys if _quarters(tick, song) > onset} - {melody.key}
    if later:
        remarks.append(f"The key changes on the way; {melody.key.name}, the first, was kept.")
    return remarks


def _tempo_warnings(tempo: TempoMap, speed: float) -> list[str]:
    if not tempo.is_specified:
        return ["The file names no tempo; 120 quarters a minute were assumed."]
    if len(tempo.changes) > 1:
        return [f"The tempo changes; {speed:g} quarters a minute hold longest."]
    return []


def _rhythm_warnings(written: QuantizedMelody) -> list[str]:
    remarks = []
    count = len(written.notes)
    if written.performed:
        remarks.append(
            f"It was played, not written: {written.shifted_notes} of {count} notes "
            f"({written.shifted_notes / count:.0%}) were moved to a sixteenth or a triplet, by "
            f"{written.max_shift:.2f} of a quarter at most. The beats are those of the file."
        )
    elif written.shifted_notes:
        remarks.append(
            f"{written.shifted_notes} of {count} notes "
            f"({written.shifted_notes / count:.0%}) were moved to the "
            f"grid, by {written.max_shift:.2f} of a quarter at most."
        )
    if written.fits_poorly:
        remarks.append(
            "The notes hardly fit these beats: it seems to be recorded without a click, and the "
            "rhythm is a guess."
        )
    if written.swing:
        remarks.append(
            f"Its eighths swing ({written.swing:.0%} of the beat for the first); they were "
            "written straight."
        )
    if written.dropped_ornaments:
        remarks.append(f"Notes too quick to be written, left out: {written.dropped_ornaments}.")
    return remarks
