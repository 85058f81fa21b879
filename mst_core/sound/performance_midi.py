"""A performance as a MIDI file: the feel written out, for other players and for `reference`.

Ticks follow the tempo, so bars lie where a sequencer draws them; a pickup is padded with rest to a
full bar, as in the written files. Other parts stand beside it as they are written.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence

import mido

from mst_core.music import Meter, Part
from mst_core.sound.performance import Performance
from mst_core.sound.synth import INITIAL_CONTROLS, MELODY_CHANNEL

PERFORMANCE_TICKS_PER_QUARTER = 1920
"""Four times that of the written files: a tick is 0.3 ms at 110 quarters per minute."""

DRUM_CHANNEL = 9
"""The tenth, as people count."""
_PART_CHANNELS = tuple(place for place in range(16) if place not in (MELODY_CHANNEL, DRUM_CHANNEL))

Event = tuple[int, mido.Message | mido.MetaMessage]
"""A message and its tick."""


def write_performance_midi(
    performance: Performance, *, program: int, title: str = "", parts: Sequence[Part] = ()
) -> bytes:
    """Return a MIDI file that plays as the performance does, after its `lead_in_seconds`.

    Alone it makes a file of type 0. With ``parts`` the type is 1, and each has a track of its own;
    one that begins earlier makes the lead longer, by full bars.
    """
    channel = DRUM_CHANNEL if performance.drums else MELODY_CHANNEL
    ticks_a_second = performance.tempo / 60 * PERFORMANCE_TICKS_PER_QUARTER
    lead, meter = lead_in_seconds(performance, parts), performance.meter

    def tick(second: float) -> int:
        return round((second + lead) * ticks_a_second)

    end = max([performance.seconds, *(stroke.end for stroke in performance.notes)])
    events: list[Event] = [
        (0, mido.MetaMessage("track_name", name=title)),
        (0, mido.MetaMessage("set_tempo", tempo=round(60e6 / performance.tempo))),
        (0, _time_signature(meter)),
        *((tick(second), _time_signature(new)) for second, new in performance.meter_changes),
        (0, mido.Message("program_change", channel=channel, program=program)),
    ]
    for control, value in INITIAL_CONTROLS.items():
        change = mido.Message("control_change", channel=channel, control=control, value=value)
        events.append((0, change))
    for stroke in performance.notes:
        first, pitch = tick(stroke.start), stroke.pitch
        on = mido.Message("note_on", channel=channel, note=pitch, velocity=stroke.velocity)
        off = mido.Message("note_off", channel=channel, note=pitch, velocity=64)
        events += [(first, on), (max(first + 1, tick(stroke.end)), off)]
    events.append((tick(end), mido.MetaMessage("end_of_track")))
    tracks = [_track(events)]
    pitched = 0
    for part in parts:
        place = DRUM_CHANNEL if part.drums else _PART_CHANNELS[pitched % len(_PART_CHANNELS)]
        tracks.append(_track(_part_events(part, tick(performance.downbeat), place)))
        pitched += not part.drums

    file = io.BytesIO()
    midi = mido.MidiFile(
        type=1 if parts else 0,
        ticks_per_beat=PERFORMANCE_TICKS_PER_QUARTER,
        charset="utf-8",
        tracks=tracks,
    )
    midi.save(file=file)
    return file.getvalue()


def lead_in_seconds(performance: Performance, parts: Iterable[Part] = ()) -> float:
    """Return the seconds of rest that fill the bar of a pickup, or reach back to the first part."""
    bar = float(performance.meter.bar_length) * 60 / performance.tempo
    onsets = (float(note.onset) for part in parts for note in part.notes)
    before = max(performance.downbeat, -min(onsets, default=0.0) * 60 / performance.tempo)
    return max(0.0, math.ceil(before / bar - 1e-6) * bar - performance.downbeat)


def _part_events(part: Part, downbeat: int, channel: int) -> Iterator[Event]:
    """Write a part whose first downbeat is at that tick; it does not swing."""
    yield 0, mido.MetaMessage("track_name", name=part.name)
    yield 0, mido.Message("program_change", channel=channel, program=part.program)
    for note in part.notes:
        first = max(0, downbeat + round(note.onset * PERFORMANCE_TICKS_PER_QUARTER))
        last = max(
            first + 1,
            downbeat + round((note.onset + note.duration) * PERFORMANCE_TICKS_PER_QUARTER),
        )
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        yield first, on
        yield last, mido.Message("note_off", channel=channel, note=note.pitch, velocity=64)


def _track(events: Iterable[Event]) -> mido.MidiTrack:
    """Put events in their order; of those at one tick, notes end before others begin."""
    track = mido.MidiTrack()
    now = 0
    turns = {"note_off": 0, "note_on": 2, "end_of_track": 3}
    for moment, message in sorted(
        events, key=lambda event: (event[0], turns.get(event[1].type, 1))
    ):
        track.append(message.copy(time=moment - now))
        now = moment
    return track


def _time_signature(meter: Meter) -> mido.MetaMessage:
    return mido.MetaMessage(
        "time_signature", numerator=meter.numerator, denominator=meter.denominator
    )
