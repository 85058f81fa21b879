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
from mst_core.reading.midi.melody_track import Skyline, find_melody, find_skyline
from mst_core.reading.midi.notes import MidiNote
from mst_core.reading.midi.parts import Song, Strand, read_song
from mst_core.reading.midi.quantization import Quantised, is_performance, quantise
from mst_core.reading.midi.tempo_map import TempoMap, quarters_a_minute
from mst_core.reading.parsed_score import Limits, Reading

_LIMITS = Limits()
_TOGETHER = 0.035  # seconds within which a player strikes the notes of a chord
_SLOWEST, _FASTEST = 5.0, 1_000.0  # quarters a minute
_MOST_SILENT_BARS = 8
"""Silent bars at the end that are kept, where the track ends on a barline."""


def read_midi(data: bytes, *, track: int | None = None, limits: Limits = _LIMITS) -> Reading:
    """Read a MIDI file. ``track`` names the melody, counted from 1 among those that have notes.

    Raises:
        UnreadableScore: when it is no MIDI file that can be read, and why.
        NoMelody: when there are not two notes of a melody in it.
        TooLong: when it holds more than the limits allow.
        BadOption: when it has no such track.
    """
    song = read_song(data, limits)
    tempo = TempoMap(song.tempos, song.ticks_a_quarter)
    found = find_melody(song.strands, tempo, track=track)
    strand = song.strands[found.place]
    bars = BarLines((_quarters(tick, song), meter) for tick, meter in song.meters)
    _check_lengths(song, strand, tempo, bars, limits)

    sky = _skyline(strand, song, tempo)
    if len(sky.line) < 2:
        raise NoMelody(f"track {found.place + 1} ({strand.name})")
    if len(sky.line) > limits.melody_notes:
        raise TooLong(f"a melody of {len(sky.line)} notes", f"{limits.melody_notes} notes")
    speed = tempo.prevailing(sky.line[0].onset, sky.line[-1].end)
    if not _SLOWEST <= speed <= _FASTEST:
        raise UnreadableScore(
            f"the MIDI file goes at {speed:g} quarters a minute",
            f"{_SLOWEST:g} to {_FASTEST:g} would be read",
        )
    _check_parts(song, speed, limits)
    written = quantise(sky.line, ticks_a_quarter=song.ticks_a_quarter, bars=bars, tempo=speed)
    first, onset = _first_downbeat(written.notes[0], bars)
    melody = _melody(written, strand, song, bars, first, onset, speed)
    if melody.bars > limits.bars:
        raise TooLong(f"{melody.bars} bars", f"{limits.bars} bars")
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    return Reading(
        title=song.title,
        melody=melody,
        parts=_parts(song, found.place, sky, onset),
        program=strand.program,
        tempos=tuple(
            (float(_quarters(tick, song) - onset), quarters_a_minute(microseconds))
            for tick, microseconds in tempo.changes
        )
        if tempo.given
        else (),
        remarks=(
            *song.remarks,
            *found.remarks,
            *_skyline_remarks(strand, sky),
            *_bar_remarks(song, bars, first, onset, melody),
            *_tempo_remarks(tempo, speed),
            *_rhythm_remarks(written),
        ),
    )


def _quarters(tick: int, song: Song) -> Fraction:
    return Fraction(tick, song.ticks_a_quarter)


def _check_lengths(
    song: Song, strand: Strand, tempo: TempoMap, bars: BarLines, limits: Limits
) -> None:
    """Refuse what lasts too long, before any work is done on it.

    Raises:
        TooLong: when the notes of all strands take more seconds, or the melody more bars.
    """
    start = min(each.notes[0].onset for each in song.strands)
    end = max(note.end for each in song.strands for note in each.notes)
    seconds = tempo.seconds(end) - tempo.seconds(start)
    if seconds > limits.seconds:
        raise TooLong(f"{seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    last = max(note.end for note in strand.notes)
    count = bars.bar_at(_quarters(last, song)) - bars.bar_at(_quarters(strand.notes[0].onset, song))
    if count > limits.bars:
        raise TooLong(f"{count} bars", f"{limits.bars} bars")


def _check_parts(song: Song, speed: float, limits: Limits) -> None:
    """Refuse parts that last too long at the melody's tempo, whatever tempo they have themselves.

    Raises:
        TooLong: when they take more seconds than the limit.
    """
    start = min(each.notes[0].onset for each in song.strands)
    end = max(note.end for each in song.strands for note in each.notes)
    seconds = float(_quarters(end - start, song)) * 60 / speed
    if seconds > limits.seconds:
        raise TooLong(f"{seconds:.0f} seconds", f"{limits.seconds:g} seconds")


def _skyline(strand: Strand, song: Song, tempo: TempoMap) -> Skyline:
    """The top line. Only a player's chords are spread, so written music is taken to the tick."""
    if not is_performance(strand.notes, song.ticks_a_quarter):
        return find_skyline(strand.notes, together=0)
    first, last = strand.notes[0].onset, max(note.end for note in strand.notes)
    speed = tempo.prevailing(first, last)
    return find_skyline(strand.notes, together=round(_TOGETHER * speed / 60 * song.ticks_a_quarter))


def _first_downbeat(first: Note, bars: BarLines) -> tuple[int, Fraction]:
    """The bar that counts as the first full one, and its onset."""
    bar = bars.bar_at(first.onset)
    behind = first.onset - bars.onset(bar)
    # Written pickups are padded to a bar with rests; some programs write a shorter first bar.
    pickup = behind >= bars.meter(bar).beat or (bar == 0 and bars.meter(0).bar < bars.meter(1).bar)
    bar += pickup
    return bar, bars.onset(bar)


def _melody(
    written: Quantised,
    strand: Strand,
    song: Song,
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
    if last < closing <= last + _MOST_SILENT_BARS and bars.onset(closing) == track_end:
        last = closing
    keys = [key for tick, key in song.keys if _quarters(tick, song) <= max(onset, Fraction(0))]
    key = keys[-1] if keys else song.keys[0][1] if song.keys else find_key(notes)
    return Melody(
        notes=notes,
        meter=bars.meter(first),
        key=key,
        tempo=tempo,
        bars=last - first,
        changes=bars.changes(first, last),
    )


def _parts(song: Song, place: int, sky: Skyline, onset: Fraction) -> tuple[Part, ...]:
    """All other strands, and what lies under the melody in its own, at their exact times."""

    def part(name: str, strand: Strand, notes: Sequence[MidiNote]) -> Part:
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
        for number, each in enumerate(song.strands)
        if number != place
    ]
    if sky.below:
        strand = song.strands[place]
        parts.insert(place, part(f"{strand.name}, below the melody", strand, sky.below))
    return tuple(parts)


def _skyline_remarks(strand: Strand, sky: Skyline) -> list[str]:
    if not sky.below:
        return []
    return [
        f"{strand.name} plays chords: of {len(strand.notes)} notes the {len(sky.line)} of the top "
        f"line are the melody, the others are kept beside it."
    ]


def _bar_remarks(
    song: Song, bars: BarLines, first: int, onset: Fraction, melody: Melody
) -> list[str]:
    remarks = []
    if not song.meters:
        remarks.append("The file names no meter; 4/4 was assumed.")
    if bars.moved:
        remarks.append(
            f"{bars.moved} changes of meter inside a bar were moved to the nearest barline."
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


def _tempo_remarks(tempo: TempoMap, speed: float) -> list[str]:
    if not tempo.given:
        return ["The file names no tempo; 120 quarters a minute were assumed."]
    if len(tempo.changes) > 1:
        return [f"The tempo changes; {speed:g} quarters a minute hold longest."]
    return []


def _rhythm_remarks(written: Quantised) -> list[str]:
    remarks = []
    count = len(written.notes)
    if written.performed:
        remarks.append(
            f"It was played, not written: {written.moved} of {count} notes "
            f"({written.moved / count:.0%}) were moved to a sixteenth or a triplet, by "
            f"{written.farthest:.2f} of a quarter at most. The beats are those of the file."
        )
    elif written.moved:
        remarks.append(
            f"{written.moved} of {count} notes ({written.moved / count:.0%}) were moved to the "
            f"grid, by {written.farthest:.2f} of a quarter at most."
        )
    if written.badly:
        remarks.append(
            "The notes hardly fit these beats: it seems to be recorded without a click, and the "
            "rhythm is a guess."
        )
    if written.swing:
        remarks.append(
            f"Its eighths swing ({written.swing:.0%} of the beat for the first); they were "
            "written straight."
        )
    if written.left_out:
        remarks.append(f"Notes too quick to be written, left out: {written.left_out}.")
    return remarks
