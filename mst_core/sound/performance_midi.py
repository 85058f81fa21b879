"""Writes performances as a MIDI file, with swing and dynamics, for other players and midi2audio.

Ticks follow the tempo map, so barlines are where a sequencer draws them. As in the MIDI file of the
score, a pickup is padded with a rest to a full bar.
"""

from __future__ import annotations

import io
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from mido import Message, MetaMessage, MidiFile

from mst_core.music import Meter
from mst_core.notation.midi import (
    GRACE_NOTES,
    MELODY_TRACK_NAME,
    build_track,
    control_message,
    part_channel,
)
from mst_core.sound.performance import Performance, PlayedNote
from mst_core.sound.synth import INITIAL_CONTROLS, MELODY_CHANNEL

PERFORMANCE_TICKS_PER_QUARTER = 1920
"""Four times the resolution of the score's MIDI files: a tick is 0.3 ms at 110 quarters per
minute."""


def write_performance_midi(voices: Sequence[Performance], *, title: str = "") -> bytes:
    """Write a MIDI file that sounds as the performances, after `lead_in_seconds` of rest.

    A melody alone makes a file of type 0. With parts, or with grace notes, it is of type 1 and each
    has a track of its own.

    Args:
        voices: the performance of the melody, then those of its parts, which may begin earlier.
        title: name of the melody's track.

    Returns:
        The bytes of the file.
    """
    performance = voices[0]
    channel = part_channel(0, performance.drums)[1] if performance.drums else MELODY_CHANNEL
    clock = _TickClock(performance, lead_in_seconds(voices))
    to_tick = clock.tick_at
    end = max([performance.seconds, *(note.end for note in performance.notes)])
    events: list[Message | MetaMessage] = [
        MetaMessage("track_name", name=title),
        *(
            MetaMessage("set_tempo", tempo=round(60e6 / tempo), time=to_tick(second))
            for second, tempo in performance.tempo_changes
        ),
        MetaMessage("set_tempo", tempo=round(60e6 / performance.tempo)),
        _time_signature(performance.meter),
        *(_time_signature(meter, to_tick(second)) for second, meter in performance.meter_changes),
        Message("program_change", channel=channel, program=performance.program),
    ]
    for control, value in INITIAL_CONTROLS.items():
        events.append(Message("control_change", channel=channel, control=control, value=value))
    events += _voice_events(performance.notes, performance, clock, channel)
    tracks = [build_track(events, to_tick(end))]
    band = [*voices[1:]]
    if performance.grace_notes:
        name = f"{title or MELODY_TRACK_NAME}, {GRACE_NOTES}"
        band.insert(0, _grace_voice(performance, name))
    n_pitched = 0
    for voice in band:
        port, channel = part_channel(n_pitched, voice.drums)
        head = [MetaMessage("track_name", name=voice.name)]
        if port:
            head.append(MetaMessage("midi_port", port=port))
        head.append(Message("program_change", channel=channel, program=voice.program))
        tracks.append(build_track([*head, *_voice_events(voice.notes, voice, clock, channel)]))
        n_pitched += not voice.drums

    file = io.BytesIO()
    MidiFile(
        type=1 if band else 0,
        ticks_per_beat=PERFORMANCE_TICKS_PER_QUARTER,
        charset="utf-8",
        tracks=tracks,
    ).save(file=file)
    return file.getvalue()


def lead_in_seconds(voices: Sequence[Performance]) -> float:
    """Return the duration of the rest at the beginning of the file.

    Args:
        voices: the performance of the melody, then those of its parts.

    Returns:
        Seconds that complete the bar of a pickup, or the bars of a part that begins earlier.
    """
    performance = voices[0]
    bar = float(performance.meter.bar_length) * 60 / performance.tempo
    starts = (note.start for voice in voices[1:] for note in voice.notes)
    before = max(performance.downbeat, performance.downbeat - min(starts, default=0.0))
    return max(0.0, math.ceil(before / bar - 1e-6) * bar - performance.downbeat)


class _TickClock:
    """Ticks of the file by second of the performance, through its tempo map."""

    def __init__(self, performance: Performance, lead: float) -> None:
        self._lead = lead
        rate = performance.tempo / 60 * PERFORMANCE_TICKS_PER_QUARTER
        self._anchors = [(0.0, 0.0, rate)]
        """(Seconds and ticks from the beginning of the file, ticks per second from there on.)"""
        for second, tempo in performance.tempo_changes:
            start, tick, rate = self._anchors[-1]
            at = max(start, second + lead)
            tick += (at - start) * rate
            self._anchors.append((at, tick, tempo / 60 * PERFORMANCE_TICKS_PER_QUARTER))

    def tick_at(self, second: float) -> int:
        """Return the tick of a second, at least 0."""
        time = second + self._lead
        at = max(0, bisect_right(self._anchors, time, key=lambda anchor: anchor[0]) - 1)
        start, tick, rate = self._anchors[at]
        return max(0, round(tick + (time - start) * rate))


def _grace_voice(performance: Performance, name: str) -> Performance:
    """The grace notes of a melody as a voice of their own, so that its note i stays note i."""
    return Performance(
        performance.grace_notes,
        performance.seconds,
        performance.downbeat,
        performance.tempo,
        performance.meter,
        name=name,
        program=performance.program,
    )


def _voice_events(
    notes: Sequence[PlayedNote], voice: Performance, clock: _TickClock, channel: int
) -> Iterator[Message | MetaMessage]:
    """Yield the notes and the controllers of a voice."""
    for second, event in voice.controls:
        yield control_message(event, channel, clock.tick_at(second))
    for note in notes:
        first, last = clock.tick_at(note.start), clock.tick_at(note.end)
        yield Message(
            "note_on", channel=channel, note=note.pitch, velocity=note.velocity, time=first
        )
        yield Message(
            "note_off", channel=channel, note=note.pitch, velocity=64, time=max(first + 1, last)
        )


def _time_signature(meter: Meter, tick: int = 0) -> MetaMessage:
    """Return the message of a meter that begins at a tick."""
    return MetaMessage(
        "time_signature", numerator=meter.numerator, denominator=meter.denominator, time=tick
    )
