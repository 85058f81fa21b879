"""Divides the messages of a MIDI file into parts, one for each player. Times are ticks.

A part is a track; or one channel of a track, where the channels have different programs or the
file has a single track for all. Channel 10 is the drums, and what the file makes drums.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mst_core.errors import TooLong
from mst_core.music import FIRST_BAR_MARKER, Key, Meter
from mst_core.reading.midi.channels import DRUM_CHANNEL, Channels, MidiControl
from mst_core.reading.midi.chunks import MidiFile, read_messages
from mst_core.reading.midi.general_midi import INSTRUMENTS, PERCUSSION_PROGRAMS
from mst_core.reading.midi.messages import (
    CONTROL_CHANGE,
    KEY_SIGNATURE,
    MARKER,
    NOTE_OFF,
    NOTE_ON,
    NOTES_OFF,
    SET_TEMPO,
    TIME_SIGNATURE,
    MidiMessage,
)
from mst_core.reading.midi.names import encoding_of, find_title, name_of_track
from mst_core.reading.midi.notes import MidiNote, pair_notes
from mst_core.reading.midi.syllables import find_syllables
from mst_core.reading.parsed_score import Limits

_DRUMS_NAME = re.compile(
    r"(?i)(?<!steel )(?<!steel)\b(drums?|drum ?(kit|set|track)|percussions?|perc|schlagzeug"
    r"|batter(ie|[ií]a)|snare|kick|hi-?hats?|cymbals?)\b|ドラム|鼓|드럼|ударн"
)
_KIT_PITCHES = range(27, 88)
"""Pitches that name the sounds of a kit, by General MIDI level 2."""
_USUAL_KIT = range(35, 60)
"""Those that half of the notes of any drummer have: drums, hi-hats, cymbals."""
_MIN_TURNS = 3
"""Channels of one player, at least."""
_MAX_TOGETHER = 0.1
"""Share of onsets at which several channels of one player begin notes."""
_THINNINGS = 8
"""How often the window of controllers is widened, fourfold each time."""
_FINEST_WINDOW = 64
"""The first such window is a quarter divided by this."""
_TEMPO_RANGE = (5.0, 1_000.0)
"""Quarters a minute that are believed."""


@dataclass(frozen=True, slots=True)
class MidiPart:
    """The notes of one player."""

    name: str
    """From the file, or that of the General MIDI family."""
    program: int | None
    """General MIDI program, 0 to 127; None where the file names none."""
    drums: bool
    notes: tuple[MidiNote, ...]
    """One or more, in order."""
    unended: int
    """How many of them have no end in the file."""
    zero_length: int
    """How many more were left out because they have no length."""
    end: int
    """Tick of the end of its track."""
    track: int = 0
    """Index of its track in the file."""
    channel: int = 0
    """0 to 15: that of most of its notes."""
    own_name: str = ""
    """Its name in the file; empty where it has none, or the name is that of the whole file."""
    controls: tuple[MidiControl, ...] = ()
    """Programs after the first, controllers and bends, rising by tick."""


@dataclass(frozen=True, slots=True)
class MidiScore:
    """The parts of a MIDI file, and its changes as (tick, value), increasing by tick."""

    title: str
    ticks_per_quarter: int
    parts: tuple[MidiPart, ...]
    tempos: tuple[tuple[int, int], ...]
    """Microseconds per quarter."""
    meters: tuple[tuple[int, Meter], ...]
    keys: tuple[tuple[int, Key], ...]
    warnings: tuple[str, ...]
    syllables: tuple[tuple[int, int], ...] = ()
    """(tick, index of the track that holds it) of each sung syllable, rising by tick."""
    first_bar: int | None = None
    """Tick of the first full bar, where a marker names it."""


def read_midi_parts(data: bytes, limits: Limits) -> MidiScore:
    """Read the parts of a MIDI file and its changes of tempo, meter and key.

    Args:
        data: the whole file.
        limits: for bytes, tracks, messages, notes and meter changes.

    Returns:
        Parts with at least one note each; there may be none.

    Raises:
        UnreadableScore: when the bytes are no MIDI file, or hold no note before they break off.
        TooLong: beyond the limits.
    """
    file = read_messages(data, limits)
    _check_counts(file, limits)
    encoding = encoding_of(file)
    parts = _find_parts(file, encoding, limits)
    warnings = list(file.warnings)
    warnings.extend(_part_warnings(parts))
    tempos = [(tick, _parse_tempo(data)) for tick, data in _meta_events(file, SET_TEMPO)]
    meters = [(tick, _parse_meter(data)) for tick, data in _meta_events(file, TIME_SIGNATURE)]
    warnings.extend(_ignored("tempo", [tempo for _, tempo in tempos]))
    warnings.extend(_ignored("meter", [meter for _, meter in meters]))
    keys = _meta_events(file, KEY_SIGNATURE)
    return MidiScore(
        title=find_title(file, encoding),
        ticks_per_quarter=file.ticks_per_quarter,
        parts=tuple(parts),
        tempos=tuple((tick, tempo) for tick, tempo in tempos if tempo),
        meters=tuple((tick, meter) for tick, meter in meters if meter),
        keys=tuple((tick, key) for tick, content in keys if (key := _parse_key(content))),
        warnings=tuple(warnings),
        syllables=find_syllables(file),
        first_bar=next(
            (
                tick
                for tick, text in _meta_events(file, MARKER)
                if text == FIRST_BAR_MARKER.encode()
            ),
            None,
        ),
    )


def _part_warnings(parts: Sequence[MidiPart]) -> Iterator[str]:
    """Remarks about notes whose lengths are missing, and about percussion found by its name."""
    if unended := sum(part.unended for part in parts):
        what = "One note that never ends was" if unended == 1 else f"{unended} endless notes were"
        yield f"{what} cut at the next note."
    if zero := sum(part.zero_length for part in parts):
        what = "One note without length was" if zero == 1 else f"{zero} notes without length were"
        yield f"{what} left out (an ornament or the name of a chord)."
    for part in parts:
        if part.drums and part.channel != DRUM_CHANNEL and _is_named_drums(part):
            yield f"The part named {part.own_name} was taken as drums."


def _is_named_drums(part: MidiPart) -> bool:
    """Whether a part that chooses no instrument is percussion by its own name and its pitches."""
    return (
        not part.program
        and bool(_DRUMS_NAME.search(part.own_name))
        and all(note.pitch in _KIT_PITCHES for note in part.notes)
        and 2 * sum(note.pitch in _USUAL_KIT for note in part.notes) >= len(part.notes)
    )


def _check_counts(file: MidiFile, limits: Limits) -> None:
    """Raise TooLong for more notes than the limit, or more meters than there may be bars."""
    kinds = [message.kind for track in file.tracks for message in track]
    for kind, what, most in (
        (NOTE_ON, "notes", limits.notes),
        (TIME_SIGNATURE, "meters", limits.bars),
    ):
        if kinds.count(kind) > most:
            raise TooLong(f"{kinds.count(kind)} {what}", f"{most} {what}")


def _find_parts(file: MidiFile, encoding: str, limits: Limits) -> list[MidiPart]:
    """The parts of all tracks, their controllers thinned out until they are within the limits."""
    channels = Channels(file)
    playing = [any(each.kind == NOTE_ON for each in track) for track in file.tracks]
    parts: list[MidiPart] = []
    for index, track in enumerate(file.tracks):
        if playing[index]:
            alone = file.format == 0 or sum(playing) == 1
            parts.extend(_parts_of_track(index, track, file, channels, encoding, alone=alone))
    same = Counter(part.name for part in parts if part.own_name)
    for place, part in enumerate(parts):
        same[part.name] += not part.own_name
        if not part.own_name and same[part.name] > 1:
            parts[place] = replace(part, name=f"{part.name} {same[part.name]}")
    if len(parts) > 1:
        parts = [replace(each, drums=each.drums or _is_named_drums(each)) for each in parts]
    most = limits.controls // 3  # the melody, its lower notes and its ornaments share theirs
    window = 1
    for _ in range(_THINNINGS):
        controls = [_controls(part, channels, window) for part in parts]
        if sum(map(len, controls)) <= most:
            break
        window = max(4 * window, file.ticks_per_quarter // _FINEST_WINDOW)
    share = most // max(1, len(parts))
    if sum(map(len, controls if parts else ())) > most:
        controls = [each[:share] for each in controls]
    return [replace(part, controls=found) for part, found in zip(parts, controls, strict=True)]


def _controls(part: MidiPart, channels: Channels, window: int) -> tuple[MidiControl, ...]:
    span = part.notes[0].onset, max(note.end for note in part.notes)
    return channels.controls(part.track, part.channel, span, drums=part.drums, window=window)


def _parts_of_track(
    index: int,
    track: Sequence[MidiMessage],
    file: MidiFile,
    channels: Channels,
    encoding: str,
    *,
    alone: bool,
) -> list[MidiPart]:
    """The parts of one track; ``alone``: no other track has notes."""
    starts: dict[int, int] = {}
    for message in track:
        if message.kind == NOTE_ON:
            starts.setdefault(message.channel, message.tick)
    programs = {
        each: channels.program(index, each, tick, file.ticks_per_quarter)
        for each, tick in starts.items()
    }
    drums = {each: channels.is_drums(index, each, tick) for each, tick in starts.items()}
    # In format 1 a track is one player: a guitar may have a channel for each string. A single
    # track with several instruments is a whole band.
    is_band = alone and (
        (file.format == 0 and not _is_one_player(track, programs, drums))
        or len(set(programs.values())) + any(drums.values()) > 1
    )
    players: defaultdict[tuple[int, int | None, bool], list[MidiMessage]] = defaultdict(list)
    for message in _on_offs(track):
        if message.channel in starts:
            channel = message.channel
            part_channel = channel if is_band or drums[channel] else -1
            players[part_channel, programs[channel], drums[channel]].append(message)
    track_name = name_of_track(track, encoding)
    parts: list[MidiPart] = []
    for (_, program, is_drums), messages in players.items():
        is_percussion = is_drums or (program is not None and program in PERCUSSION_PROGRAMS)
        notes, unended, zero_length = pair_notes(
            messages, file.ticks_per_quarter, is_percussion=is_percussion
        )
        if notes:
            instrument = "Drums" if is_drums else INSTRUMENTS[program or 0]
            name = track_name or instrument
            if len(players) > 1 and is_band:  # the name of the track is that of the piece
                name = instrument
            elif len(players) > 1 and track_name:
                name = f"{track_name}, {instrument.lower()}"
            part_channels = Counter(each.channel for each in messages if each.kind == NOTE_ON)
            parts.append(
                MidiPart(
                    name,
                    program,
                    is_drums,
                    notes,
                    unended,
                    zero_length,
                    end=track[-1].tick,
                    track=index,
                    channel=part_channels.most_common(1)[0][0],
                    own_name="" if len(players) > 1 and is_band else track_name,
                )
            )
    return parts


def _on_offs(track: Sequence[MidiMessage]) -> Iterator[MidiMessage]:
    """Yield the beginnings and ends of notes; "all notes off" ends each note that sounds."""
    sounding: defaultdict[int, Counter[int]] = defaultdict(Counter)  # by channel and pitch
    ended: Counter[tuple[int, int]] = Counter()
    for message in track:
        channel = message.channel
        if message.kind == NOTE_ON:
            sounding[channel][message.data[0]] += 1
            ended[channel, message.data[0]] = 0
            yield message
        elif message.kind == NOTE_OFF:
            pitch = message.data[0]
            if ended[channel, pitch] and not sounding[channel][pitch]:
                ended[channel, pitch] -= 1  # its own end comes after all notes have ended
                continue
            if sounding[channel][pitch]:
                sounding[channel][pitch] -= 1
            yield message
        elif message.kind == CONTROL_CHANGE and message.data[0] in NOTES_OFF:
            for pitch, count in sounding.pop(channel, Counter()).items():
                ended[channel, pitch] += count
                for _ in range(count):
                    yield MidiMessage(message.tick, NOTE_OFF, channel, bytes((pitch, 0)))


def _is_one_player(
    track: Sequence[MidiMessage], programs: dict[int, int | None], drums: dict[int, bool]
) -> bool:
    """Whether several channels are one player, as of a guitar's strings or of MPE.

    They share an instrument, and take turns: players of a band mostly begin notes together.
    """
    if len(programs) < _MIN_TURNS or len(set(programs.values())) > 1 or any(drums.values()):
        return False
    channels: defaultdict[int, set[int]] = defaultdict(set)
    for message in track:
        if message.kind == NOTE_ON:
            channels[message.tick].add(message.channel)
    together = sum(len(each) > 1 for each in channels.values())
    return together < _MAX_TOGETHER * len(channels)


def _meta_events(file: MidiFile, kind: int) -> list[tuple[int, bytes]]:
    """(tick, content) of the meta events of a kind in all tracks; of one tick the last."""
    found = {
        message.tick: message.data
        for track in file.tracks
        for message in track
        if message.kind == kind
    }
    return sorted(found.items())


def _ignored(name: str, values: Sequence[object]) -> Iterator[str]:
    """A warning about the values that are None because they make no sense."""
    if count := sum(value is None for value in values):
        what = f"An impossible {name} was" if count == 1 else f"{count} impossible {name}s were"
        yield f"{what} ignored."


def _parse_tempo(content: bytes) -> int | None:
    """Microseconds per quarter; None for a tempo that nobody plays."""
    microseconds = int.from_bytes(content[:3], "big")
    slowest, fastest = (60_000_000 / tempo for tempo in _TEMPO_RANGE)
    return microseconds if len(content) >= 3 and fastest <= microseconds <= slowest else None


def _parse_meter(content: bytes) -> Meter | None:
    """A meter from its numerator and the power of two of its denominator; None for another."""
    numerator, power = (*content[:2], 0, 0)[:2]
    return Meter(numerator, 2**power) if 1 <= numerator <= 32 and power <= 5 else None


def _parse_key(content: bytes) -> Key | None:
    """The key of a signature; None for an impossible one, since the pitches do not need it."""
    if len(content) != 2:
        return None
    fifths, minor = int.from_bytes(content[:1], "big", signed=True), content[1]
    if not -7 <= fifths <= 7 or minor > 1:
        return None
    return Key.from_fifths(fifths, "minor" if minor else "major")
