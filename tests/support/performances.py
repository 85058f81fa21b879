"""Performances of known tunes: a seeded player with a tempo that drifts and an unsteady hand."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from mido import Message, MetaMessage

from mst_core.music import Key, Melody, Meter, Note
from tests.support.midi_files import Timed, midi, track

_RHYTHMS = {
    # Bars in eighths; a decimal .5 is a sixteenth, thirds are triplets.
    "4/4": ("2 2 2 2", "2 1 1 2 2", "3 1 2 2", "1 1 1 1 2 2", "4 2 2", "2 2 4", "1 1 2 1 1 2",
            "3 1 3 1", "1 1 1 1 1 1 1 1", "2 .5 .5 .5 .5 2 2", "1.5 .5 1.5 .5 2 2"),
    "3/4": ("2 2 2", "4 2", "2 1 1 2", "3 1 2", "1 1 1 1 1 1", "2 1 1 1 1", "6"),
    "6/8": ("1 1 1 1 1 1", "2 1 2 1", "2 1 1 1 1", "3 3", "1 1 1 2 1", "3 2 1"),
    "2/4": ("2 2", "1 1 1 1", "2 1 1", "1 1 2", "1.5 .5 2", "1 .5 .5 1 1", "4"),
}  # fmt: skip
_SCALE = (0, 2, 4, 5, 7, 9, 11)
_CHORDS = (0, 3, 4, 0, 5, 3, 4, 0)  # degrees of the scale, a bar each


def make_tune(seed: int, meter: str, *, bars: int = 32, tempo: float = 110.0) -> Melody:
    """Make a tune of four-bar phrases (AABA) that a person could sing."""
    rng = random.Random(seed)
    bar_length = Meter.parse(meter).bar_length
    phrases = {}
    for name in "AB":
        pitch, phrase = 14, []
        for bar in range(4):
            text = rng.choice(_RHYTHMS[meter]) if bar < 3 else _RHYTHMS[meter][0]
            figure = [Fraction(each) / 2 for each in text.split()]
            if bar == 3:
                figure = [bar_length * Fraction(2, 3) if meter == "3/4" else bar_length / 2]
            now = bar * bar_length
            for duration in figure:
                pitch = min(21, max(8, pitch + rng.choice((-2, -1, -1, 1, 1, 2))))
                if now % bar_length == 0:
                    pitch -= (pitch - _CHORDS[bar]) % 2
                phrase.append((now, duration, pitch))
                now += duration
        phrases[name] = phrase
    notes = []
    for index in range(bars // 4):
        for onset, duration, degree in phrases["AABA"[index % 4]]:
            octave, step = divmod(degree, 7)
            onset_in_tune = onset + 4 * index * bar_length
            notes.append(Note(onset_in_tune, duration, 48 + 12 * octave + _SCALE[step]))
    return Melody(tuple(notes), Meter.parse(meter), Key(0), tempo, bars)


def accompaniment_of(tune: Melody) -> list[Note]:
    """A bass note on each downbeat and a chord on every other beat."""
    beat = tune.meter.beat_length
    notes = []
    for bar in range(tune.bar_count):
        chord = _CHORDS[bar % len(_CHORDS)]
        for place in range(int(tune.meter.bar_length / beat)):
            onset = bar * tune.meter.bar_length + place * beat
            degrees = (chord - 14,) if place == 0 else (chord - 7, chord - 5, chord - 3)
            for degree in degrees:
                octave, step = divmod(degree, 7)
                notes.append(Note(onset, beat * Fraction(4, 5), 60 + 12 * octave + _SCALE[step]))
    return notes


@dataclass(frozen=True, slots=True)
class Player:
    """How a tune is played."""

    seed: int
    jitter: float = 0.02
    """Seconds, standard deviation of each onset."""
    drift: float = 0.05
    """Largest change of tempo, as a share of it."""
    lead_in: float = 1.0
    """Seconds before the first note."""

    def clock(self, tune: Melody) -> Callable[[Fraction], float]:
        """Seconds at which a time of the tune is played, without the unsteadiness of the hand."""
        rng = random.Random(self.seed)
        waves = [(rng.uniform(16, 64), rng.uniform(0, 2 * math.pi)) for _ in range(2)]
        resolution, seconds = 8, [0.0]
        start = tune.pickup
        for step in range(int(tune.length + start + 8) * resolution):
            quarter = step / resolution
            wave = sum(math.sin(2 * math.pi * quarter / length + at) for length, at in waves) / 2
            tempo = tune.tempo * (1 + self.drift * wave)
            seconds.append(seconds[-1] + 60 / tempo / resolution)

        def at(time: Fraction) -> float:
            place = float(time + start) * resolution
            whole = int(place)
            part = place - whole
            return self.lead_in + seconds[whole] * (1 - part) + seconds[whole + 1] * part

        return at


def play(
    tune: Melody,
    player: Player,
    *,
    accompaniment: Iterable[Note] = (),
    named_tempo: float | None = None,
    names_meter: bool = True,
    ticks: int = 480,
) -> bytes:
    """Write a MIDI file of a performance, recorded without a click.

    ``named_tempo`` is what the recorder was set to (quarters a minute); None names none, which is
    120.
    """
    rng = random.Random(player.seed + 1)
    clock = player.clock(tune)
    rate = ticks * (named_tempo or 120.0) / 60

    def events(line: Iterable[Note], channel: int) -> list[Timed]:
        made: list[Timed] = []
        for note in line:
            onset = max(0.0, clock(note.onset) + rng.gauss(0, player.jitter))
            length = (clock(note.end) - clock(note.onset)) * rng.uniform(0.7, 0.97)
            on, off = round(onset * rate), max(round((onset + length) * rate), 1)
            made.append((on, Message("note_on", note=note.pitch, velocity=80, channel=channel)))
            made.append((max(off, on + 1), Message("note_off", note=note.pitch, channel=channel)))
        return made

    head: list[Timed] = []
    if named_tempo:
        head.append((0, MetaMessage("set_tempo", tempo=round(60e6 / named_tempo))))
    if names_meter:
        meter = tune.meter
        head.append((0, MetaMessage("time_signature", numerator=meter.numerator,
                                    denominator=meter.denominator)))  # fmt: skip
    tracks = [track(head), track(events(tune.notes, 0), name="Melody")]
    line = list(accompaniment)
    if line:
        tracks.append(track(events(line, 1), name="Piano accompaniment"))
    return midi(*tracks, ticks=ticks)


def onset_f1(expected: Melody, read: Melody) -> float:
    """F1 of the onsets: bar, position in it and pitch, but for a constant number of bars."""

    def places(tune: Melody) -> Counter[tuple[int, Fraction, int]]:
        lines = tune.barlines
        found: Counter[tuple[int, Fraction, int]] = Counter()
        bar = -1
        for note in tune.notes:
            while bar + 1 < len(lines) and lines[bar + 1] <= note.onset:
                bar += 1
            start = lines[bar] if bar >= 0 else -tune.meter.bar_length
            found[bar, note.onset - start, note.pitch] += 1
        return found

    wanted, got = places(expected), places(read)
    best = 0
    for shift in range(-3, 4):
        moved = Counter({(bar + shift, at, pitch): n for (bar, at, pitch), n in got.items()})
        best = max(best, sum((wanted & moved).values()))
    return 2 * best / (sum(wanted.values()) + sum(got.values()))
