"""A performance as a MIDI file: the feel written out, for other players and for `reference`.

Ticks follow the tempo, so bars lie where a sequencer draws them; a pickup is padded with rest to a
full bar, as in the written files.
"""

from __future__ import annotations

import io
import math

import mido

from mst_core.music import Meter
from mst_core.sound.instrument import CHANNEL, CONTROLS
from mst_core.sound.performance import Performance

TICKS_A_QUARTER = 1920
"""Four times that of the written files: a tick is 0.3 ms at 110 quarters per minute."""

DRUM_CHANNEL = 9
"""The tenth, as people count."""


def performed_midi(performance: Performance, *, program: int, title: str = "") -> bytes:
    """Return a MIDI file of type 0 that plays as the performance does, after its `lead_of`."""
    channel = DRUM_CHANNEL if performance.drums else CHANNEL
    ticks_a_second = performance.tempo / 60 * TICKS_A_QUARTER
    lead, meter = lead_of(performance), performance.meter

    def tick(second: float) -> int:
        return round((second + lead) * ticks_a_second)

    end = max([performance.seconds, *(stroke.end for stroke in performance.strokes)])
    events = [
        (0, mido.MetaMessage("track_name", name=title)),
        (0, mido.MetaMessage("set_tempo", tempo=round(60e6 / performance.tempo))),
        (0, _meter(meter)),
        *((tick(second), _meter(new)) for second, new in performance.changes),
        (0, mido.Message("program_change", channel=channel, program=program)),
    ]
    for control, value in CONTROLS.items():
        change = mido.Message("control_change", channel=channel, control=control, value=value)
        events.append((0, change))
    for stroke in performance.strokes:
        first, pitch = tick(stroke.start), stroke.pitch
        on = mido.Message("note_on", channel=channel, note=pitch, velocity=stroke.velocity)
        off = mido.Message("note_off", channel=channel, note=pitch, velocity=64)
        events += [(first, on), (max(first + 1, tick(stroke.end)), off)]
    events.append((tick(end), mido.MetaMessage("end_of_track")))
    # Strokes do not overlap, so the order they were made in is right wherever ticks are equal.
    events.sort(key=lambda event: event[0])

    track = mido.MidiTrack()
    now = 0
    for moment, message in events:
        track.append(message.copy(time=moment - now))
        now = moment
    file = io.BytesIO()
    midi = mido.MidiFile(type=0, ticks_per_beat=TICKS_A_QUARTER, charset="utf-8")
    midi.tracks.append(track)
    midi.save(file=file)
    return file.getvalue()


def _meter(meter: Meter) -> mido.MetaMessage:
    return mido.MetaMessage(
        "time_signature", numerator=meter.numerator, denominator=meter.denominator
    )


def lead_of(performance: Performance) -> float:
    """Return the seconds of rest that fill the bar of a pickup; 0 without a pickup."""
    bar = float(performance.meter.bar) * 60 / performance.tempo
    return max(0.0, math.ceil(performance.downbeat / bar - 1e-6) * bar - performance.downbeat)
