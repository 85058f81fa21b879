"""How a pitch is spelled on the staff of a key: its letter, its accidental, and when that shows.

Notes of the scale are spelled as the signature has them. Of the others, one that moves on by a
semitone is raised on the way up and lowered on the way down; the rest follow the scale of the
textbooks. It does not know bars: `AccidentalTracker` is told when a new one begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mst_core.music import SEMITONES, Key

_LETTERS_BY_FIFTHS = (
    "FCGDAEB"  # the letters in the order of fifths: sharps come in this order, flats backwards
)
_MAJOR_SCALE = (2, 4, 5, 7, 9, 11)
"""Semitones above the tonic that are steps of its major scale, however the line moves."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A written pitch: F sharp above middle C is ``Spelling("F", 1, 4)``."""

    letter: str
    alteration: int
    """Semitones from the white key: 1 is a sharp, -1 a flat."""
    octave: int
    """4 is the octave that begins with middle C."""

    @property
    def pitch(self) -> int:
        """Its MIDI number."""
        return 12 * (self.octave + 1) + SEMITONES[self.letter] + self.alteration


def spell_pitches(pitches: Sequence[int], key: Key) -> tuple[Spelling, ...]:
    """Spell a line of MIDI numbers, note by note, as a musician would in this key."""
    spelled: list[Spelling] = []
    following: int | None = None  # the next pitch that differs: a repeated note keeps its spelling
    for place in range(len(pitches) - 1, -1, -1):
        pitch = pitches[place]
        if place + 1 < len(pitches) and pitches[place + 1] != pitch:
            following = pitches[place + 1]
        step = following - pitch if following is not None else 0
        letter, alteration = _spell_pitch_class(pitch % 12, step, key)
        octave = (pitch - alteration) // 12 - 1
        spelled.append(Spelling(letter, alteration, octave))
    return tuple(reversed(spelled))


def key_signature(key: Key) -> dict[str, int]:
    """Map each letter to its alteration in the key signature."""
    raised = _LETTERS_BY_FIFTHS[: max(0, key.fifths)]
    lowered = _LETTERS_BY_FIFTHS[7 + min(0, key.fifths) :]
    return {letter: (letter in raised) - (letter in lowered) for letter in _LETTERS_BY_FIFTHS}


def _spell_pitch_class(pitch_class: int, step: int, key: Key) -> tuple[str, int]:
    """Name a pitch class that moves on by ``step`` semitones."""
    for letter, alteration in key_signature(key).items():
        if (SEMITONES[letter] + alteration) % 12 == pitch_class:
            return letter, alteration
    above = (pitch_class - key.tonic) % 12
    if above == 11 and key.is_minor:
        # The leading note keeps the letter below the tonic: E sharp in F sharp minor.
        letter = "CDEFGAB"["CDEFGAB".index(key.tonic_name[0]) - 1]
        alteration = (pitch_class - SEMITONES[letter] + 6) % 12 - 6
        if abs(alteration) <= 1:
            return letter, alteration
    for letter, white in SEMITONES.items():
        if white == pitch_class:
            return letter, 0
    alteration = 1 if _is_raised(above, step) else -1
    white = (pitch_class - alteration) % 12
    return next(letter for letter, value in SEMITONES.items() if value == white), alteration


def _is_raised(above: int, step: int) -> bool:
    """Whether a note outside the scale, so far above the tonic, is a raised one."""
    if above in _MAJOR_SCALE:
        return above != 5  # only Lydian lacks the fourth, and then it is a lowered one
    if abs(step) == 1:
        return step > 0
    if above in (3, 10):  # blue third and seventh
        return False
    return above == 6 or step > 0


class AccidentalTracker:
    """The accidentals in force, as an eye reads along a bar of a staff."""

    def __init__(self, key: Key) -> None:
        self._signature = key_signature(key)
        self._bar: dict[tuple[str, int], int] = {}

    def start_bar(self) -> None:
        """Forget the accidentals of the bar before."""
        self._bar.clear()

    def must_show(self, spelling: Spelling) -> bool:
        """Say whether a note must show its accidental, and take it as read.

        Readers differ on whether an accidental holds in other octaves: where it would make a
        difference, the answer is yes.
        """
        place = (spelling.letter, spelling.octave)
        in_force = {value for (letter, _), value in self._bar.items() if letter == spelling.letter}
        in_force.add(self._bar.get(place, self._signature[spelling.letter]))
        self._bar[place] = spelling.alteration
        return in_force != {spelling.alteration}
