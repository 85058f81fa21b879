"""Melodies for tests: a hypothesis strategy for melodies, and three fixed tunes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from mst_core.music import MODES, SEMITONES, Key, Melody, Meter, MeterChange, Note, Repeat

Sounding = tuple[Fraction, Fraction, int]  # onset, duration, pitch

METERS = ("4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "2/2", "3/2", "5/4", "3/8", "7/8", "9/16")

_FIGURES = (
    # Groups of durations in ticks of 1/24 quarter, straight and in triplets.
    (24,), (48,), (12, 12), (36, 12), (12, 24, 12), (18, 6), (6, 6, 12), (12,), (72,), (96,),
    (6, 6, 6, 6), (8, 8, 8), (16, 8), (16, 16, 16), (4, 4, 4), (12, 4, 4, 4), (3, 9), (36,),
)  # fmt: skip


def _durations(wild: bool) -> st.SearchStrategy[tuple[int, ...]]:
    figures = st.sampled_from(_FIGURES)
    return st.one_of(figures, st.tuples(st.integers(1, 100))) if wild else figures


@st.composite
def melodies(
    draw: st.DrawFn,
    *,
    most_bars: int = 6,
    meters: tuple[str, ...] = METERS,
    wild: bool = True,
    rests: bool = True,
    pickups: bool = True,
    changes: bool = False,
    repeats: bool = False,
) -> Melody:
    """Draw a melody on the grid of 1/24 quarter, with pickup, rests and sections.

    ``wild`` allows durations of any number of ticks, ``pickups`` notes before the first downbeat,
    ``changes`` adds meter changes, and ``repeats`` adds repeated sections with endings.
    """
    meter = Meter.parse(draw(st.sampled_from(meters)))
    bars = draw(st.integers(1, most_bars))
    bar = int(meter.bar_length * 24)
    pickup = 0
    if pickups:
        pickup = draw(st.one_of(st.just(0), st.integers(1, bar - 1) if wild else st.just(bar // 8)))
    frame = Melody((), meter, Key(0), 120.0, bars)
    if changes:
        frame = replace(frame, meter_changes=draw(_changes(frame, meters)))
    if repeats:
        frame = replace(frame, repeats=draw(_repeats(frame)))
    now, end = -pickup, int(frame.length * 24)
    notes: list[Note] = []
    pitch = draw(st.integers(55, 84))
    for figure in draw(st.lists(_durations(wild), min_size=1, max_size=8 * bars)):
        for steps in figure:
            steps = min(steps, end - now)
            if steps <= 0:
                break
            silent = rests and (notes or not pickup) and draw(st.integers(0, 6)) == 0
            if not silent:
                pitch = min(96, max(43, pitch + draw(st.integers(-5, 5))))
                notes.append(Note(Fraction(now, 24), Fraction(steps, 24), pitch))
            now += steps
    sections = draw(st.sets(st.integers(1, max(1, bars - 1)), max_size=2)) if bars > 1 else set()
    if repeats:
        sections = {bar for repeat in frame.repeats for bar in _edges(repeat)} - {0, bars}
    tune = replace(
        frame,
        notes=tuple(notes),
        key=Key(draw(st.integers(0, 11)), draw(st.sampled_from(sorted(MODES)))),
        tempo=float(draw(st.integers(40, 320))),
        sections=(0, *sorted(sections)),
    )
    return replace(tune, repeats=tuple(_leads(tune))) if pickup else tune


@st.composite
def _changes(draw: st.DrawFn, frame: Melody, meters: tuple[str, ...]) -> tuple[MeterChange, ...]:
    """Draw meter changes."""
    changes: list[MeterChange] = []
    meter = frame.meter
    for bar in range(1, frame.bar_count):
        if draw(st.integers(0, 3)) == 0:
            new = draw(st.sampled_from([frame.meter, *map(Meter.parse, meters)]))
            if new != meter:
                changes.append(MeterChange(bar, new))
            meter = new
    return tuple(changes)


@st.composite
def _repeats(draw: st.DrawFn, frame: Melody) -> tuple[Repeat, ...]:
    """Draw repeated sections, with and without endings."""
    repeats: list[Repeat] = []
    bar = 0
    while bar < frame.bar_count and draw(st.booleans()):
        start = draw(st.integers(bar, frame.bar_count - 1))
        end = draw(st.integers(start + 1, frame.bar_count))
        endings = start + 1 < end < frame.bar_count and draw(st.booleans())
        first = draw(st.integers(start + 1, end - 1)) if endings else None
        second = None if first is None else draw(st.integers(end + 1, frame.bar_count))
        repeats.append(Repeat(start, end, first, second))
        bar = second or end
    return tuple(repeats)


def _edges(repeat: Repeat) -> tuple[int, int]:
    return repeat.start, repeat.second_ending or repeat.end


def _leads(tune: Melody) -> Iterator[Repeat]:
    """Let sections begin and end before a pickup as long as the tune's, where no note is held."""
    lines = tune.barlines

    def lead(bar: int) -> Fraction:
        place = lines[bar] - tune.pickup
        free = not any(note.onset < place < note.end for note in tune.notes)
        before = any(note.onset < place and note.end > lines[bar - 1] for note in tune.notes)
        sounds = any(place <= note.onset < lines[bar] for note in tune.notes)
        inside = bar > 1 and place > lines[bar - 1] and (place * 8).denominator == 1
        return tune.pickup if free and before and sounds and inside else Fraction(0)

    for repeat in tune.repeats:
        yield replace(
            repeat,
            lead_in=lead(repeat.start) if repeat.start else tune.pickup,
            lead_out=Fraction(0) if repeat.second_ending else lead(repeat.end),
        )


def line(text: str, *, start: Fraction = Fraction(0)) -> tuple[Note, ...]:
    """Parse notes such as ``F#4 A4*2 z Bb4*2/3``: a name or z for a rest, and eighths."""
    now = start
    notes: list[Note] = []
    for letter, accidental, octave, length in re.findall(
        r"([A-Gz])([#b]?)(\d?)(?:\*([\d/]+))?", text
    ):
        duration = Fraction(length or 1) / 2
        if letter != "z":
            alteration = {"": 0, "#": 1, "b": -1}[accidental]
            pitch = 12 * (int(octave) + 1) + SEMITONES[letter] + alteration
            notes.append(Note(now, duration, pitch))
        now += duration
    return tuple(notes)


def melody(text: str, *, key: str = "C", meter: str = "4/4", bars: int = 1) -> Melody:
    """Return a melody of one `line`."""
    return Melody(line(text), Meter.parse(meter), Key.parse(key), 120.0, bars)


def sounding(notes: tuple[Note, ...]) -> list[Sounding]:
    """Return onset, duration and pitch of each note."""
    return [(each.onset, each.duration, each.pitch) for each in notes]


REEL = Melody(
    notes=line(
        "D5 A4 F#4 A4 D5 E5 F#5 D5   E5 C#5 A4 C#5 E5 F#5 G5 E5   "
        "F#5*2 D5 F#5 A5 F#5 D5 F#5  E5 D5 C#5 B4 A4 F#4 G4 A4    "
        "D5 A4 F#4 A4 D5 E5 F#5 D5   E5 C#5 A4 C#5 E5 F#5 G5 E5   "
        "F#5*2/3 G5*2/3 A5*2/3 F#5 D5 B4 G5 E5 C#5  D5*2 D5 C#5 D5*4   "
        "A5*2 F#5 A5 D5 A5 F#5 A5    B5*2 G5 B5 E5 B5 G5 B5       "
        "A5 F#5 D5 F#5 A5 G5 F#5 E5  D5 C#5 B4 C#5 A4 B4 C#5 D5   "
        "A5*2 F#5 A5 D5 A5 F#5 A5    B5*2 G5 B5 E5 B5 G5 B5       "
        "A5 G5 F#5 E5 D5 B4 G5 E5    C#5 A4 B4 C#5 D5*4"
    ),
    meter=Meter(4, 4),
    key=Key.parse("D"),
    tempo=200.0,
    bar_count=16,
    sections=(0, 8),
)
"""Sixteen bars of straight eighths, one triplet, two sections."""

JIG = Melody(
    notes=line(
        "D5 B4 G4 G4 A4 B4 C5  B4 G4 B4 A4*2 B4  C5 E5 C5 B4 D5 B4  A4 B4 A4 D4*2 D5 "
        "B4 G4 G4 A4 B4 C5  B4 G4 B4 A4*2 B4  C5 E5 C5 B4 A4 B4  G4*3 G4*2 D5 "
        "G5*3/2 F#5*1/2 G5 D5 B4 D5  E5 G5 E5 D5*2 B4  C5 E5 C5 B4 D5 B4  A4 B4 A4 A4*2 D5 "
        "G5*3/2 F#5*1/2 G5 D5 B4 D5  E5 G5 E5 D5*2 B4  C5 E5 C5 B4 A4 B4  G4*3 G4*2",
        start=Fraction(-1, 2),
    ),
    meter=Meter(6, 8),
    key=Key.parse("G"),
    tempo=180.0,
    bar_count=16,
    sections=(0, 8),
)
"""Sixteen bars of 6/8 with a pickup of an eighth, two sections."""

JIG_WITH_REPEATS = replace(
    JIG,
    repeats=(
        Repeat(0, 8, lead_in=Fraction(1, 2), lead_out=Fraction(1, 2)),
        Repeat(8, 15, 14, 16, lead_in=Fraction(1, 2)),
    ),
)
"""The jig with both sections repeated from their pickups, the second with two endings."""

SWING_LINE = Melody(
    notes=line(
        "z F4 A4 C5 Eb5 D5 C5 A4  Bb4*3 D5*5  C5*2/3 Db5*2/3 C5*2/3 B4 C5 Eb5*2 G4 F#4  "
        "G4*3 z*3 Ab4*2/3 C5*2/3 Eb5*2/3  G5 F5*2 E5 Eb5 D5*5  z*2 D5 F5 Ab5 G5  "
        "C5*4/3 Bb4*4/3 G4*4/3 F4 Eb4 D4 F4  Bb4*6"
    ),
    meter=Meter(4, 4),
    key=Key.parse("Bb"),
    tempo=168.0,
    bar_count=8,
    sections=(0, 4),
)
"""Eight bars of jazz: syncopation, triplets of two kinds, rests, notes tied over barlines."""
