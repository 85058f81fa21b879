"""MIDI files for tests: written with mido, as programs write them, and byte by byte."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from mido import Message, MetaMessage, MidiFile, MidiTrack

from mst_core.music import Melody, Note

Timed = tuple[int, Any]  # tick from the start of the file, message of mido

SIMPLE = bytes([0, 0x90, 60, 80, 96, 0x80, 60, 0, 0, 0x90, 64, 80, 96, 0x80, 64, 0])
"""Two quarters at 96 ticks, without an end of track."""
END = bytes([0, 0xFF, 0x2F, 0])


def notes(
    line: Iterable[Note], *, channel: int = 0, ticks: int = 480, velocity: int = 80
) -> list[Timed]:
    """Make a note-on and a note-off message of each note, ``ticks`` to a quarter."""
    events: list[Timed] = []
    for note in line:
        for time, kind in ((note.onset, "note_on"), (note.end, "note_off")):
            value = velocity if kind == "note_on" else 0
            message = Message(kind, channel=channel, note=note.pitch, velocity=value)
            events.append((round(time * ticks), message))
    return events


def track(events: Iterable[Timed], *, name: str = "", end: int | None = None) -> MidiTrack:
    """Make a track of events, sorted by tick, note-ons last."""
    made = MidiTrack()
    now = 0
    if name:
        made.append(MetaMessage("track_name", name=name))
    for tick, event in sorted(events, key=lambda each: (each[0], each[1].type == "note_on")):
        made.append(event.copy(time=tick - now))
        now = tick
    made.append(MetaMessage("end_of_track", time=max(0, (end or now) - now)))
    return made


def midi(*tracks: MidiTrack, ticks: int = 480) -> bytes:
    """Write a file, of format 0 for a single track, else 1."""
    file = io.BytesIO()
    file_format = 1 if len(tracks) > 1 else 0
    MidiFile(type=file_format, ticks_per_beat=ticks, tracks=list(tracks)).save(file=file)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Write a chunk: its kind, its length, its content."""
    return kind + struct.pack(">I", len(content)) + content


def raw(*tracks: bytes, form: int = 0, announced: int | None = None, division: int = 96) -> bytes:
    """Write a file from the bytes of its tracks."""
    count = len(tracks) if announced is None else announced
    header = chunk(b"MThd", struct.pack(">HHH", form, count, division))
    return header + b"".join(chunk(b"MTrk", each) for each in tracks)


def meta(name: str, **values: int | str) -> Timed:
    """Make a meta event at tick 0."""
    return 0, MetaMessage(name, **values)


def bars_of(tune: Melody) -> list[Timed]:
    """Make the meta events for the meter and the tempo of a tune."""
    meter = tune.meter
    return [
        meta("set_tempo", tempo=round(60e6 / tune.tempo)),
        meta("time_signature", numerator=meter.numerator, denominator=meter.denominator),
    ]


def performance_of(tune: Melody, *, seed: int, deviation: float, shift: Fraction) -> list[Note]:
    """A random performance: onsets deviate by ``deviation`` quarters (standard deviation)."""
    rng = random.Random(seed)
    onsets = [
        max(Fraction(0), note.onset + shift + Fraction(rng.gauss(0, deviation)))
        for note in tune.notes
    ]
    return [
        Note(onset, note.duration * Fraction(rng.uniform(0.8, 1.04)), note.pitch)
        for onset, note in zip(onsets, tune.notes, strict=True)
    ]


def chords(roots: Sequence[int], *, bar: Fraction, shape: Sequence[int] = (0, 4, 7)) -> list[Note]:
    """A chord of the intervals ``shape`` for each bar, one bar long."""
    return [
        Note(index * bar, bar, root + step) for index, root in enumerate(roots) for step in shape
    ]
