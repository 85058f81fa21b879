"""The messages of a MIDI file as strands: who plays which notes. Times are ticks.

A strand is what one player plays: a track, and of it one channel where the channels have different
programs or the file has one track for all. Channel 10 is the drums.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from mst_core.errors import TooLong, UnreadableScore
from mst_core.music import Key, Meter
from mst_core.reading.midi.messages import (
    INSTRUMENT_NAME,
    KEY_SIGNATURE,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM_CHANGE,
    SET_TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
    MidiFile,
    MidiMessage,
    MidiTrack,
    read_messages,
)
from mst_core.reading.midi.notes import MidiNote, PairedNotes, pair_notes
from mst_core.reading.parsed_score import Limits

_DRUM_CHANNEL = 9
_MAX_NAME_LENGTH = 80  # letters
_MAX_TEXT_BYTES = 4096  # bytes looked at
_PROGRAM_FAMILIES = (
    "Piano",
    "Chimes",
    "Organ",
    "Guitar",
    "Bass",
    "Strings",
    "Ensemble",
    "Brass",
    "Reed",
    "Pipe",
    "Synth lead",
    "Synth pad",
    "Synth effects",
    "Folk instrument",
    "Percussion",
    "Sound effects",
)
"""The sixteen families of General MIDI, eight programs each."""


@dataclass(frozen=True, slots=True)
class MidiPart:
    """What one player plays, in the order of onsets."""

    name: str
    """The name in the file, or that of its General MIDI family."""
    program: int | None
    """None where the file does not say."""
    drums: bool
    notes: tuple[MidiNote, ...]
    end: int
    """Where its track ends."""


@dataclass(frozen=True, slots=True)
class MidiScore:
    """A MIDI file understood as players and maps; maps are (tick, value), rising."""

    title: str
    ticks_per_quarter: int
    parts: tuple[MidiPart, ...]
    tempos: tuple[tuple[int, int], ...]
    """Microseconds a quarter."""
    meters: tuple[tuple[int, Meter], ...]
    keys: tuple[tuple[int, Key], ...]
    warnings: tuple[str, ...]


def read_midi_parts(data: bytes, limits: Limits) -> MidiScore:
    """Read a MIDI file as far as its players and its maps of tempo, meter and key.

    Raises:
        UnreadableScore, TooLong: as `read_messages`, and for meters or tempos that cannot be and
            for too many notes.
    """
    file = read_messages(data, limits)
    strands: list[MidiPart] = []
    remarks = list(file.warnings)
    _check_counts(file, limits)
    endless = empty = 0
    for track in file.tracks:
        for strand, pairing in _parts_of_track(track, file):
            strands.append(strand)
            endless += pairing.unended
            empty += pairing.zero_length
    if endless:
        remarks.append(f"Notes that never end, cut at the next note: {endless}.")
    if empty:
        remarks.append(f"Notes without length (ornaments, chord names), left out: {empty}.")
    keys = _meta_events(file, KEY_SIGNATURE)
    return MidiScore(
        title=_title(file),
        ticks_per_quarter=file.ticks_per_quarter,
        parts=tuple(strands),
        tempos=tuple(
            (tick, _parse_tempo(content)) for tick, content in _meta_events(file, SET_TEMPO)
        ),
        meters=tuple(
            (tick, _parse_meter(content)) for tick, content in _meta_events(file, TIME_SIGNATURE)
        ),
        keys=tuple((tick, key) for tick, content in keys if (key := _parse_key(content))),
        warnings=tuple(remarks),
    )


def _check_counts(file: MidiFile, limits: Limits) -> None:
    """Refuse more notes than the limit, and more meters than there may be bars.

    Raises:
        TooLong: with what there is too much of.
    """
    kinds = [message.kind for track in file.tracks for message in track.messages]
    for kind, what, most in (
        (NOTE_ON, "notes", limits.notes),
        (TIME_SIGNATURE, "meters", limits.bars),
    ):
        if kinds.count(kind) > most:
            raise TooLong(f"{kinds.count(kind)} {what}", f"{most} {what}")


def _parts_of_track(track: MidiTrack, file: MidiFile) -> list[tuple[MidiPart, PairedNotes]]:
    """The strands of one track, each with what was found in pairing its notes."""
    programs = _programs(track)
    players: defaultdict[tuple[int, int | None], list[MidiMessage]] = defaultdict(list)
    for message in track.messages:
        if message.kind in (NOTE_OFF, NOTE_ON):
            channel, drums = message.channel, message.channel == _DRUM_CHANNEL
            # In format 1 a track is one player: a guitar may have a channel for each string.
            voice = channel if file.format == 0 or drums else -1
            players[voice, programs.get(channel)].append(message)
    named = _name(track)
    several = len(players) > 1
    found: list[tuple[MidiPart, PairedNotes]] = []
    for (voice, program), messages in players.items():
        pairing = pair_notes(messages, file.ticks_per_quarter)
        if pairing.notes:
            drums = voice == _DRUM_CHANNEL
            family = "Drums" if drums else _PROGRAM_FAMILIES[(program or 0) // 8]
            name = f"{named}, {family.lower()}" if named and several else named or family
            strand = MidiPart(name, program, drums, pairing.notes, track.end)
            found.append((strand, pairing))
    return found


def _programs(track: MidiTrack) -> dict[int, int]:
    """The program of each channel at its first note; a change on the way is not followed."""
    programs: dict[int, int] = {}
    playing: set[int] = set()
    for message in track.messages:
        if message.kind == NOTE_ON:
            playing.add(message.channel)
        elif message.kind == PROGRAM_CHANGE and message.channel not in playing:
            programs[message.channel] = message.data[0]
    return programs


def _meta_events(file: MidiFile, kind: int) -> list[tuple[int, bytes]]:
    """What all tracks say of the tempo, meter or key; at one tick the last word holds."""
    found = {
        message.tick: message.data
        for track in file.tracks
        for message in track.messages
        if message.kind == kind
    }
    return sorted(found.items())


def _parse_tempo(content: bytes) -> int:
    microseconds = int.from_bytes(content, "big")
    if len(content) != 3 or microseconds == 0:
        raise UnreadableScore(
            f"the MIDI file has a tempo of {microseconds} microseconds a quarter",
            "three bytes above 0 would be read",
        )
    return microseconds


def _parse_meter(content: bytes) -> Meter:
    numerator, power = (*content[:2], 0, 0)[:2]
    if not 1 <= numerator <= 32 or power > 5:
        raise UnreadableScore(
            f"the MIDI file has a meter of {numerator}/2^{power}",
            "meters from 1/32 to 32/1 would be read, such as 4/4 or 6/8",
        )
    return Meter(numerator, 2**power)


def _parse_key(content: bytes) -> Key | None:
    """None for more signs than there are: a key is a courtesy, the pitches stand without it."""
    if len(content) != 2:
        return None
    fifths, minor = int.from_bytes(content[:1], "big", signed=True), content[1]
    if not -7 <= fifths <= 7 or minor > 1:
        return None
    return Key((fifths * 7 + 9 * minor) % 12, "minor" if minor else "major")


def _title(file: MidiFile) -> str:
    """The name of the first track, where that is the name of the piece and not of a player."""
    first = file.tracks[0]
    plays = any(message.kind == NOTE_ON for message in first.messages)
    if plays and len(file.tracks) > 1:
        return ""
    title = _first_text(first, TRACK_NAME)
    return (
        "" if title.lower() in {"melody", "track 1", "tempo", "tempo track", "unnamed"} else title
    )


def _name(track: MidiTrack) -> str:
    return _first_text(track, TRACK_NAME) or _first_text(track, INSTRUMENT_NAME)


def _first_text(track: MidiTrack, kind: int) -> str:
    """The first text of a kind, on one line; MIDI does not say in which encoding it is."""
    content = next((each.data for each in track.messages if each.kind == kind), b"")
    try:
        text = content[:_MAX_TEXT_BYTES].decode()
    except UnicodeDecodeError:
        text = content[:_MAX_TEXT_BYTES].decode("latin-1")
    text = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(text.split())[:_MAX_NAME_LENGTH]
