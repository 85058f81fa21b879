"""From the bytes of any file to a reading: the kind, its reader, and what holds for every reading.

Each reader is loaded when its kind comes, so that the parser's process starts quickly.
"""

from __future__ import annotations

from dataclasses import replace

from mst_core.errors import BadOption, MstError, NoMelody, TooLong, UnreadableScore
from mst_core.reading.formats import FIRST_BYTES, Kind, cheap_check, one_line, show_name
from mst_core.reading.parsed_score import Limits, Reading
from mst_core.reading.serialization import MOST_TEMPOS

FINEST = 2**31
"""No time has a larger denominator."""
TEMPO_RANGE = (4.0, 1_000.0)  # quarter notes per minute; what a MIDI file can hold, and sanity
LONGEST_TEXT = 200
LONGEST_ARGUMENT = 400
MOST_REMARKS = 30


def read_score(
    name: str, data: bytes, *, track: int | None = None, limits: Limits | None = None
) -> Reading:
    """Read a file; ``track`` names the track or part that holds the melody, from 1.

    Raises:
        UnreadableScore: when it is no score, a broken one, or one of a kind that has no reader.
        NoMelody: when fewer than two notes sound.
        TooLong: beyond the limits.
        BadOption: for a track that is not there.
    """
    limits = limits or Limits()
    kind = cheap_check(name, len(data), data[:FIRST_BYTES], limits)
    if track is not None and kind is Kind.ABC:
        raise BadOption("track", track, "MIDI and MusicXML files have tracks; this is ABC")
    try:
        return _hold(show_name(name), _read(kind, data, track, limits), limits)
    except MstError as error:
        # A reader quotes what it stumbled over, which may be anything.
        words = (one_line(argument, LONGEST_ARGUMENT) for argument in error.arguments)
        raise type(error)(*words) from error


def _read(kind: Kind, data: bytes, track: int | None, limits: Limits) -> Reading:
    match kind:
        case Kind.MIDI:
            from mst_core.reading.midi.read import read_midi

            return read_midi(data, track=track, limits=limits)
        case Kind.ABC:
            from mst_core.reading.abc.read import read_abc_score

            return read_abc_score(data, limits=limits)
        case Kind.MUSICXML:
            from mst_core.reading.musicxml.read import read_musicxml

            return read_musicxml(data, track=track, limits=limits)
        case Kind.MXL:
            from mst_core.reading.musicxml.mxl import read_mxl

            return read_mxl(data, track=track, limits=limits)


def _hold(name: str, reading: Reading, limits: Limits) -> Reading:
    """Hold a reading to the limits, whatever its reader did, and its texts to one line."""
    melody = reading.melody
    if len(melody.notes) < 2:
        raise NoMelody(name)
    every = len(melody.notes) + sum(len(part.notes) for part in reading.parts)
    for found, most, unit in (
        (len(melody.notes), limits.melody_notes, "notes in the melody"),
        (every, limits.notes, "notes"),
        (melody.bars, limits.bars, "bars"),
        (round(melody.seconds), limits.seconds, "seconds"),
        (len(reading.parts) + 1, limits.tracks, "tracks"),
        (len(reading.tempos), MOST_TEMPOS, "changes of tempo"),
    ):
        if found > most:
            raise TooLong(f"{found} {unit}", f"{most:g} {unit}")
    lowest, highest = TEMPO_RANGE
    for tempo in (melody.tempo, *(tempo for _, tempo in reading.tempos)):
        if not lowest <= tempo <= highest:
            raise UnreadableScore(
                f"{name} asks for {tempo:g} quarter notes a minute",
                f"{lowest:g} to {highest:g} are accepted",
            )
    times = [time for note in melody.notes for time in (note.onset, note.duration)]
    if any(time.denominator > FINEST for time in times):
        raise UnreadableScore(
            f"{name} divides a quarter note too finely", "plain rhythms are accepted"
        )
    return replace(
        reading,
        title=one_line(reading.title, LONGEST_TEXT),
        parts=tuple(
            replace(part, name=one_line(part.name, LONGEST_TEXT)) for part in reading.parts
        ),
        remarks=tuple(one_line(text, 2 * LONGEST_TEXT) for text in reading.remarks[:MOST_REMARKS]),
    )
