"""The bytes of a MIDI file as messages. Times are ticks from the start of the file.

The reading is strict and bounded: nothing is built that the limits forbid. Messages that make no
note, no name and no bar (controllers, bends, system exclusive) are stepped over. A file of format 2
gives its first sequence.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from mst_core.errors import TooLong, UnreadableScore
from mst_core.reading.parsed_score import Limits

NOTE_OFF, NOTE_ON, PROGRAM_CHANGE = 0x80, 0x90, 0xC0
TRACK_NAME, INSTRUMENT_NAME, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x04, 0x51, 0x58, 0x59
_END_OF_TRACK = 0x2F
_KEPT_META_EVENTS = (TRACK_NAME, INSTRUMENT_NAME, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE)
_META_EVENT, _SYSTEM_EXCLUSIVE = 0xFF, (0xF0, 0xF7)
_ONE_DATA_BYTE = (0xC0, 0xD0)  # programs and pressure carry one data byte, other messages two
_ACCEPTED = "a MIDI file of format 0 or 1 would be read"
_SEND_AGAIN = "send the whole file, or write it again with another program"


class MidiMessage(NamedTuple):
    """``kind`` is NOTE_OFF, NOTE_ON, PROGRAM_CHANGE or one of the metas; a meta has channel -1.

    A NOTE_ON of velocity 0 comes as the NOTE_OFF that it is.
    """

    tick: int
    kind: int
    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """The messages of one chunk, and the tick where it ends."""

    messages: tuple[MidiMessage, ...]
    end: int


@dataclass(frozen=True, slots=True)
class MidiFile:
    """What the bytes say, before anything is made of it."""

    format: int
    """0 for one track of all channels, 1 for tracks that sound together."""
    ticks_per_quarter: int
    tracks: tuple[MidiTrack, ...]
    warnings: tuple[str, ...]


def read_messages(data: bytes, limits: Limits) -> MidiFile:
    """Read the messages that matter.

    Raises:
        UnreadableScore: when the bytes are not a MIDI file of format 0, 1 or 2 in ticks a quarter,
            or break off.
        TooLong: when there are more bytes, tracks or messages than the limits allow.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    if data[:4] != b"MThd":
        raise UnreadableScore("this is not a MIDI file: it does not begin with MThd", _ACCEPTED)
    if len(data) < 14:
        raise UnreadableScore("the MIDI file breaks off in its header", _SEND_AGAIN)
    length, form, announced, division = struct.unpack_from(">IHHH", data, 4)
    if length < 6:
        raise UnreadableScore(f"the MIDI file has a header of {length} bytes", _SEND_AGAIN)
    if form > 2:
        raise UnreadableScore(f"the MIDI file is of format {form}", _ACCEPTED)
    if division & 0x8000:
        raise UnreadableScore(
            "the MIDI file counts film frames (SMPTE), not beats",
            "export it with a tempo, in ticks a quarter",
        )
    if division == 0:
        raise UnreadableScore("the MIDI file has 0 ticks a quarter", "any other number is read")
    if announced > limits.tracks:
        raise TooLong(f"{announced} tracks", f"{limits.tracks} tracks")
    return _read_tracks(data, 8 + length, form, announced, division, limits)


def _read_tracks(
    data: bytes, start: int, format: int, announced: int, division: int, limits: Limits
) -> MidiFile:
    tracks: list[MidiTrack] = []
    remarks: list[str] = []
    events_left = limits.events
    # Chunks of other kinds are skipped, as the standard asks; what follows the last track is not
    # looked at: many a file has a tail of zeros.
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
                raise TooLong(f"more than {limits.events} messages", f"{limits.events} messages")
        start = end
    if not tracks:
        raise UnreadableScore("the MIDI file holds no track", _SEND_AGAIN)
    if len(tracks) < announced:
        remarks.append(f"The file announces {announced} tracks and holds {len(tracks)}.")
    if format == 2 and len(tracks) > 1:
        remarks.append(f"The file holds {len(tracks)} sequences (format 2); the first was read.")
        del tracks[1:]
    return MidiFile(format, division, tuple(tracks), tuple(remarks))


class _TrackReader:
    """Walks through one track, message by message; ``events`` is how many there were."""

    def __init__(self, data: bytes, start: int, end: int, track_number: int) -> None:
        self.data, self.position, self.end, self.track_number = data, start, end, track_number
        self.event_count = 0

    def read(self, max_events: int) -> MidiTrack:
        """Read up to the end of track, or one message more than ``most``."""
        tick, running = 0, 0
        messages: list[MidiMessage] = []
        while self.position < self.end and self.event_count <= max_events:
            tick += self._variable_length_quantity()
            self.event_count += 1
            status = self._byte()
            if status == _META_EVENT:
                kind = self._byte()
                content = self._bytes(self._variable_length_quantity())
                if kind == _END_OF_TRACK:
                    break
                if kind in _KEPT_META_EVENTS:
                    messages.append(MidiMessage(tick, kind, -1, content))
            elif status in _SYSTEM_EXCLUSIVE:
                self._bytes(self._variable_length_quantity())
            elif status < 0xF0:
                if status < 0x80:
                    # Running status: the message begins with its data. It outlives metas, which
                    # the standard forbids and real files do.
                    status, self.position = running, self.position - 1
                if not status:
                    raise self._error("a message without a status")
                running = status
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
        return MidiTrack(tuple(messages), tick)

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
