"""The nouns of music: Note, Meter, Key, Melody. Pure values, standard library only.

Three conventions remove special cases:

* Time is an exact ``Fraction`` of a quarter note. Triplets add up; equality is equality.
* Onset 0 is the first downbeat. A pickup has negative onsets, so ``onset % meter.bar`` is the place
  in the bar for every note.
* Notation is straight. Swing and feel belong to the performance (`mst_core.sound`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Self

from mst_core.errors import BadOption

TICKS_PER_QUARTER = 24
"""Resolution of the grid that tunes are read, learned, composed and written on: it holds
thirty-seconds, and triplets down to sixty-fourths."""
MIDI_TICKS_PER_QUARTER = 480
"""Resolution of written MIDI files."""

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MODES = {
    # name: semitones from the tonic of the major scale with the same signature
    "major": 0,
    "dorian": 2,
    "phrygian": 4,
    "lydian": 5,
    "mixolydian": 7,
    "minor": 9,
    "locrian": 11,
}
_MODE_NAMES = {
    "": "major",
    "M": "major",
    "maj": "major",
    "ion": "major",
    "m": "minor",
    "min": "minor",
    "aeo": "minor",
    "dor": "dorian",
    "phr": "phrygian",
    "lyd": "lydian",
    "mix": "mixolydian",
    "loc": "locrian",
}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
_SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
}


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature. ``bar`` and ``beat`` are lengths in quarter notes."""

    numerator: int
    denominator: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``6/8``, ``C`` or ``C|``.

        Raises:
            BadOption: when it is none of these, or a meter that no bar can have.
        """
        common = {"C": (4, 4), "C|": (2, 2)}.get(text.strip())
        if common:
            return cls(*common)
        match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text.strip())
        accepted = "write it as 4/4, 6/8 or 3/4"
        if not match:
            raise BadOption("meter", text, accepted)
        numerator, denominator = int(match[1]), int(match[2])
        if not 1 <= numerator <= 32 or denominator not in (1, 2, 4, 8, 16, 32):
            raise BadOption("meter", text, accepted)
        return cls(numerator, denominator)

    @property
    def bar_length(self) -> Fraction:
        """Length of a bar in quarter notes: 3 for both 3/4 and 6/8."""
        return Fraction(4 * self.numerator, self.denominator)

    @property
    def is_compound(self) -> bool:
        """Whether its beats divide into three, as in a jig."""
        return self.numerator > 3 and self.numerator % 3 == 0 and self.denominator >= 8

    @property
    def beat_length(self) -> Fraction:
        """Length of a beat in quarter notes: a dotted quarter in 6/8."""
        return Fraction(4, self.denominator) * (3 if self.is_compound else 1)

    def same_bar(self, other: Meter) -> bool:
        """Whether both are the same bar, perhaps written differently: 4/4 and 2/2, not 3/4 and 6/8.

        Args:
            other: the meter to compare with.

        Returns:
            True when the bars have the same length and both or neither divide beats into three.
        """
        return self.bar_length == other.bar_length and self.is_compound == other.is_compound

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic as pitch class (C is 0) and a mode, a name of `MODES`."""

    tonic: int
    mode: str = "major"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``D``, ``Em``, ``F# minor``, ``B flat``, ``Bb-maj``, ``Ador`` or ``A mixolydian``.

        Raises:
            BadOption: when it names no key.
        """
        match = re.fullmatch(
            r"\s*([A-Ga-g])\s*-?\s*((?i:sharp|flat)|[#b♯♭]?)\s*-?\s*([A-Za-z]*)\s*", text
        )
        if match:
            letter, accidental, mode_text = match.groups()
            tonic = SEMITONES[letter.upper()]
            tonic += _ACCIDENTALS[accidental.lower()]
            mode = _MODE_NAMES.get(mode_text) or _MODE_NAMES.get(mode_text[:3].lower())
            if mode:
                return cls(tonic % 12, mode)
        raise BadOption("key", text, "write it as D, Em, F# minor or A mixolydian")

    @property
    def fifths(self) -> int:
        """Sharps of the signature (flats are negative), -6 to 5; D flat rather than C sharp."""
        major_tonic = (self.tonic - MODES[self.mode]) % 12
        return (major_tonic * 7 + 6) % 12 - 6

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes of its seven degrees, the tonic first."""
        return tuple((self.tonic + step) % 12 for step in _SCALES[self.mode])

    @property
    def is_minor(self) -> bool:
        """Whether its third is minor."""
        return _SCALES[self.mode][2] == 3

    @property
    def name(self) -> str:
        """Such as ``D major`` or ``B♭ minor``."""
        return f"{self.tonic_name.replace('b', '♭').replace('#', '♯')} {self.mode}"

    @property
    def tonic_name(self) -> str:
        """The tonic spelled as its signature spells it: ``Bb``, ``F#``."""
        # On the line of fifths from F, the tonic of a mode stands a fixed way from its signature.
        place = (
            self.fifths
            + 1
            + {
                "major": 0,
                "lydian": -1,
                "mixolydian": 1,
                "dorian": 2,
                "minor": 3,
                "phrygian": 4,
                "locrian": 5,
            }[self.mode]
        )
        letter = "FCGDAEB"[place % 7]
        accidentals = place // 7
        return letter + ("#" * accidentals if accidentals > 0 else "b" * -accidentals)


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One sounding note. Silence is not a note: a rest is the gap before the next onset."""

    onset: Fraction
    """Quarter notes from the first downbeat; negative in the pickup."""
    duration: Fraction
    """Quarter notes, more than 0."""
    pitch: int
    """MIDI number, 0 to 127; 60 is middle C."""

    @property
    def end(self) -> Fraction:
        """Where it stops sounding."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class MeterChange:
    """Another meter from a bar on. A bar of an odd length is a change there and back."""

    bar: int
    """Counted from 0, the first full bar."""
    meter: Meter


@dataclass(frozen=True, slots=True)
class Repeat:
    """Bars that are played twice though written once. Bars count from 0."""

    start: int
    end: int
    """The bar behind the last one of the first time: where ``:|`` stands."""
    first_ending: int | None = None
    """The bar where the first ending begins; it runs to ``end``."""
    second_ending: int | None = None
    """The bar behind the second ending, which begins at ``end``."""
    lead_in: Fraction = Fraction(0)
    """How long before the barline of ``start`` the sign ``|:`` stands, in quarter notes: there the
    strain's own pickup begins."""
    lead_out: Fraction = Fraction(0)
    """How long before the barline of ``end`` the sign ``:|`` stands, in quarter notes: the strain
    ends within a bar, and a pickup follows, its own again or the next one's."""


@dataclass(frozen=True, slots=True)
class Melody:
    """A line of notes that never sound together, with its bars, key and tempo."""

    notes: tuple[Note, ...]
    meter: Meter
    key: Key
    tempo: float
    """Quarter notes per minute."""
    bar_count: int
    """Full bars, counted from the first downbeat; the pickup comes on top."""
    sections: tuple[int, ...] = (0,)
    """The bars where sections begin, counted from 0."""
    meter_changes: tuple[MeterChange, ...] = ()
    """Other meters on the way, rising by bar; ``meter`` holds until the first."""
    repeats: tuple[Repeat, ...] = ()
    """Rising by bar, not within each other. ``notes`` holds every note as often as it is written:
    once."""

    def __post_init__(self) -> None:
        for first, second in pairwise(self.notes):
            if first.end > second.onset:
                raise ValueError(f"notes overlap at {second.onset}")
        if any(note.duration <= 0 for note in self.notes):
            raise ValueError("a note needs a duration above 0")
        if self.notes and self.notes[-1].end > self.length:
            raise ValueError(f"the last note ends after the {self.bar_count} bars")

    def meter_at(self, bar: int) -> Meter:
        """The meter that holds in a bar; the pickup (-1) has the first one."""
        meter = self.meter
        for change in self.meter_changes:
            if change.bar > bar:
                break
            meter = change.meter
        return meter

    @property
    def barlines(self) -> tuple[Fraction, ...]:
        """Onsets of all bars and, last, the final barline; in quarter notes."""
        changed = {change.bar: change.meter.bar_length for change in self.meter_changes}
        lines, length = [Fraction(0)], self.meter.bar_length
        for bar in range(self.bar_count):
            length = changed.get(bar, length)
            lines.append(lines[-1] + length)
        return tuple(lines)

    @property
    def length(self) -> Fraction:
        """From the first downbeat to the final barline, in quarter notes."""
        return self.barlines[-1] if self.meter_changes else self.bar_count * self.meter.bar_length

    @property
    def pickup(self) -> Fraction:
        """Length of the part before the first downbeat, in quarter notes."""
        return max(Fraction(0), -self.notes[0].onset) if self.notes else Fraction(0)

    @property
    def pitches(self) -> tuple[int, ...]:
        """The MIDI number of each note."""
        return tuple(note.pitch for note in self.notes)

    @property
    def seconds(self) -> float:
        """How long it lasts at its tempo, pickup included, repeats played once."""
        return float(self.length + self.pickup) * 60 / self.tempo


@dataclass(frozen=True, slots=True)
class PartNote:
    """A note of an accompanying part; such notes may sound together."""

    onset: Fraction
    duration: Fraction
    pitch: int
    velocity: int = 80


@dataclass(frozen=True, slots=True)
class Part:
    """What sounds beside the melody: another track of a file, kept as it is."""

    name: str
    program: int
    """General MIDI program, 0 to 127."""
    drums: bool
    notes: tuple[PartNote, ...]
