"""Writes a performance as a MIDI file, with swing and dynamics, for other players and midi2audio.

Ticks follow the tempo, so barlines are where a sequencer draws them. As in the MIDI file of the
score, a pickup is padded with a rest to a full bar. Accompanying parts are written straight.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence

from mido import Message, MetaMessage, MidiFile

from mst_core.music import Meter, Part
from mst_core.notation.midi import DRUM_CHANNEL, PART_CHANNELS, build_track
from mst_core.sound.performance import Performance
from mst_core.sound.synth import INITIAL_CONTROLS, MELODY_CHANNEL

PERFORMANCE_TICKS_PER_QUARTER = 1920
"""Four times the resolution of the score's MIDI files: a tick is 0.3 ms at 110 quarters per
minute."""


def write_performance_midi(
    performance: Performance, *, program: int, title: str = "", parts: Sequence[Part] = ()
) -> bytes:
    """Write a MIDI file that sounds as the performance, after `lead_in_seconds` of rest.

    Without parts the file is of type 0. With parts it is of type 1 and each has a track of its own.

    Args:
        performance: the performance of the melody.
        program: General MIDI program of the melody, 0 to 127.
        title: name of the melody's track.
        parts: accompanying parts; one that begins before the melody makes the lead-in longer, by
            full bars.

    Returns:
        The bytes of the file.
    """
    channel = DRUM_CHANNEL if performance.drums else MELODY_CHANNEL
    ticks_per_second = performance.tempo / 60 * PERFORMANCE_TICKS_PER_QUARTER
    lead = lead_in_seconds(performance, parts)

    def to_tick(second: float) -> int:
        return round((second + lead) * ticks_per_second)

    end = max([performance.seconds, *(note.end for note in performance.notes)])
    events: list[Message | MetaMessage] = [
        MetaMessage("track_name", name=title),
        MetaMessage("set_tempo", tempo=round(60e6 / performance.tempo)),
        _time_signature(performance.meter),
        *(_time_signature(meter, to_tick(second)) for second, meter in performance.meter_changes),
        Message("program_change", channel=channel, program=program),
    ]
    for control, value in INITIAL_CONTROLS.items():
        events.append(Message("control_change", channel=channel, control=control, value=value))
    for note in performance.notes:
        first, last = to_tick(note.start), to_tick(note.end)
        on = Message(
            "note_on", channel=channel, note=note.pitch, velocity=note.velocity, time=first
        )
        off = Message(
            "note_off", channel=channel, note=note.pitch, velocity=64, time=max(first + 1, last)
        )
        events += [on, off]
    tracks = [build_track(events, to_tick(end))]
    n_pitched = 0
    for part in parts:
        channel = DRUM_CHANNEL if part.drums else PART_CHANNELS[n_pitched % len(PART_CHANNELS)]
        tracks.append(build_track(_part_events(part, to_tick(performance.downbeat), channel)))
        n_pitched += not part.drums

    file = io.BytesIO()
    MidiFile(
        type=1 if parts else 0,
        ticks_per_beat=PERFORMANCE_TICKS_PER_QUARTER,
        charset="utf-8",
        tracks=tracks,
    ).save(file=file)
    return file.getvalue()


def lead_in_seconds(performance: Performance, parts: Iterable[Part] = ()) -> float:
    """Return the duration of the rest at the beginning of the file.

    Args:
        performance: the performance of the melody.
        parts: accompanying parts.

    Returns:
        Seconds that complete the bar of a pickup, or the bars of a part that begins earlier.
    """
    bar = float(performance.meter.bar_length) * 60 / performance.tempo
    onsets = (float(note.onset) for part in parts for note in part.notes)
    before = max(performance.downbeat, -min(onsets, default=0.0) * 60 / performance.tempo)
    return max(0.0, math.ceil(before / bar - 1e-6) * bar - performance.downbeat)


def _part_events(part: Part, downbeat: int, channel: int) -> Iterator[Message | MetaMessage]:
    """Yield the messages of an accompanying part whose first downbeat is at tick ``downbeat``."""
    yield MetaMessage("track_name", name=part.name)
    yield Message("program_change", channel=channel, program=part.program)
    for note in part.notes:
        end = note.onset + note.duration
        first = max(0, downbeat + round(note.onset * PERFORMANCE_TICKS_PER_QUARTER))
        last = max(first + 1, downbeat + round(end * PERFORMANCE_TICKS_PER_QUARTER))
        yield Message(
            "note_on", channel=channel, note=note.pitch, velocity=note.velocity, time=first
        )
        yield Message("note_off", channel=channel, note=note.pitch, velocity=64, time=last)


def _time_signature(meter: Meter, tick: int = 0) -> MetaMessage:
    """Return the message of a meter that begins at a tick."""
    return MetaMessage(
        "time_signature", numerator=meter.numerator, denominator=meter.denominator, time=tick
    )
