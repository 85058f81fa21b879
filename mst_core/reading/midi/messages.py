"""Reads the bytes of one track of a MIDI file as messages. Times are ticks from its start.

Tolerant, as players are: a fault that makes no difference to the notes is stepped over and counted
in `Repair`. Bounded: never more messages than asked for, and each byte is read once or twice.
Messages that no reader needs (pressure, most controllers and system messages) are skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from typing import NamedTuple

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE, PITCH_BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
SYSTEM_EXCLUSIVE = 0xF0
TEXT, TRACK_NAME, INSTRUMENT_NAME, LYRIC, MARKER, PORT = 0x01, 0x03, 0x04, 0x05, 0x06, 0x21
SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE, END_OF_TRACK = 0x51, 0x58, 0x59, 0x2F
BANK, MODULATION, DATA_ENTRY, VOLUME, PAN, EXPRESSION, FINE_BANK = 0, 1, 6, 7, 10, 11, 32
FINE_DATA_ENTRY, PEDAL, FINE_PARAMETER, PARAMETER, RESET_CONTROLLERS = 38, 64, 100, 101, 121
OTHER_PARAMETERS = (98, 99)
"""Controllers that choose a parameter of the maker, so that data no longer go to `PARAMETER`."""
NOTES_OFF = (120, 123, 124, 125, 126, 127)
"""Controllers that end all notes of a channel."""
MAX_DATA = 127
"""Largest value of a data byte."""

_KEPT_META_EVENTS = (
    *(TEXT, TRACK_NAME, INSTRUMENT_NAME, LYRIC, MARKER, PORT),
    *(SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE),
)
_KEPT_CONTROLLERS = frozenset(
    (
        *(BANK, MODULATION, DATA_ENTRY, VOLUME, PAN, EXPRESSION, FINE_BANK, FINE_DATA_ENTRY),
        *(PEDAL, FINE_PARAMETER, PARAMETER, RESET_CONTROLLERS, *OTHER_PARAMETERS, *NOTES_OFF),
    )
)
_KEPT_EXCLUSIVE_BYTES = 16
"""Longest system exclusive message that is kept: those that choose drums are shorter."""
_META_EVENT, _ESCAPE = 0xFF, 0xF7
_ONE_DATA_BYTE = (0xC0, 0xD0)  # program changes and channel pressure; other messages carry two
_CABLE_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Data bytes after a system common message; the other bytes from F4 on carry none."""
_LATE_NOTES_A_FAULT = 8
"""What follows an end mark is music if it has more notes than this for each fault."""
_STATUS = re.compile(rb"[\x80-\xff]")
_TRACK = b"MTrk"


class Repair(StrEnum):
    """A kind of fault that was stepped over; its value says so of one, and of several."""

    VALUES = (
        "One damaged value of the file was read as the highest, 127."
        "|{} damaged values of the file were read as the highest, 127."
    )
    PITCHES = (
        "One note above the highest pitch of MIDI was left out."
        "|{} notes above the highest pitch of MIDI were left out."
    )
    STRAY = (
        "One stray byte between two messages was skipped."
        "|{} stray bytes between messages were skipped."
    )
    EXCLUSIVE = (
        "One system message without an end was skipped."
        "|{} system messages without an end were skipped."
    )
    LENGTHS = (
        "The length of one track is wrong in the file; it was read to its real end."
        "|The lengths of {} tracks are wrong in the file; they were read to their real ends."
    )
    LATE = (
        "One note after the end mark of its track was kept."
        "|{} notes after the end mark of their track were kept."
    )

    def remark(self, count: int) -> str:
        """Return the sentence for the user.

        Args:
            count: how many were stepped over, 1 or more.

        Returns:
            A whole sentence.
        """
        one, several = self.value.split("|")
        return one if count == 1 else several.format(count)


class MidiMessage(NamedTuple):
    """One message that is kept."""

    tick: int
    kind: int
    """NOTE_OFF to PITCH_BEND, SYSTEM_EXCLUSIVE, or the type of a meta event. A NOTE_ON of velocity
    0 is stored as a NOTE_OFF."""
    channel: int
    """0 to 15; -1 for a meta event and a system exclusive one."""
    data: bytes
    """The data bytes, 0 to 127; of a meta or system exclusive event its content."""


class TrackReader:
    """Reads one track chunk, message by message.

    After `read`: ``messages`` without the end mark; ``tick`` of its end; ``position`` of the byte
    after it; ``event_count`` with the skipped ones; ``repairs``; ``breaks_off``.
    """

    def __init__(self, data: bytes, start: int, length: int, max_events: int) -> None:
        """Take the bytes.

        Args:
            data: the whole file.
            start: of the content of the chunk.
            length: of the content, as the chunk says; it may be wrong.
            max_events: reading stops one message after this many.
        """
        self.data, self.position, self.stated_end = data, start, start + length
        self.end = min(self.stated_end, len(data))
        self.max_events = max_events
        self.messages: list[MidiMessage] = []
        self.tick = self.event_count = self._running_status = 0
        self.repairs: Counter[Repair] = Counter()
        self.breaks_off = False
        self._is_ended = False
        self._length_fits = self.stated_end == len(data) or begins_chunk(data, self.stated_end)

    def read(self) -> None:
        """Read to the real end of the track: its end mark, or the end of its chunk."""
        self._read_messages(stop_at_end=True)
        if self._is_ended and self._is_next_track() and self.position < self.stated_end:
            self._length_fits = False
        if self._is_ended and self.position < self.end and not self._is_next_track():
            self._read_after_end_mark()
        elif not self._is_ended and not self._length_fits and self.end < len(self.data):
            self._read_after_stated_end()
        if self._is_ended:
            self.breaks_off = False
            if not self._length_fits and self.position != self.stated_end:
                self.repairs[Repair.LENGTHS] += 1
        elif not self._length_fits and self._is_next_track():
            self.repairs[Repair.LENGTHS] += 1
        elif self.stated_end > len(self.data):
            self.breaks_off = True
        if self._length_fits:
            self.position = self.stated_end

    def _read_after_end_mark(self) -> None:
        """Read what follows an end mark inside the chunk, if it is music and without a fault."""
        before, count = self._state(), len(self.messages)
        self._read_messages(stop_at_end=False)
        late = sum(each.kind == NOTE_ON for each in self.messages[count:])
        faults = self.repairs.total() - before[0].total()
        if late > _LATE_NOTES_A_FAULT * faults and not self.breaks_off:
            self.repairs[Repair.LATE] += late
        else:
            self._restore(before, count)
        self._is_ended = True

    def _read_after_stated_end(self) -> None:
        """Read beyond the stated end, if an end mark comes there before the next track."""
        before, count = self._state(), len(self.messages)
        next_track = self.data.find(_TRACK, self.end)
        self.end = next_track if next_track >= 0 else len(self.data)
        self._read_messages(stop_at_end=True)
        if not self._is_ended:
            self._restore(before, count)

    def _state(self) -> tuple[Counter[Repair], int, int, bool]:
        return self.repairs.copy(), self.tick, self.position, self.breaks_off

    def _restore(self, state: tuple[Counter[Repair], int, int, bool], count: int) -> None:
        self.repairs, self.tick, self.position, self.breaks_off = state
        del self.messages[count:]

    def _is_next_track(self) -> bool:
        return self.data.startswith(_TRACK, self.position)

    def _read_messages(self, *, stop_at_end: bool) -> None:
        """Read on to the end of the bytes, an end mark, a message cut off, or the next track."""
        self.breaks_off = False
        while self.position < self.end and self.event_count <= self.max_events:
            if not self._length_fits and self._is_next_track():
                return
            start = self.position
            self.event_count += 1
            try:
                delta = self._variable_length_quantity()
                is_end = self._read_message(self.tick + delta)
            except EOFError:
                self.position, self.breaks_off = start, True
                return
            self.tick += delta
            if is_end:
                self._is_ended = True
                if stop_at_end:
                    return

    def _read_message(self, tick: int) -> bool:
        """Read one message after its delta time; True for an end mark."""
        status = self._byte()
        if status < 0x80:
            # Running status: the message begins with its data. Real files also use it after a
            # meta event, which the standard forbids.
            self.position -= 1
            if not self._running_status:
                self._skip_to_status()
                status = self._byte()
            else:
                status = self._running_status
        if status == _META_EVENT:
            kind = self._byte()
            content = self._bytes(self._variable_length_quantity())
            if kind in _KEPT_META_EVENTS:
                self.messages.append(MidiMessage(tick, kind, -1, content))
            return kind == END_OF_TRACK
        if status in (SYSTEM_EXCLUSIVE, _ESCAPE):
            self._read_exclusive(tick, status)
        elif status > SYSTEM_EXCLUSIVE:
            self._bytes(_CABLE_DATA_BYTES.get(status, 0))
            self.repairs[Repair.STRAY] += 1
        else:
            self._running_status = status
            self._read_channel_message(tick, status)
        return False

    def _read_channel_message(self, tick: int, status: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        content = self._bytes(1 if kind in _ONE_DATA_BYTE else 2)
        if max(content) > MAX_DATA:
            if kind in (NOTE_OFF, NOTE_ON) and content[0] > MAX_DATA:
                self.repairs[Repair.PITCHES] += kind == NOTE_ON and content[1] > 0
                return
            self.repairs[Repair.VALUES] += 1
            content = bytes(min(value, MAX_DATA) for value in content)
        if kind == NOTE_ON and content[1] == 0:
            kind = NOTE_OFF
        if kind in (NOTE_OFF, NOTE_ON, PROGRAM_CHANGE, PITCH_BEND) or (
            kind == CONTROL_CHANGE and content[0] in _KEPT_CONTROLLERS
        ):
            self.messages.append(MidiMessage(tick, kind, channel, content))

    def _read_exclusive(self, tick: int, status: int) -> None:
        """Read a system exclusive message; one longer than the track ends at its own end byte."""
        length = self._variable_length_quantity()
        if self.position + length > self.end:
            found = self.data.find(bytes((_ESCAPE,)), self.position, self.end)
            if found < 0:
                raise EOFError
            self.position = found + 1
            self.repairs[Repair.EXCLUSIVE] += 1
            return
        content = self._bytes(length)
        if status == SYSTEM_EXCLUSIVE and length <= _KEPT_EXCLUSIVE_BYTES:
            self.messages.append(MidiMessage(tick, SYSTEM_EXCLUSIVE, -1, content))

    def _skip_to_status(self) -> None:
        """Skip data bytes that belong to no message."""
        found = _STATUS.search(self.data, self.position, self.end)
        if not found:
            raise EOFError
        self.repairs[Repair.STRAY] += found.start() - self.position
        self.position = found.start()

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        if self.position + count > self.end:
            raise EOFError
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
        raise EOFError


def begins_chunk(data: bytes, position: int) -> bool:
    """Whether a chunk seems to begin at a byte: a track, or a name of letters and a fitting length.

    Args:
        data: the whole file.
        position: index of the byte; it may lie beyond the end.

    Returns:
        True where the bytes look like the head of a chunk that ends inside the file.
    """
    if data.startswith(_TRACK, position):
        return True
    name = data[position : position + 4]
    length = int.from_bytes(data[position + 4 : position + 8], "big")
    return (
        position + 8 + length <= len(data)
        and len(name) == len(_TRACK)
        and name.isascii()
        and name.isalnum()
    )
