"""Reads a score file of any accepted format into a `ParsedScore` that is within the limits.

The reader of a format is imported when a file of that format comes, so that a parser process
starts quickly.
"""

from __future__ import annotations

from dataclasses import replace

from mst_core.errors import BadOption, MstError, NoMelody, TooLong, UnreadableScore
from mst_core.reading.formats import (
    MAX_ARGUMENT_LENGTH,
    SNIFFED_BYTES,
    ScoreFormat,
    detect_format,
    display_name,
    sanitize_line,
)
from mst_core.reading.parsed_score import Limits, ParsedScore, Selection
from mst_core.reading.serialization import MAX_TEMPO_CHANGES

MAX_DENOMINATOR = 2**31
"""Of every onset and duration of the melody, in quarter notes."""
TEMPO_RANGE = (4.0, 1_000.0)
"""Accepted quarter notes per minute; the slowest is what a MIDI file can hold."""
MAX_TEXT_LENGTH = 200
"""Characters of a title or of the name of a part."""
MAX_WARNINGS = 30


def load_score(
    name: str,
    data: bytes,
    selection: Selection = Selection(),
    *,
    limits: Limits | None = None,
) -> ParsedScore:
    """Read a score file in this process; `mst_core.reading.sandbox.parse` does so in another.

    Args:
        name: the file's name; its suffix and the first bytes decide the format.
        data: the whole file.
        selection: which tune of a book is meant, and which part of it is the melody.
        limits: how much the file may hold.

    Returns:
        The melody, the other parts, and warnings about what was assumed or left out.

    Raises:
        UnreadableScore: when it is broken or no score.
        NoMelody: when the melody would have fewer than two notes.
        TooLong: beyond the limits.
        BadOption: for a track or a tune that is not there.
    """
    limits = limits or Limits()
    score_format = detect_format(name, len(data), data[:SNIFFED_BYTES], limits)
    if selection.tune is not None and score_format is not ScoreFormat.ABC:
        raise BadOption(
            "tune", selection.tune, "books of tunes are ABC files; leave the option out"
        )
    try:
        return _enforce_limits(
            display_name(name), _parse(score_format, data, selection, limits), limits
        )
    except MstError as error:
        # An error may quote anything from the file.
        quoted = (sanitize_line(argument, MAX_ARGUMENT_LENGTH) for argument in error.arguments)
        raise type(error)(*quoted) from error


def _parse(
    score_format: ScoreFormat, data: bytes, selection: Selection, limits: Limits
) -> ParsedScore:
    """Import the reader of a format and call it."""
    match score_format:
        case ScoreFormat.MIDI:
            from mst_core.reading.midi.read import read_midi

            return read_midi(data, track=selection.track, limits=limits)
        case ScoreFormat.ABC:
            from mst_core.reading.abc.read import read_abc_score

            return read_abc_score(data, track=selection.track, tune=selection.tune, limits=limits)
        case ScoreFormat.MUSICXML:
            from mst_core.reading.musicxml.read import read_musicxml

            return read_musicxml(data, track=selection.track, limits=limits)
        case ScoreFormat.MXL:
            from mst_core.reading.musicxml.mxl import read_mxl

            return read_mxl(data, track=selection.track, limits=limits)


def _count_controls(score: ParsedScore) -> int:
    """Number of control events of all parts, the melody's included."""
    return len(score.controls) + sum(len(part.controls) for part in score.parts)


def _enforce_limits(name: str, score: ParsedScore, limits: Limits) -> ParsedScore:
    """Check a score of any reader against the limits, and cut its texts to one safe line each."""
    melody = score.melody
    if len(melody.notes) < 2:
        raise NoMelody(name)
    lowest, highest = TEMPO_RANGE
    for tempo in (melody.tempo, *(change.tempo for change in melody.tempo_changes)):
        if not lowest <= tempo <= highest:
            raise UnreadableScore(
                f"{name} asks for {tempo:g} quarter notes a minute",
                f"{lowest:g} to {highest:g} are accepted",
            )
    all_notes = len(melody.notes) + sum(len(part.notes) for part in score.parts)
    for found, most, unit in (
        (len(melody.notes), limits.melody_notes, "notes in the melody"),
        (all_notes, limits.notes, "notes"),
        (melody.bar_count, limits.bars, "bars"),
        (round(melody.seconds), limits.seconds, "seconds"),
        (len(score.parts) + 1, limits.tracks, "tracks"),
        (len(score.candidates), limits.tracks, "tracks"),
        (len(score.tunes), limits.tunes, "tunes"),
        (_count_controls(score), limits.controls, "controller messages"),
        (len(melody.tempo_changes), MAX_TEMPO_CHANGES, "changes of tempo"),
        (len(melody.chords), limits.notes, "chord symbols"),
    ):
        if found > most:
            raise TooLong(f"{found} {unit}", f"{most:g} {unit}")
    times = [time for note in melody.notes for time in (note.onset, note.duration)]
    if any(time.denominator > MAX_DENOMINATOR for time in times):
        raise UnreadableScore(
            f"{name} divides a quarter note too finely", "plain rhythms are accepted"
        )
    return replace(
        score,
        title=sanitize_line(score.title, MAX_TEXT_LENGTH),
        parts=tuple(
            replace(part, name=sanitize_line(part.name, MAX_TEXT_LENGTH)) for part in score.parts
        ),
        candidates=tuple(
            replace(each, name=sanitize_line(each.name, MAX_TEXT_LENGTH))
            for each in score.candidates
        ),
        tunes=tuple(sanitize_line(title, MAX_TEXT_LENGTH) for title in score.tunes),
        warnings=tuple(
            sanitize_line(text, 2 * MAX_TEXT_LENGTH) for text in score.warnings[:MAX_WARNINGS]
        ),
    )
