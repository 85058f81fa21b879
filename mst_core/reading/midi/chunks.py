"""Reads a MIDI file as its tracks of messages: what is wrapped around it, its header, its chunks.

Files from forty years are taken as they are: inside a RIFF or Macintosh wrapper, with wrong lengths
and counts, cut off, in film frames; what was repaired is said in the warnings. Of a file of
format 2 the first sequence with notes is read. Why no library does this:
docs/decisions.md#midi-byte-reader.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from dataclasses import dataclass

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.midi.messages import (
    END_OF_TRACK,
    NOTE_ON,
    SET_TEMPO,
    MidiMessage,
    Repair,
    TrackReader,
    begins_chunk,
)
from mst_core.reading.parsed_score import Limits

_HEADER, _TRACK = b"MThd", b"MTrk"
_HEADER_BYTES = 14  # with its name and length
_ACCEPTED = "a MIDI file of format 0, 1 or 2 would be read"
_SEND_AGAIN = "send the whole file, or write it again with another program"
_FRAMES_PER_SECOND = {24: 24.0, 25: 25.0, 29: 30_000 / 1_001, 30: 30.0}
_LISTED_TRACKS = 5


@dataclass(frozen=True, slots=True)
class MidiFile:
    """The tracks of a file as they are written."""

    format: int
    """0: one track with all channels; 1: tracks that sound together; 2: one sequence a track."""
    ticks_per_quarter: int
    """1 to 32,767."""
    tracks: tuple[tuple[MidiMessage, ...], ...]
    """The messages of each track chunk, in order; the last one is END_OF_TRACK."""
    warnings: tuple[str, ...]


def read_messages(data: bytes, limits: Limits) -> MidiFile:
    """Read the messages of a file, as many as `mst_core.reading.midi.messages` keeps.

    Args:
        data: the whole file.
        limits: for bytes, tracks and messages.

    Returns:
        At least one track, its messages in order.

    Raises:
        UnreadableScore: when the bytes are not a MIDI file, or break off before the first note.
        TooLong: beyond the limits.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    start = data.find(_HEADER)
    if start < 0:
        raise UnreadableScore("this is not a MIDI file: it does not begin with MThd", _ACCEPTED)
    if len(data) < start + _HEADER_BYTES:
        raise UnreadableScore("the MIDI file breaks off in its header", _SEND_AGAIN)
    length, file_format, announced, division = struct.unpack_from(">IHHH", data, start + 4)
    if division == 0:
        raise UnreadableScore("the MIDI file has 0 ticks a quarter", "any other number is read")
    warnings: list[str] = []
    if start and not data.startswith(b"RIFF"):
        warnings.append(f"The {start} bytes before the header of the file were skipped.")
    if file_format > 2:
        warnings.append(f"The file says that it is of format {file_format}; it was read as 1.")
        file_format = 1
    first_chunk = _first_chunk(data, start, length)
    if first_chunk != start + 8 + length:
        warnings.append(
            "The header of the file has a wrong length; the tracks after it were found."
        )
    tracks = _read_tracks(data, first_chunk, announced, limits, warnings)
    if len(tracks) != announced:
        warnings.append(f"The file announces {announced} tracks and holds {len(tracks)}.")
    if file_format == 2 and len(tracks) > 1:
        _keep_first_sequence(tracks, warnings)
    if division & 0x8000:
        division = _count_in_quarters(tracks, division)
        warnings.append(
            "The file counts film frames (SMPTE), not beats; 120 quarter notes a minute were "
            "assumed."
        )
    return MidiFile(file_format, division, tuple(map(tuple, tracks)), tuple(warnings))


def _first_chunk(data: bytes, header: int, length: int) -> int:
    """The byte after the header; the first track where the length of the header is wrong."""
    stated = header + 8 + length
    if length >= _HEADER_BYTES - 8 and begins_chunk(data, stated):
        return stated
    found = data.find(_TRACK, header + _HEADER_BYTES)
    if found < 0:
        misspelt = re.compile(rb"(?i)MTrk").search(data, header + _HEADER_BYTES)
        found = misspelt.start() if misspelt else len(data)
    return found


def _read_tracks(
    data: bytes, position: int, announced: int, limits: Limits, warnings: list[str]
) -> list[list[MidiMessage]]:
    """Read the track chunks from a byte on, more than the header announced where they follow.

    Chunks of other kinds are skipped, as the standard requires. Other bytes after the last track
    are ignored: many files end with zeros.
    """
    tracks: list[list[MidiMessage]] = []
    repairs: Counter[Repair] = Counter()
    broken: list[int] = []
    events_left = limits.events
    while position + 8 <= len(data):
        kind, length = struct.unpack_from(">4sI", data, position)
        if kind.upper() == _TRACK.upper():
            if len(tracks) == limits.tracks:
                count = max(announced, len(tracks) + 1)
                raise TooLong(f"{count} tracks", f"{limits.tracks} tracks")
            reader = TrackReader(data, position + 8, length, events_left)
            reader.read()
            events_left -= reader.event_count
            if events_left < 0:
                raise TooLong(f"more than {limits.events} messages", f"{limits.events} messages")
            position = reader.position
            tracks.append([*reader.messages, MidiMessage(reader.tick, END_OF_TRACK, -1, b"")])
            repairs.update(reader.repairs)
            if reader.breaks_off:
                broken.append(len(tracks))
        elif tracks and kind == _HEADER:
            warnings.append("A second MIDI file follows the first, which was read.")
            break
        elif len(tracks) >= announced > 0:
            break
        else:
            position = _next_chunk(data, position, length)
    if not tracks:
        raise UnreadableScore("the MIDI file holds no track", _SEND_AGAIN)
    warnings.extend(kind.remark(repairs[kind]) for kind in Repair if repairs[kind])
    if broken:
        notes = [sum(each.kind == NOTE_ON for each in tracks[number - 1]) for number in broken]
        if not any(each.kind == NOTE_ON for track in tracks for each in track):
            raise UnreadableScore(f"the MIDI file breaks off in track {broken[0]}", _SEND_AGAIN)
        warnings.append(_broken_remark(broken, sum(notes)))
    return tracks


def _next_chunk(data: bytes, position: int, length: int) -> int:
    """Where the search for tracks goes on: after a chunk of another kind, or at the next track."""
    end = position + 8 + length
    if begins_chunk(data, position) and (end == len(data) or begins_chunk(data, end)):
        return end
    found = data.find(_TRACK, position + 1)
    return found if found >= 0 else len(data)


def _broken_remark(broken: list[int], notes: int) -> str:
    kept = "one note before that was" if notes == 1 else f"{notes} notes before that were"
    if len(broken) == 1:
        if not notes:
            return f"Track {broken[0]} breaks off in the file before its first note."
        return f"Track {broken[0]} breaks off in the file; the {kept} kept."
    named = ", ".join(map(str, broken[:_LISTED_TRACKS]))
    more = " and others" if len(broken) > _LISTED_TRACKS else ""
    return f"Tracks {named}{more} break off in the file; the {kept} kept."


def _keep_first_sequence(tracks: list[list[MidiMessage]], warnings: list[str]) -> None:
    """Remove the sequences after the first with notes; those before it may hold its tempo."""
    count = len(tracks)
    with_notes = [
        index for index, track in enumerate(tracks) if any(each.kind == NOTE_ON for each in track)
    ]
    first = with_notes[0] if with_notes else 0
    del tracks[first + 1 :]
    if len(with_notes) > 1:
        warnings.append(
            f"The file holds {count} sequences (format 2); the first with notes was read."
        )


def _count_in_quarters(tracks: list[list[MidiMessage]], division: int) -> int:
    """Replace film frames by quarters at 120 a minute; returns the ticks of a quarter."""
    frames = 256 - (division >> 8)
    ticks_per_second = _FRAMES_PER_SECOND.get(frames, float(frames)) * max(1, division & 0xFF)
    ticks_per_quarter = max(1, round(ticks_per_second / 2))
    microseconds = round(1e6 * ticks_per_quarter / ticks_per_second)
    for track in tracks:
        track[:] = [each for each in track if each.kind != SET_TEMPO]
    tracks[0].insert(0, MidiMessage(0, SET_TEMPO, -1, microseconds.to_bytes(3, "big")))
    return ticks_per_quarter
