"""Reads the bytes of a MIDI file as messages. Times are ticks from the start of the file.

Strict and bounded: no more is built than the limits allow. Messages that carry no note, name,
tempo, meter or key (controllers, pitch bends, system exclusive) are skipped. Of a file of format 2
the first sequence is read. Why no library does this: docs/decisions.md#midi-byte-reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.parsed_score import Limits

NOTE_OFF, NOTE_ON, PROGRAM_CHANGE = 0x80, 0x90, 0xC0
TEXT, TRACK_NAME, INSTRUMENT_NAME, LYRIC = 0x01, 0x03, 0x04, 0x05
SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE, END_OF_TRACK = 0x51, 0x58, 0x59, 0x2F
_KEPT_META_EVENTS = (
    *(TEXT, TRACK_NAME, INSTRUMENT_NAME, LYRIC),
    *(SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE),
)
_META_EVENT, _SYSTEM_EXCLUSIVE = 0xFF, (0xF0, 0xF7)
_ONE_DATA_BYTE = (0xC0, 0xD0)  # program changes and channel pressure; other messages carry two
_ACCEPTED = "a MIDI file of format 0 or 1 would be read"
_SEND_AGAIN = "send the whole file, or write it again with another program"


class MidiMessage(NamedTuple):
    """One message that is kept."""

    tick: int
    kind: int
    """NOTE_OFF, NOTE_ON, PROGRAM_CHANGE or the type of a meta event. A NOTE_ON of velocity 0 is
    stored as a NOTE_OFF."""
    channel: int
    """0 to 15; -1 for a meta event."""
    data: bytes


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
    """Read the messages of notes, programs, names, tempo, meter and key.

    Args:
        data: the whole file.
        limits: for bytes, tracks and messages.

    Returns:
        At least one track, its messages in order.

    Raises:
        UnreadableScore: when the bytes are not a MIDI file of format 0, 1 or 2 in ticks per
            quarter, or are cut off.
        TooLong: beyond the limits.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    if data[:4] != b"MThd":
        raise UnreadableScore("this is not a MIDI file: it does not begin with MThd", _ACCEPTED)
    if len(data) < 14:
        raise UnreadableScore("the MIDI file breaks off in its header", _SEND_AGAIN)
    length, file_format, announced, division = struct.unpack_from(">IHHH", data, 4)
    if length < 6:
        raise UnreadableScore(f"the MIDI file has a header of {length} bytes", _SEND_AGAIN)
    if file_format > 2:
        raise UnreadableScore(f"the MIDI file is of format {file_format}", _ACCEPTED)
    if division & 0x8000:
        raise UnreadableScore(
            "the MIDI file counts film frames (SMPTE), not beats",
            "export it with a tempo, in ticks a quarter",
        )
    if division == 0:
        raise UnreadableScore("the MIDI file has 0 ticks a quarter", "any other number is read")
    if announced > limits.tracks:
        raise TooLong(f"{announced} tracks", f"{limits.tracks} tracks")
    tracks = _read_tracks(data, 8 + length, announced, limits.events)
    warnings: list[str] = []
    if len(tracks) < announced:
        warnings.append(f"The file announces {announced} tracks and holds {len(tracks)}.")
    if file_format == 2 and len(tracks) > 1:
        warnings.append(f"The file holds {len(tracks)} sequences (format 2); the first was read.")
        del tracks[1:]
    return MidiFile(file_format, division, tuple(tracks), tuple(warnings))


def _read_tracks(
    data: bytes, start: int, announced: int, max_events: int
) -> list[tuple[MidiMessage, ...]]:
    """Read the track chunks from byte ``start``, at most as many as the header announced.

    Chunks of other kinds are skipped, as the standard requires. What follows the last track is
    ignored: many files end with zeros.
    """
    tracks: list[tuple[MidiMessage, ...]] = []
    events_left = max_events
    while start + 8 <= len(data) and len(tracks) < announced:
        kind, length = struct.unpack_from(">4sI", data, start)
        end = start + 8 + length
        if end > len(data):
            where = f"track {len(tracks) + 1}" if kind == b"MTrk" else "a chunk that is no track"
            raise UnreadableScore(f"the MIDI file breaks off in {where}", _SEND_AGAIN)
        if kind == b"MTrk":
            reader = _TrackReader(data, start + 8, end, len(tracks) + 1)
            tracks.append(reader.read(events_left))
            events_left -= reader.event_count
            if events_left < 0:
                raise TooLong(f"more than {max_events} messages", f"{max_events} messages")
        start = end
    if not tracks:
        raise UnreadableScore("the MIDI file holds no track", _SEND_AGAIN)
    return tracks


class _TrackReader:
    """Reads one track chunk, message by message; ``event_count`` counts skipped ones too."""

    def __init__(self, data: bytes, start: int, end: int, track_number: int) -> None:
        self.data, self.position, self.end, self.track_number = data, start, end, track_number
        self.event_count = 0

    def read(self, max_events: int) -> tuple[MidiMessage, ...]:
        """Read to the end of the track, or one message more than ``max_events``."""
        tick, running_status = 0, 0
        messages: list[MidiMessage] = []
        while self.position < self.end and self.event_count <= max_events:
            tick += self._variable_length_quantity()
            self.event_count += 1
            status = self._byte()
            if status == _META_EVENT:
                kind = self._byte()
                content = self._bytes(self._variable_length_quantity())
                if kind == END_OF_TRACK:
                    break
                if kind in _KEPT_META_EVENTS:
                    messages.append(MidiMessage(tick, kind, -1, content))
            elif status in _SYSTEM_EXCLUSIVE:
                self._bytes(self._variable_length_quantity())
            elif status < 0xF0:
                if status < 0x80:
                    # Running status: the message begins with its data. Real files also use it
                    # after a meta event, which the standard forbids.
                    status, self.position = running_status, self.position - 1
                if not status:
                    raise self._error("a message without a status")
                running_status = status
                kind = status & 0xF0
                content = self._bytes(1 if kind in _ONE_DATA_BYTE else 2)
                if max(content) > 127:
                    raise self._error("a value above 127")
                if kind == NOTE_ON and content[1] == 0:
                    kind = NOTE_OFF
                if kind in (NOTE_OFF, NOTE_ON, PROGRAM_CHANGE):
                    messages.append(MidiMessage(tick, kind, status & 0x0F, content))
            else:
                raise self._error(f"an unknown message {status:X}")
        return (*messages, MidiMessage(tick, END_OF_TRACK, -1, b""))

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        if self.position + count > self.end:
            raise self._error("a message that reaches beyond its end")
        self.position += count
        return self.data[self.position - count : self.position]

    def _variable_length_quantity(self) -> int:
        """A number of one to four bytes, seven bits in each."""
        number = 0
        for _ in range(4):
            byte = self._byte()
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        raise self._error("a number of more than four bytes")

    def _error(self, what: str) -> UnreadableScore:
        return UnreadableScore(
            f"track {self.track_number} of the MIDI file has {what}", _SEND_AGAIN
        )
