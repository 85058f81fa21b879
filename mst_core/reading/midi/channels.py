"""Follows the channels of a MIDI file: programs, controllers, bends, and which of them are drums.

A channel belongs to the whole file: in format 1 a set-up track may choose the instruments of all
others. A track's own messages come first; those of other tracks count for what it does not set
itself. What changes nothing is left out. Times are ticks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Literal

from mst_core.reading.midi.chunks import MidiFile
from mst_core.reading.midi.messages import (
    BANK,
    CONTROL_CHANGE,
    DATA_ENTRY,
    EXPRESSION,
    FINE_BANK,
    FINE_DATA_ENTRY,
    FINE_PARAMETER,
    MODULATION,
    NOTES_OFF,
    OTHER_PARAMETERS,
    PAN,
    PARAMETER,
    PEDAL,
    PITCH_BEND,
    PORT,
    PROGRAM_CHANGE,
    RESET_CONTROLLERS,
    SYSTEM_EXCLUSIVE,
    VOLUME,
    MidiMessage,
)

MidiControl = tuple[int, Literal["program", "control", "bend"], int, int]
"""Tick; kind, number and value as those of a `mst_core.music.ControlEvent`."""
_Key = tuple[str, int]  # kind and number of a control

DRUM_CHANNEL, _LAST_CHANNEL = 9, 15  # counted from 0
_DRUM_BANKS = {"XG": (126, 127), "GM2": (120,)}
"""Banks (controller 0) that make a channel drums, once the file has switched to the system."""
_DOWN = 64
"""From this value on a pedal is down; how far, changes nothing for a player of General MIDI."""
_BEND_CENTER = 0x2000
_NEUTRAL = {
    ("control", MODULATION): 0,
    ("control", PEDAL): 0,
    ("control", BANK): 0,
    ("control", FINE_BANK): 0,
    ("control", EXPRESSION): 127,
    ("bend", 0): 0,
}
"""What a channel has before any message, where all players agree."""
_STATED_AT_START = (("control", VOLUME), ("control", PAN), ("control", EXPRESSION))
"""What is stated at the beginning of a part wherever the file does, neutral or not."""
_RESET = {EXPRESSION: 127, MODULATION: 0, PEDAL: 0}
_START_ORDER = (PARAMETER, FINE_PARAMETER, DATA_ENTRY, FINE_DATA_ENTRY, BANK, FINE_BANK)
"""Controllers that must come first, in this order: the range of bends, the bank of the program."""
_SHARED_EVENTS = 3_000
"""Messages of a channel that other tracks than their own may use; bounds the work."""


class Channels:
    """The messages of all channels that are no notes, for one file."""

    def __init__(self, file: MidiFile) -> None:
        """Sort the messages.

        Args:
            file: the whole file.
        """
        self._ports = [_port(track) for track in file.tracks]
        events: defaultdict[tuple[int, int], list[tuple[int, int, _Key, int]]] = defaultdict(list)
        self._own: defaultdict[tuple[int, int], list[tuple[int, int, _Key, int]]]
        self._own = defaultdict(list)
        exclusive: list[tuple[int, bytes]] = []
        for index, track in enumerate(file.tracks):
            for message in track:
                if message.kind == SYSTEM_EXCLUSIVE:
                    exclusive.append((message.tick, message.data))
                elif (found := _control(message)) is not None:
                    event = (message.tick, index, *found)
                    events[self._ports[index], message.channel].append(event)
                    self._own[index, message.channel].append(event)
        self._shared = {
            channel: sorted(found, key=itemgetter(0))[:_SHARED_EVENTS]
            for channel, found in events.items()
        }
        self._systems = _systems(exclusive)
        self._drum_switches = _drum_switches(exclusive)

    def program(self, track: int, channel: int, tick: int, patience: int = 0) -> int | None:
        """Return the program of a channel at a time.

        Args:
            track: index of the track that plays.
            channel: 0 to 15.
            tick: the time; messages at this tick count.
            patience: ticks for which a first program may come late, as programs write it.

        Returns:
            0 to 127; None where none was chosen.
        """
        chosen = [
            (time, value) for time, _, key, value in self._of(track, channel)
            if key == ("program", 0) and time <= tick + patience
        ]  # fmt: skip
        before = [value for time, value in chosen if time <= tick]
        return before[-1] if before else chosen[0][1] if chosen else None

    def is_drums(self, track: int, channel: int, tick: int) -> bool:
        """Return whether a channel plays drums at a time: channel 10, or what the file says.

        Args:
            track: index of the track that plays.
            channel: 0 to 15.
            tick: the time; messages at this tick count.

        Returns:
            True where its pitches name the drums of a kit.
        """
        switches = [on for time, on in self._drum_switches.get(channel, ()) if time <= tick]
        if switches:
            return switches[-1]
        if channel == DRUM_CHANNEL:
            return True
        bank = self._value(track, channel, tick, ("control", BANK))
        return any(bank in _DRUM_BANKS[system] for system in self._systems)

    def controls(
        self, track: int, channel: int, span: tuple[int, int], *, drums: bool, window: int
    ) -> tuple[MidiControl, ...]:
        """Return what a player does besides notes, without what changes nothing.

        Args:
            track: index of the track that plays.
            channel: 0 to 15.
            span: first and last tick of its notes; what was set before the first stands there.
            drums: whether it plays drums, which have kits but no banks.
            window: ticks in which only the last value of each kind is kept; at least 1.

        Returns:
            Rising by tick. The first program is not in it, but where a bank goes with it.
        """
        first, last = span
        state: dict[_Key, int] = {}
        events: list[tuple[int, _Key, int]] = []
        for tick, _, key, value in _plain(self._of(track, channel)):
            if drums and key in (("control", BANK), ("control", FINE_BANK)):
                continue
            if tick <= first:
                state[key] = value
            elif tick <= last:
                events.append((tick, key, value))
        start = [(first, key, value) for key, value in _stated_at_start(state)]
        return tuple(
            (tick, kind, value, 0) if kind == "program" else (tick, kind, number, value)
            for tick, kind, number, value in _changes(start, events, state, window)
        )

    def _of(self, track: int, channel: int) -> list[tuple[int, int, _Key, int]]:
        """The messages of a channel for one track: its own, and others until it has its own."""
        own = self._own.get((track, channel), [])
        first_own: dict[object, int] = {}
        for tick, _, key, _ in own:
            first_own.setdefault(_family(key), tick)
        others = [
            event
            for event in self._shared.get((self._ports[track], channel), ())
            if event[1] != track
            and ((before := first_own.get(_family(event[2]))) is None or event[0] < before)
        ]
        return sorted((*others, *own), key=itemgetter(0))

    def _value(self, track: int, channel: int, tick: int, key: _Key) -> int | None:
        """The last value of a kind up to a time."""
        found = [
            value for time, _, each, value in self._of(track, channel) if each == key
            if time <= tick
        ]  # fmt: skip
        return found[-1] if found else None


def _port(track: Sequence[MidiMessage]) -> int:
    """The port of a track; channels of several ports are not the same."""
    return next((each.data[0] for each in track if each.kind == PORT and each.data), 0)


def _control(message: MidiMessage) -> tuple[_Key, int] | None:
    """Kind, number and value of a message that is no note."""
    if message.kind == PROGRAM_CHANGE:
        return ("program", 0), message.data[0]
    if message.kind == PITCH_BEND:
        low, high = message.data
        return ("bend", 0), (high << 7 | low) - _BEND_CENTER
    if message.kind == CONTROL_CHANGE:
        number, value = message.data
        return None if number in NOTES_OFF else (("control", number), value)
    return None


def _family(key: _Key) -> object:
    """What must come from one track: a parameter is set by several controllers together."""
    is_parameter = key[0] == "control" and key[1] in (
        *(PARAMETER, FINE_PARAMETER, DATA_ENTRY, FINE_DATA_ENTRY),
        *OTHER_PARAMETERS,
    )
    return "parameter" if is_parameter else key


def _plain(
    events: Iterable[tuple[int, int, _Key, int]],
) -> Iterator[tuple[int, int, _Key, int]]:
    """Replace resets by what they set; of the parameters keep the range of bends."""
    parameter = [127, 127]
    seen: set[_Key] = set()
    for tick, track, key, value in events:
        kind, number = key
        if kind != "control":
            seen.add(key)
            yield tick, track, key, value
        elif number == PARAMETER:
            parameter[0] = value
        elif number == FINE_PARAMETER:
            parameter[1] = value
        elif number in OTHER_PARAMETERS:
            parameter = [127, 127]
        elif number in (DATA_ENTRY, FINE_DATA_ENTRY):
            if parameter == [0, 0]:
                yield tick, track, ("control", PARAMETER), 0
                yield tick, track, ("control", FINE_PARAMETER), 0
                yield tick, track, key, value
        elif number == RESET_CONTROLLERS:
            for each, neutral in _RESET.items():
                if ("control", each) in seen:
                    yield tick, track, ("control", each), neutral
            if ("bend", 0) in seen:
                yield tick, track, ("bend", 0), 0
        else:
            seen.add(key)
            yield tick, track, key, value


def _stated_at_start(state: dict[_Key, int]) -> Iterator[tuple[_Key, int]]:
    """What must be said where a part begins, in the order in which it works."""

    def rank(key: _Key) -> tuple[int, int]:
        kind, number = key
        if kind == "control" and number in _START_ORDER:
            return _START_ORDER.index(number), number
        return len(_START_ORDER) + (kind != "program"), number

    has_bank = any(state.get(("control", number)) for number in (BANK, FINE_BANK))
    for key in sorted(state, key=rank):
        is_stated = key in _STATED_AT_START or state[key] != _NEUTRAL.get(key)
        if is_stated and (key[0] != "program" or has_bank):
            yield key, state[key]


def _changes(
    start: list[tuple[int, _Key, int]],
    events: list[tuple[int, _Key, int]],
    state: dict[_Key, int],
    window: int,
) -> list[tuple[int, Literal["program", "control", "bend"], int, int]]:
    """The start, and the later events that change a value; of a window the last of each kind."""
    kept = list(start)
    places = {key: place for place, (_, key, _) in enumerate(kept)}
    state = dict(state)
    bank_changed = False
    for tick, key, value in events:
        kind, number = key
        is_bank = kind == "control" and number in (BANK, FINE_BANK)
        before = state.get(key, _NEUTRAL.get(key))
        is_same = before == value or (
            key == ("control", PEDAL) and (before or 0) // _DOWN == value // _DOWN
        )
        if is_same and not (kind == "program" and bank_changed):
            continue
        state[key] = value
        bank_changed = is_bank or (bank_changed and kind != "program")
        place = places.get(key)
        if place is not None and place >= len(start) and tick - kept[place][0] < window:
            kept[place] = (kept[place][0], key, value)
        else:
            places[key] = len(kept)
            kept.append((tick, key, value))
    return [(tick, kind, number, value) for tick, (kind, number), value in kept]  # type: ignore[misc]


def _systems(exclusive: Iterable[tuple[int, bytes]]) -> frozenset[str]:
    """The systems with drum banks that a file switches to."""
    found = set()
    for _, content in exclusive:
        if content[:1] == b"\x43" and content[2:7] == b"\x4c\0\0\x7e\0":
            found.add("XG")
        elif content[:1] == b"\x7e" and content[2:4] == b"\x09\x03":
            found.add("GM2")
    return frozenset(found)


def _drum_switches(exclusive: Iterable[tuple[int, bytes]]) -> dict[int, list[tuple[int, bool]]]:
    """(tick, whether drums) for the channels that messages of GS and XG switch."""
    switches: defaultdict[int, list[tuple[int, bool]]] = defaultdict(list)
    for tick, content in sorted(exclusive, key=itemgetter(0)):
        if content[:1] == b"\x41" and content[2:5] == b"\x42\x12\x40" and content[6:7] == b"\x15":
            block = content[5] & 0x0F  # 0 is channel 10; 1 to 9 precede it, 10 to 15 follow
            if content[5] >> 4 == 1 and len(content) > 7:
                channel = DRUM_CHANNEL if block == 0 else block - (block <= DRUM_CHANNEL)
                switches[channel].append((tick, content[7] > 0))
        elif (
            content[:1] == b"\x43"
            and content[2:4] == b"\x4c\x08"
            and content[5:6] == b"\x07"
            and len(content) > 6
            and content[4] <= _LAST_CHANNEL
        ):
            switches[content[4]].append((tick, content[6] > 0))
    return dict(switches)
