"""MIDI files for tests: built with mido as programs write them, and from bytes as none would."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from mido import Message, MetaMessage, MidiFile, MidiTrack

from mst_core.music import Melody, Note

Timed = tuple[int, Any]  # tick from the start, a message of mido

SIMPLE = bytes([0, 0x90, 60, 80, 96, 0x80, 60, 0, 0, 0x90, 64, 80, 96, 0x80, 64, 0])
"""Two quarters at 96 ticks, without an end of track."""
END = bytes([0, 0xFF, 0x2F, 0])


def notes(
    line: Iterable[Note], *, channel: int = 0, ticks: int = 480, velocity: int = 80
) -> list[Timed]:
    """Give each note its beginning and its end."""
    events: list[Timed] = []
    for note in line:
        for time, kind in ((note.onset, "note_on"), (note.end, "note_off")):
            force = velocity if kind == "note_on" else 0
            message = Message(kind, channel=channel, note=note.pitch, velocity=force)
            events.append((round(time * ticks), message))
    return events


def track(events: Iterable[Timed], *, name: str = "", end: int | None = None) -> MidiTrack:
    """Set events in order, beginnings of notes last."""
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
    """Write a file, of format 0 if there is one track."""
    file = io.BytesIO()
    form = 1 if len(tracks) > 1 else 0
    MidiFile(type=form, ticks_per_beat=ticks, tracks=list(tracks)).save(file=file)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Write a chunk with its length."""
    return kind + struct.pack(">I", len(content)) + content


def raw(*tracks: bytes, form: int = 0, announced: int | None = None, division: int = 96) -> bytes:
    """Write a file from the bytes of its tracks."""
    count = len(tracks) if announced is None else announced
    header = chunk(b"MThd", struct.pack(">HHH", form, count, division))
    return header + b"".join(chunk(b"MTrk", each) for each in tracks)


def meta(name: str, **values: int | str) -> Timed:
    """Make a meta message at the start."""
    return 0, MetaMessage(name, **values)


def bars_of(tune: Melody) -> list[Timed]:
    """The meter and tempo of a tune."""
    meter = tune.meter
    return [
        meta("set_tempo", tempo=round(60e6 / tune.tempo)),
        meta("time_signature", numerator=meter.numerator, denominator=meter.denominator),
    ]


def played(tune: Melody, *, seed: int, unsteady: float, shift: Fraction) -> list[Note]:
    """A tune as a player's hands give it: ``unsteady`` is in quarters, one standard deviation."""
    hands = random.Random(seed)
    onsets = [
        max(Fraction(0), note.onset + shift + Fraction(hands.gauss(0, unsteady)))
        for note in tune.notes
    ]
    return [
        Note(onset, note.duration * Fraction(hands.uniform(0.8, 1.04)), note.pitch)
        for onset, note in zip(onsets, tune.notes, strict=True)
    ]


def chords(roots: Sequence[int], *, bar: Fraction, shape: Sequence[int] = (0, 4, 7)) -> list[Note]:
    """A chord for each bar."""
    return [
        Note(place * bar, bar, root + step) for place, root in enumerate(roots) for step in shape
    ]
