"""Writes a melody as a Standard MIDI File: the score, straight, on the grid, with one velocity.

MIDI has no negative time, so a pickup is padded with a rest to a full bar. Rests are gaps. The file
ends at the final barline. Repeats are written once. For a file with swing and dynamics see
`mst_core.sound.performance_midi`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from io import BytesIO

from mido import Message, MetaMessage, MidiFile, MidiTrack

from mst_core.music import MIDI_TICKS_PER_QUARTER, Key, Melody, Meter, Part
from mst_core.notation.metrical_grid import exact_ticks

VELOCITY = 80
"""Velocity of every note of the melody."""
MELODY_TRACK_NAME = "melody"
"""Name of the melody's track in a file that has others."""
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
) -> bytes:
    """Write a file with 480 ticks per quarter note.

    Without parts the file is of format 0. With parts it is of format 1: the first track has title,
    tempo, meter and key, the second is called ``melody``, and each part has a track of its own.

    Args:
        melody: the melody, on the grid of ticks.
        program: General MIDI program of the melody, 0 to 127.
        title: name of the first track.
        parts: accompanying parts; their times are rounded to ticks.

    Returns:
        The bytes of the file.

    Raises:
        UnwritableRhythm: when a note of the melody begins or ends between two ticks.
    """
    earliest = min([-melody.pickup, *(note.onset for part in parts for note in part.notes)])
    padding = -(min(earliest, Fraction(0)) // melody.meter.bar_length) * melody.meter.bar_length
    lead = [
        MetaMessage("track_name", name=" ".join(title.split()) or "Melody"),
        *_tempo_events(melody, padding),
        *_meter_events(melody, padding),
        MetaMessage("key_signature", key=_key_name(melody.key)),
    ]
    line = [
        Message("program_change", program=program),
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


def _part_events(part: Part, padding: Fraction, number: int) -> Iterator[Message | MetaMessage]:
    """Yield the messages of an accompanying part.

    ``number`` is its index among the parts with pitches: with more parts than channels, the next
    MIDI port is used.
    """
    port, index = (0, 0) if part.drums else divmod(number, len(PART_CHANNELS))
    channel = DRUM_CHANNEL if part.drums else PART_CHANNELS[index]
    yield MetaMessage("track_name", name=part.name)
    if port:
        yield MetaMessage("midi_port", port=port)
    yield Message("program_change", channel=channel, program=part.program)
    for note in part.notes:
        onset = round((note.onset + padding) * MIDI_TICKS_PER_QUARTER)
        end = max(onset + 1, round((note.onset + note.duration + padding) * MIDI_TICKS_PER_QUARTER))
        yield Message(
            "note_on", channel=channel, note=note.pitch, velocity=note.velocity, time=onset
        )
        yield Message("note_off", channel=channel, note=note.pitch, velocity=0, time=end)


def _key_name(key: Key) -> str:
    """Return the major or minor key with the same signature; MIDI has no other modes."""
    return (_MINOR if key.is_minor else _MAJOR)[key.fifths + 7]
