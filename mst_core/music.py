"""Immutable values of music: `Note`, `Meter`, `Key`, `Melody`, `Part`. Standard library only.

Three conventions hold everywhere:

* Time is an exact ``Fraction`` of a quarter note, so durations of triplets add up exactly.
* Onset 0 is the first downbeat. Notes of a pickup have negative onsets, so that
  ``onset % meter.bar_length`` is the position in the bar for every note.
* Durations are written straight. Swing and expression belong to the performance
  (`mst_core.sound.performance`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, Self

from mst_core.errors import BadOption

TICKS_PER_QUARTER = 24
"""Resolution of the grid on which tunes are read, learned, composed and written. It represents
32nd notes, and triplets down to 64ths, exactly."""
MIDI_TICKS_PER_QUARTER = 480
"""Resolution of the MIDI files of the score (`mst_core.notation.midi`)."""
FIRST_BAR_MARKER = "first bar"
"""Text of the MIDI marker at the first full bar of a tune whose first note is not on its beat."""

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""Pitch class of each letter without an accidental."""
MODES = {
    # Name: semitones of its tonic above the tonic of the major key with the same signature.
    "major": 0,
    "dorian": 2,
    "phrygian": 4,
    "lydian": 5,
    "mixolydian": 7,
    "minor": 9,
    "locrian": 11,
}
_FIFTHS = {
    # Name: fifths of its tonic above the tonic of the major key with the same signature.
    "major": 0,
    "lydian": -1,
    "mixolydian": 1,
    "dorian": 2,
    "minor": 3,
    "phrygian": 4,
    "locrian": 5,
}
_MAX_FIFTHS = 7  # sharps or flats of a key signature
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
    """A time signature."""

    numerator: int
    denominator: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``6/8``, ``C`` (4/4) or ``C|`` (2/2).

        Args:
            text: the meter as a person writes it; spaces around it are ignored.

        Returns:
            The meter.

        Raises:
            BadOption: when it has another form, a numerator outside 1 to 32, or a denominator that
                is not a power of two up to 32.
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
        """Length of a bar in quarter notes; 3 for both 3/4 and 6/8."""
        return Fraction(4 * self.numerator, self.denominator)

    @property
    def is_compound(self) -> bool:
        """Whether its beats divide into three, as in 6/8."""
        return self.numerator > 3 and self.numerator % 3 == 0 and self.denominator >= 8

    @property
    def beat_length(self) -> Fraction:
        """Length of a beat in quarter notes; 3/2 in 6/8."""
        return Fraction(4, self.denominator) * (3 if self.is_compound else 1)

    def same_bar(self, other: Meter) -> bool:
        """Whether two meters describe the same bar: true for 4/4 and 2/2, false for 3/4 and 6/8.

        Args:
            other: the meter to compare with.

        Returns:
            True when the bars are equally long and both meters are compound or neither is.
        """
        return self.bar_length == other.bar_length and self.is_compound == other.is_compound

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic and a mode."""

    tonic: int
    """Pitch class, 0 to 11; C is 0."""
    mode: str = "major"
    """A name in `MODES`."""
    enharmonic: bool = False
    """Whether it is written with the other of two signatures: six or seven sharps rather than six
    or five flats, seven flats rather than five sharps. F sharp major rather than G flat major."""

    def __post_init__(self) -> None:
        if self.enharmonic and (self.mode not in MODES or self.fifths == self._usual_fifths):
            raise ValueError("the key has a single signature")

    @classmethod
    def from_fifths(cls, fifths: int, mode: str = "major") -> Self:
        """Return the key with a signature.

        Args:
            fifths: sharps of the signature, flats negative; beyond -7 to 7 the enharmonic key with
                fewer of them.
            mode: a name in `MODES`.

        Returns:
            The key as that signature spells it: 6 sharps are F sharp, 6 flats G flat major.
        """
        while abs(fifths) > _MAX_FIFTHS:
            fifths += 12 if fifths < 0 else -12
        return cls((fifths * 7 + MODES[mode]) % 12, mode, not -6 <= fifths <= 5)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``D``, ``Em``, ``F# minor``, ``B flat``, ``Bb-maj``, ``Ador`` or ``A mixolydian``.

        Args:
            text: the key as a person writes it.

        Returns:
            The key; without a mode it is major.

        Raises:
            BadOption: when the text names no key.
        """
        match = re.fullmatch(
            r"\s*([A-Ga-g])\s*-?\s*((?i:sharp|flat)|[#b♯♭]?)\s*-?\s*([A-Za-z]*)\s*", text
        )
        if match:
            letter, accidental, mode_text = match.groups()
            mode = _MODE_NAMES.get(mode_text) or _MODE_NAMES.get(mode_text[:3].lower())
            if mode:
                fifths = "FCGDAEB".index(letter.upper()) - 1
                fifths += 7 * _ACCIDENTALS[accidental.lower()]
                return cls.from_fifths(fifths - _FIFTHS[mode], mode)
        raise BadOption("key", text, "write it as D, Em, F# minor or A mixolydian")

    @property
    def fifths(self) -> int:
        """Sharps of the key signature, flats negative, -6 to 5; 6, 7 or -7 where `enharmonic`."""
        usual = self._usual_fifths
        if not self.enharmonic:
            return usual
        other = usual + 12 if usual < 0 else usual - 12
        return other if abs(other) <= _MAX_FIFTHS else usual

    @property
    def _usual_fifths(self) -> int:
        """Sharps of the usual signature, -6 to 5: D flat rather than C sharp."""
        major_tonic = (self.tonic - MODES[self.mode]) % 12
        return (major_tonic * 7 + 6) % 12 - 6

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes of its seven degrees, tonic first."""
        return tuple((self.tonic + step) % 12 for step in _SCALES[self.mode])

    @property
    def is_minor(self) -> bool:
        """Whether the third of its scale is minor."""
        return _SCALES[self.mode][2] == 3

    @property
    def name(self) -> str:
        """Its name for people, such as ``D major`` or ``B♭ minor``."""
        return f"{self.tonic_name.replace('b', '♭').replace('#', '♯')} {self.mode}"

    @property
    def tonic_name(self) -> str:
        """The tonic as its key signature spells it: ``Bb``, ``F#``."""
        fifths_above_f = self.fifths + 1 + _FIFTHS[self.mode]
        letter = "FCGDAEB"[fifths_above_f % 7]
        accidentals = fifths_above_f // 7
        return letter + ("#" * accidentals if accidentals > 0 else "b" * -accidentals)


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One note of a melody. A rest is not a note but the gap before the next onset."""

    onset: Fraction
    """Quarter notes from the first downbeat; negative in the pickup."""
    duration: Fraction
    """Quarter notes, above 0."""
    pitch: int
    """MIDI number, 0 to 127; 60 is middle C."""

    @property
    def end(self) -> Fraction:
        """Time of its end, in quarter notes from the first downbeat."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class MeterChange:
    """A change of time signature at a bar. A single irregular bar is two changes."""

    bar: int
    """Index of the first bar in the new meter; 0 is the first full bar."""
    meter: Meter


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of key at a bar."""

    bar: int
    """Index of the first bar in the new key; 0 is the first full bar."""
    key: Key


@dataclass(frozen=True, slots=True)
class TempoChange:
    """A tempo and the time from which it holds."""

    onset: Fraction
    """Quarter notes from the first downbeat; negative in the pickup and before it."""
    tempo: float
    """Quarter notes per minute."""


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord symbol of a lead sheet, such as ``Am7``; it holds until the next one."""

    onset: Fraction
    """Quarter notes from the first downbeat."""
    text: str
    """Root, quality and bass: ``Am7``, ``F#m7b5/E``, ``Bb``; ``N.C.`` for no chord."""


@dataclass(frozen=True, slots=True)
class GraceNotes:
    """Ornaments before a note, which take no time of the bar."""

    note: int
    """Index of the note that they lead to."""
    pitches: tuple[int, ...]
    """MIDI numbers in the order in which they are played."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A section that is written once and played twice. Bars are indices from 0."""

    start: int
    """First bar of the section."""
    end: int
    """End bar (exclusive) of the section with its first ending, where ``:|`` is written."""
    first_ending: int | None = None
    """First bar of the first ending, which runs up to ``end``."""
    second_ending: int | None = None
    """End bar (exclusive) of the second ending, which begins at ``end``."""
    lead_in: Fraction = Fraction(0)
    """Quarter notes from the sign ``|:`` to the barline of ``start``: the section's own pickup."""
    lead_out: Fraction = Fraction(0)
    """Quarter notes from the sign ``:|`` to the barline of ``end``: the section ends within a bar,
    and the pickup of its repetition or of the next section completes it."""


@dataclass(frozen=True, slots=True)
class Melody:
    """A monophonic tune: notes that never overlap, with bars, key and tempo."""

    notes: tuple[Note, ...]
    """In order of onset, each as often as it is written: once within a repeat."""
    meter: Meter
    key: Key
    tempo: float
    """Quarter notes per minute."""
    bar_count: int
    """Number of full bars after the first downbeat; a pickup is not counted."""
    sections: tuple[int, ...] = (0,)
    """Indices of the bars at which sections begin, rising."""
    meter_changes: tuple[MeterChange, ...] = ()
    """Later meters, rising by bar; ``meter`` holds up to the first of them."""
    repeats: tuple[Repeat, ...] = ()
    """Rising by bar, never nested."""
    tempo_changes: tuple[TempoChange, ...] = ()
    """The whole tempo map, rising by onset; the first entry holds before its onset too. Empty: the
    tempo is ``tempo`` throughout. Otherwise ``tempo`` is the main one."""
    key_changes: tuple[KeyChange, ...] = ()
    """Later keys, rising by bar; ``key`` holds up to the first of them."""
    chords: tuple[ChordSymbol, ...] = ()
    """Rising by onset."""
    grace_notes: tuple[GraceNotes, ...] = ()
    """Rising by note."""

    def __post_init__(self) -> None:
        for first, second in pairwise(self.notes):
            if first.end > second.onset:
                raise ValueError(f"notes overlap at {second.onset}")
        if any(note.duration <= 0 for note in self.notes):
            raise ValueError("a note needs a duration above 0")
        if self.notes and self.notes[-1].end > self.length:
            raise ValueError(f"the last note ends after the {self.bar_count} bars")

    def meter_at(self, bar: int) -> Meter:
        """Return the meter of a bar.

        Args:
            bar: index of the bar; -1, the pickup, has the first meter.

        Returns:
            The meter of the last change at or before that bar, or else the first meter.
        """
        meter = self.meter
        for change in self.meter_changes:
            if change.bar > bar:
                break
            meter = change.meter
        return meter

    @property
    def barlines(self) -> tuple[Fraction, ...]:
        """Times of all barlines in quarter notes, ``bar_count + 1`` of them, the final one last."""
        changed = {change.bar: change.meter.bar_length for change in self.meter_changes}
        lines, length = [Fraction(0)], self.meter.bar_length
        for bar in range(self.bar_count):
            length = changed.get(bar, length)
            lines.append(lines[-1] + length)
        return tuple(lines)

    @property
    def length(self) -> Fraction:
        """Quarter notes from the first downbeat to the final barline."""
        return self.barlines[-1] if self.meter_changes else self.bar_count * self.meter.bar_length

    @property
    def pickup(self) -> Fraction:
        """Quarter notes from the first note to the first downbeat; 0 without a pickup."""
        return max(Fraction(0), -self.notes[0].onset) if self.notes else Fraction(0)

    @property
    def pitches(self) -> tuple[int, ...]:
        """MIDI number of each note."""
        return tuple(note.pitch for note in self.notes)

    @property
    def seconds(self) -> float:
        """Duration in seconds at its tempos, with the pickup, repeats played once."""
        return self.seconds_at(self.length) - self.seconds_at(-self.pickup)

    def seconds_at(self, onset: Fraction) -> float:
        """Return the seconds from the first downbeat to a time, by the tempo map.

        Args:
            onset: quarter notes from the first downbeat; a time before it gives a negative result.
        """
        return _signed_seconds(self.tempo_changes, self.tempo, onset)

    def key_at(self, bar: int) -> Key:
        """Return the key of a bar.

        Args:
            bar: index of the bar; -1, the pickup, has the first key.

        Returns:
            The key of the last change at or before that bar, or else the first key.
        """
        key = self.key
        for change in self.key_changes:
            if change.bar > bar:
                break
            key = change.key
        return key


def _signed_seconds(changes: tuple[TempoChange, ...], tempo: float, onset: Fraction) -> float:
    """Seconds from time 0 to ``onset``, negative where it is before 0."""
    start, end = min(onset, Fraction(0)), max(onset, Fraction(0))
    seconds, time = 0.0, start
    if changes:
        tempo = changes[0].tempo
    for change in changes:
        if change.onset >= end:
            break
        if change.onset > time:
            seconds += float(change.onset - time) * 60 / tempo
            time = change.onset
        tempo = change.tempo
    seconds += float(end - time) * 60 / tempo
    return seconds if onset >= 0 else -seconds


@dataclass(frozen=True, slots=True)
class PartNote:
    """A note of an accompanying part; notes of a part may overlap."""

    onset: Fraction
    """Quarter notes from the first downbeat of the melody."""
    duration: Fraction
    """Quarter notes."""
    pitch: int
    """MIDI number, 0 to 127."""
    velocity: int = 80
    """MIDI velocity, 1 to 127."""


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """A message of a MIDI channel that is no note."""

    onset: Fraction
    """Quarter notes from the first downbeat of the melody."""
    kind: Literal["program", "control", "bend"]
    number: int
    """MIDI program or controller, 0 to 127 (7 volume, 10 pan, 11 expression, 64 pedal); 0 for a
    bend."""
    value: int = 0
    """0 to 127; of a bend -8192 to 8191."""


@dataclass(frozen=True, slots=True)
class Part:
    """An accompanying part: another track of a file, kept unchanged."""

    name: str
    program: int
    """General MIDI program at its beginning, 0 to 127."""
    drums: bool
    """Whether its pitches name the drums of a kit."""
    notes: tuple[PartNote, ...]
    controls: tuple[ControlEvent, ...] = ()
    """Later programs, controllers and bends, rising by onset."""
