"""From the bytes of any file to a reading: the kind, its reader, and what holds for every reading.

Each reader is loaded when its kind comes, so that the parser's process starts quickly.
"""

from __future__ import annotations

from dataclasses import replace

from mst_core.errors import BadOption, MstError, NoMelody, TooLong, UnreadableScore
from mst_core.reading.formats import (
    SNIFFED_BYTES,
    ScoreFormat,
    detect_format,
    display_name,
    sanitize_line,
)
from mst_core.reading.parsed_score import Limits, ParsedScore
from mst_core.reading.serialization import MAX_TEMPO_CHANGES

MAX_DENOMINATOR = 2**31
"""No time has a larger denominator."""
TEMPO_RANGE = (4.0, 1_000.0)  # quarter notes per minute; what a MIDI file can hold, and sanity
MAX_TEXT_LENGTH = 200
MAX_ARGUMENT_LENGTH = 400
MAX_WARNINGS = 30


def load_score(
    name: str, data: bytes, *, track: int | None = None, limits: Limits | None = None
) -> ParsedScore:
    """Read a file; ``track`` names the track or part that holds the melody, from 1.

    Raises:
        UnreadableScore: when it is no score, a broken one, or one of a kind that has no reader.
        NoMelody: when fewer than two notes sound.
        TooLong: beyond the limits.
        BadOption: for a track that is not there.
    """
    limits = limits or Limits()
    kind = detect_format(name, len(data), data[:SNIFFED_BYTES], limits)
    if track is not None and kind is ScoreFormat.ABC:
        raise BadOption("track", track, "MIDI and MusicXML files have tracks; this is ABC")
    try:
        return _enforce_limits(display_name(name), _parse(kind, data, track, limits), limits)
    except MstError as error:
        # A reader quotes what it stumbled over, which may be anything.
        words = (sanitize_line(argument, MAX_ARGUMENT_LENGTH) for argument in error.arguments)
        raise type(error)(*words) from error


def _parse(kind: ScoreFormat, data: bytes, track: int | None, limits: Limits) -> ParsedScore:
    match kind:
        case ScoreFormat.MIDI:
            from mst_core.reading.midi.read import read_midi

            return read_midi(data, track=track, limits=limits)
        case ScoreFormat.ABC:
            from mst_core.reading.abc.read import read_abc_score

            return read_abc_score(data, limits=limits)
        case ScoreFormat.MUSICXML:
            from mst_core.reading.musicxml.read import read_musicxml

            return read_musicxml(data, track=track, limits=limits)
        case ScoreFormat.MXL:
            from mst_core.reading.musicxml.mxl import read_mxl

            return read_mxl(data, track=track, limits=limits)


def _enforce_limits(name: str, reading: ParsedScore, limits: Limits) -> ParsedScore:
    """Hold a reading to the limits, whatever its reader did, and its texts to one line."""
    melody = reading.melody
    if len(melody.notes) < 2:
        raise NoMelody(name)
    every = len(melody.notes) + sum(len(part.notes) for part in reading.parts)
    for found, most, unit in (
        (len(melody.notes), limits.melody_notes, "notes in the melody"),
        (every, limits.notes, "notes"),
        (melody.bar_count, limits.bars, "bars"),
        (round(melody.seconds), limits.seconds, "seconds"),
        (len(reading.parts) + 1, limits.tracks, "tracks"),
        (len(reading.tempos), MAX_TEMPO_CHANGES, "changes of tempo"),
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
    if any(time.denominator > MAX_DENOMINATOR for time in times):
        raise UnreadableScore(
            f"{name} divides a quarter note too finely", "plain rhythms are accepted"
        )
    return replace(
        reading,
        title=sanitize_line(reading.title, MAX_TEXT_LENGTH),
        parts=tuple(
            replace(part, name=sanitize_line(part.name, MAX_TEXT_LENGTH)) for part in reading.parts
        ),
        warnings=tuple(
            sanitize_line(text, 2 * MAX_TEXT_LENGTH) for text in reading.warnings[:MAX_WARNINGS]
        ),
    )
