"""A melody as a standard MIDI file: the score, straight, on the grid, one velocity.

MIDI has no negative time: a pickup is padded to full bars of rest. Rests are gaps. The file ends
at the final barline. Repeats are written once. Swing and feel are not here, see `mst_core.sound`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from typing import NamedTuple

from mido import Message, MetaMessage, MidiFile, MidiTrack

from mst_core.music import MIDI_TICKS_PER_QUARTER, Key, Melody, Meter, Part
from mst_core.notation.metrical_grid import to_ticks

VELOCITY = 80
MELODY_TRACK_NAME = "melody"
"""Name of the melody's track in a file that has others."""
_CLOCKS_PER_QUARTER = 24
_DRUM_CHANNEL = 9
_PART_CHANNELS = tuple(channel for channel in range(1, 16) if channel != _DRUM_CHANNEL)
"""Of the parts; the melody has the first channel of the first port."""
_SLOWEST_TEMPO = 2**24 - 1  # microseconds a quarter note
_MAJOR = ("Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B")
_MINOR = ("Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m")


class TimedMessage(NamedTuple):
    """A message and its tick."""

    tick: int
    message: Message | MetaMessage


def write_midi(
    melody: Melody,
    *,
    program: int,
    title: str = "",
    parts: Sequence[Part] = (),
    tempo_changes: Sequence[tuple[float, float]] = (),
) -> bytes:
    """Write a file with 480 ticks a quarter.

    Alone the melody makes a file of format 0. With ``parts`` the format is 1: the first track has
    title, tempo, meter and key, the second is called ``melody``, and each part has one of its own.
    Times of parts are rounded to ticks. ``tempos`` are changes of tempo on the way: quarter notes
    from the first downbeat, and quarter notes a minute.

    Raises:
        UnwritableRhythm: when a note of the melody begins or ends between two ticks.
    """
    earliest = min([-melody.pickup, *(note.onset for part in parts for note in part.notes)])
    padding = -(min(earliest, Fraction(0)) // melody.meter.bar_length) * melody.meter.bar_length
    lead = [
        TimedMessage(0, MetaMessage("track_name", name=" ".join(title.split()) or "Melody")),
        *_tempo_events(melody, padding, tempo_changes),
        *_meter_events(melody, padding),
        TimedMessage(0, MetaMessage("key_signature", key=_key_name(melody.key))),
    ]
    line = [
        TimedMessage(0, Message("program_change", program=program)),
        *_note_events(melody, padding),
    ]
    end = to_ticks(melody.length + padding, MIDI_TICKS_PER_QUARTER, melody)
    tracks = [_track([*lead, *line], end)]
    if parts:
        named = TimedMessage(0, MetaMessage("track_name", name=MELODY_TRACK_NAME))
        tracks = [_track(lead, end), _track([named, *line], end)]
        pitched = 0
        for part in parts:
            tracks.append(_track(_part_events(part, padding, pitched), end))
            pitched += not part.drums
    file = BytesIO()
    MidiFile(
        type=1 if parts else 0,
        ticks_per_beat=MIDI_TICKS_PER_QUARTER,
        charset="utf-8",
        tracks=tracks,
    ).save(file=file)
    return file.getvalue()


def _track(events: Iterable[TimedMessage], end: int) -> MidiTrack:
    """Put events in their order; of those at one tick, notes end before others begin."""
    track = MidiTrack()
    now = 0
    for tick, message in sorted(
        events, key=lambda event: (event.tick, _order_in_tick(event.message))
    ):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(MetaMessage("end_of_track", time=max(0, end - now)))
    return track


def _order_in_tick(message: Message | MetaMessage) -> int:
    return {"note_off": 0, "note_on": 2}.get(message.type, 1)


def _tempo_events(
    melody: Melody, padding: Fraction, tempos: Iterable[tuple[float, float]]
) -> Iterator[TimedMessage]:
    by_tick = {0: melody.tempo}
    for place, tempo in sorted(tempos):
        by_tick[max(0, round((place + padding) * MIDI_TICKS_PER_QUARTER))] = tempo
    for tick, tempo in by_tick.items():
        length = min(_SLOWEST_TEMPO, round(60_000_000 / tempo))
        yield TimedMessage(tick, MetaMessage("set_tempo", tempo=length))


def _meter_events(melody: Melody, padding: Fraction) -> Iterator[TimedMessage]:
    if padding or not melody.meter_changes or melody.meter_changes[0].bar > 0:
        yield TimedMessage(0, _time_signature(melody.meter))
    lines = melody.barlines
    for change in melody.meter_changes:
        tick = to_ticks(lines[change.bar] + padding, MIDI_TICKS_PER_QUARTER, melody)
        yield TimedMessage(tick, _time_signature(change.meter))


def _time_signature(meter: Meter) -> MetaMessage:
    return MetaMessage(
        "time_signature",
        numerator=meter.numerator,
        denominator=meter.denominator,
        clocks_per_click=int(meter.beat_length * _CLOCKS_PER_QUARTER),
    )


def _note_events(melody: Melody, padding: Fraction) -> Iterator[TimedMessage]:
    for note in melody.notes:
        onset = to_ticks(note.onset + padding, MIDI_TICKS_PER_QUARTER, melody)
        end = to_ticks(note.end + padding, MIDI_TICKS_PER_QUARTER, melody)
        yield TimedMessage(onset, Message("note_on", note=note.pitch, velocity=VELOCITY))
        yield TimedMessage(end, Message("note_off", note=note.pitch, velocity=0))


def _part_events(part: Part, padding: Fraction, number: int) -> Iterator[TimedMessage]:
    """Write a part; ``number`` counts those that are no drums, and when channels run out, ports."""
    port, place = (0, 0) if part.drums else divmod(number, len(_PART_CHANNELS))
    channel = _DRUM_CHANNEL if part.drums else _PART_CHANNELS[place]
    yield TimedMessage(0, MetaMessage("track_name", name=part.name))
    if port:
        yield TimedMessage(0, MetaMessage("midi_port", port=port))
    yield TimedMessage(0, Message("program_change", channel=channel, program=part.program))
    for note in part.notes:
        onset = round((note.onset + padding) * MIDI_TICKS_PER_QUARTER)
        end = max(onset + 1, round((note.onset + note.duration + padding) * MIDI_TICKS_PER_QUARTER))
        yield TimedMessage(
            onset,
            Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity),
        )
        yield TimedMessage(end, Message("note_off", channel=channel, note=note.pitch, velocity=0))


def _key_name(key: Key) -> str:
    """Name the key that has this signature; MIDI knows major and minor only."""
    return (_MINOR if key.is_minor else _MAJOR)[key.fifths + 6]
