"""Writes a melody as a Standard MIDI File: the score, straight, on the grid, with one velocity.

MIDI has no negative time, so a pickup is padded with a rest to a full bar. Where the first note is
late in its bar a marker names the first full bar, or nobody could know a pickup from a rest. Rests
are gaps. The file ends at the final barline. Repeats are written once. Grace notes have a track of
their own, so that note i of the melody stays note i. For a file with swing and dynamics see
`mst_core.sound.performance_midi`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from io import BytesIO

from mido import Message, MetaMessage, MidiFile, MidiTrack

from mst_core.music import (
    FIRST_BAR_MARKER,
    MIDI_TICKS_PER_QUARTER,
    ControlEvent,
    Key,
    Melody,
    Meter,
    Part,
    PartNote,
)
from mst_core.notation.metrical_grid import exact_ticks

VELOCITY = 80
"""Velocity of every note of the melody."""
MELODY_TRACK_NAME = "melody"
"""Name of the melody's track in a file that has others."""
GRACE_NOTES = "grace notes"
"""End of the name of the track with the melody's ornaments."""
GRACE_NOTE_S = 0.06
"""Seconds of a grace note; they end where their note begins."""
_CLOCKS_PER_QUARTER = 24
DRUM_CHANNEL = 9
"""Channel of drums in General MIDI, counted from 0."""
PART_CHANNELS = tuple(channel for channel in range(1, 16) if channel != DRUM_CHANNEL)
"""Channels of accompanying parts with pitches; the melody has channel 0."""
_SLOWEST_TEMPO = 2**24 - 1  # microseconds per quarter note
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = (
    *("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m"),
    *("D#m", "A#m"),
)


def write_midi(
    melody: Melody,
    *,
    program: int,
    title: str = "",
    parts: Sequence[Part] = (),
    controls: Sequence[ControlEvent] = (),
) -> bytes:
    """Write a file with 480 ticks per quarter note.

    Without parts the file is of format 0. With parts it is of format 1: the first track has title,
    tempo, meter and key, the second is called ``melody``, and each part has a track of its own.
    Grace notes count as a part.

    Args:
        melody: the melody, on the grid of ticks.
        program: General MIDI program of the melody, 0 to 127.
        title: name of the first track.
        parts: accompanying parts; their times are rounded to ticks.
        controls: programs, controllers and bends of the melody.

    Returns:
        The bytes of the file.

    Raises:
        UnwritableRhythm: when a note of the melody begins or ends between two ticks.
    """
    earliest = min([-melody.pickup, *(note.onset for part in parts for note in part.notes)])
    if melody.grace_notes:
        parts = [_grace_part(melody, program), *parts]
    padding = -(min(earliest, Fraction(0)) // melody.meter.bar_length) * melody.meter.bar_length
    lead = [
        MetaMessage("track_name", name=" ".join(title.split()) or "Melody"),
        *_tempo_events(melody, padding),
        *_meter_events(melody, padding),
        *_key_events(melody, padding),
        *_first_bar_marker(melody, padding),
    ]
    line = [
        Message("program_change", program=program),
        *(control_message(event, 0, _tick(event.onset + padding)) for event in controls),
        *_note_events(melody, padding),
    ]
    end = exact_ticks(melody.length + padding, MIDI_TICKS_PER_QUARTER, melody)
    tracks = [build_track([*lead, *line], end)]
    if parts:
        name = MetaMessage("track_name", name=MELODY_TRACK_NAME)
        tracks = [build_track(lead, end), build_track([name, *line], end)]
        n_pitched = 0
        for part in parts:
            tracks.append(build_track(_part_events(part, padding, n_pitched), end))
            n_pitched += not part.drums
    file = BytesIO()
    MidiFile(
        type=1 if parts else 0,
        ticks_per_beat=MIDI_TICKS_PER_QUARTER,
        charset="utf-8",
        tracks=tracks,
    ).save(file=file)
    return file.getvalue()


def build_track(events: Iterable[Message | MetaMessage], end: int = 0) -> MidiTrack:
    """Return a track of messages with delta times.

    Args:
        events: the messages in any order, each with its time in ticks from the beginning of the
            file; at the same tick, notes end before others begin.
        end: tick of the end of the track; it is never before the last message.

    Returns:
        The track, with its end message.
    """
    track = MidiTrack()
    now = 0
    for message in sorted(events, key=lambda each: (each.time, _order_in_tick(each))):
        track.append(message.copy(time=message.time - now))
        now = message.time
    track.append(MetaMessage("end_of_track", time=max(0, end - now)))
    return track


def _order_in_tick(message: Message | MetaMessage) -> int:
    """Return the rank of a message among those at the same tick."""
    return {"note_off": 0, "note_on": 2}.get(message.type, 1)


def _tempo_events(melody: Melody, padding: Fraction) -> Iterator[Message | MetaMessage]:
    """Yield the tempo map of the melody."""
    changes = melody.tempo_changes
    by_tick = {0: changes[0].tempo if changes else melody.tempo}
    for change in changes:
        by_tick[max(0, round((change.onset + padding) * MIDI_TICKS_PER_QUARTER))] = change.tempo
    for tick, tempo in by_tick.items():
        microseconds = min(_SLOWEST_TEMPO, round(60_000_000 / tempo))
        yield MetaMessage("set_tempo", tempo=microseconds, time=tick)


def _meter_events(melody: Melody, padding: Fraction) -> Iterator[Message | MetaMessage]:
    """Yield the meter of the melody and its changes."""
    if padding or not melody.meter_changes or melody.meter_changes[0].bar > 0:
        yield _time_signature(melody.meter)
    lines = melody.barlines
    for change in melody.meter_changes:
        tick = exact_ticks(lines[change.bar] + padding, MIDI_TICKS_PER_QUARTER, melody)
        yield _time_signature(change.meter, tick)


def _first_bar_marker(melody: Melody, padding: Fraction) -> Iterator[MetaMessage]:
    """Yield the marker of the first full bar where the first note is a beat or more late."""
    if melody.notes and (padding or melody.notes[0].onset >= melody.meter.beat_length):
        yield MetaMessage("marker", text=FIRST_BAR_MARKER, time=_tick(padding))


def _time_signature(meter: Meter, tick: int = 0) -> MetaMessage:
    """Return the message of a meter that begins at a tick."""
    return MetaMessage(
        "time_signature",
        numerator=meter.numerator,
        denominator=meter.denominator,
        clocks_per_click=int(meter.beat_length * _CLOCKS_PER_QUARTER),
        time=tick,
    )


def _note_events(melody: Melody, padding: Fraction) -> Iterator[Message | MetaMessage]:
    """Yield the starts and ends of the melody's notes."""
    for note in melody.notes:
        onset = exact_ticks(note.onset + padding, MIDI_TICKS_PER_QUARTER, melody)
        end = exact_ticks(note.end + padding, MIDI_TICKS_PER_QUARTER, melody)
        yield Message("note_on", note=note.pitch, velocity=VELOCITY, time=onset)
        yield Message("note_off", note=note.pitch, velocity=0, time=end)


def part_channel(number: int, drums: bool) -> tuple[int, int]:
    """Return the MIDI port and the channel of an accompanying part.

    Args:
        number: its index among the parts with pitches; with more parts than channels, the next port
            is used.
        drums: whether it is a drum part; all of them share a channel.
    """
    if drums:
        return 0, DRUM_CHANNEL
    port, index = divmod(number, len(PART_CHANNELS))
    return port, PART_CHANNELS[index]


def control_message(event: ControlEvent, channel: int, tick: int) -> Message:
    """Return a program change, a controller or a bend as a message.

    Args:
        event: what changes; its onset is not used.
        channel: counted from 0.
        tick: time of the message.
    """
    match event.kind:
        case "program":
            return Message("program_change", channel=channel, program=event.number, time=tick)
        case "control":
            return Message(
                "control_change",
                channel=channel,
                control=event.number,
                value=event.value,
                time=tick,
            )
        case "bend":
            return Message("pitchwheel", channel=channel, pitch=event.value, time=tick)


def _grace_part(melody: Melody, program: int) -> Part:
    """Return the grace notes as a part: short notes that end where the note after them begins."""
    notes: list[PartNote] = []
    changes = melody.tempo_changes
    for grace in melody.grace_notes:
        if grace.note >= len(melody.notes):
            continue
        onset = melody.notes[grace.note].onset
        at = bisect_right(changes, onset, key=lambda change: change.onset) - 1
        tempo = changes[max(0, at)].tempo if changes else melody.tempo
        step = Fraction(GRACE_NOTE_S * tempo / 60).limit_denominator(MIDI_TICKS_PER_QUARTER)
        if grace.note:
            room = onset - melody.notes[grace.note - 1].onset
            step = min(step, room / (2 * max(1, len(grace.pitches))))
        start = onset - step * len(grace.pitches)
        notes += [
            PartNote(start + index * step, step, pitch, VELOCITY)
            for index, pitch in enumerate(grace.pitches)
        ]
    return Part(f"{MELODY_TRACK_NAME}, {GRACE_NOTES}", program, drums=False, notes=tuple(notes))


def _part_events(part: Part, padding: Fraction, number: int) -> Iterator[Message | MetaMessage]:
    """Yield the messages of an accompanying part, ``number`` being its index for `part_channel`."""
    port, channel = part_channel(number, part.drums)
    yield MetaMessage("track_name", name=part.name)
    if port:
        yield MetaMessage("midi_port", port=port)
    yield Message("program_change", channel=channel, program=part.program)
    for event in part.controls:
        yield control_message(event, channel, _tick(event.onset + padding))
    for note in part.notes:
        onset = _tick(note.onset + padding)
        end = max(onset + 1, _tick(note.onset + note.duration + padding))
        yield Message(
            "note_on", channel=channel, note=note.pitch, velocity=note.velocity, time=onset
        )
        yield Message("note_off", channel=channel, note=note.pitch, velocity=0, time=end)


def _tick(time: Fraction) -> int:
    """Return the tick nearest to a time from the beginning of the file, at least 0."""
    return max(0, round(time * MIDI_TICKS_PER_QUARTER))


def _key_events(melody: Melody, padding: Fraction) -> Iterator[MetaMessage]:
    """Yield the key of the melody and its changes."""
    lines = melody.barlines
    if padding or not melody.key_changes or melody.key_changes[0].bar > 0:
        yield MetaMessage("key_signature", key=_key_name(melody.key))
    for change in melody.key_changes:
        tick = _tick(lines[change.bar] + padding)
        yield MetaMessage("key_signature", key=_key_name(change.key), time=tick)


def _key_name(key: Key) -> str:
    """Return the major or minor key with the same signature; MIDI has no other modes."""
    return (_MINOR if key.is_minor else _MAJOR)[key.fifths + 7]
