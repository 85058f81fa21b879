"""Pitch spelling: the letter and alteration of each pitch in a key, and which accidentals to show.

Notes of the scale are spelled as in the key signature. Of the others, one that is followed by a
semitone step is raised before a step up and lowered before a step down; the rest follow the
harmonic chromatic scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mst_core.music import SEMITONES, Key

_LETTERS_BY_FIFTHS = "FCGDAEB"
"""Sharps of a key signature are added in this order, flats in the reverse order."""
_MAJOR_SCALE = (2, 4, 5, 7, 9, 11)
"""Semitones above the tonic that are degrees of its major scale."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A written pitch: F sharp above middle C is ``Spelling("F", 1, 4)``."""

    letter: str
    """``A`` to ``G``."""
    alteration: int
    """Semitones from the white key: 1 for a sharp, -1 for a flat."""
    octave: int
    """4 is the octave that begins with middle C."""

    @property
    def pitch(self) -> int:
        """Its MIDI number."""
        return 12 * (self.octave + 1) + SEMITONES[self.letter] + self.alteration


def spell_pitches(pitches: Sequence[int], key: Key) -> tuple[Spelling, ...]:
    """Spell the pitches of a melody.

    Args:
        pitches: MIDI numbers in order.
        key: the key of the melody.

    Returns:
        One spelling for each pitch.
    """
    spelled: list[Spelling] = []
    following: int | None = None  # the next different pitch: repeated notes are spelled alike
    for index in range(len(pitches) - 1, -1, -1):
        pitch = pitches[index]
        if index + 1 < len(pitches) and pitches[index + 1] != pitch:
            following = pitches[index + 1]
        step = following - pitch if following is not None else 0
        letter, alteration = _spell_pitch_class(pitch % 12, step, key)
        octave = (pitch - alteration) // 12 - 1
        spelled.append(Spelling(letter, alteration, octave))
    return tuple(reversed(spelled))


def key_signature(key: Key) -> dict[str, int]:
    """Return the alteration of each letter in a key signature.

    Args:
        key: the key.

    Returns:
        1, 0 or -1 by letter.
    """
    raised = _LETTERS_BY_FIFTHS[: max(0, key.fifths)]
    lowered = _LETTERS_BY_FIFTHS[7 + min(0, key.fifths) :]
    return {letter: (letter in raised) - (letter in lowered) for letter in _LETTERS_BY_FIFTHS}


def _spell_pitch_class(pitch_class: int, step: int, key: Key) -> tuple[str, int]:
    """Return letter and alteration of a pitch class that is followed by ``step`` semitones."""
    for letter, alteration in key_signature(key).items():
        if (SEMITONES[letter] + alteration) % 12 == pitch_class:
            return letter, alteration
    above = (pitch_class - key.tonic) % 12
    if above == 11 and key.is_minor:
        # The leading note has the letter below the tonic: E sharp in F sharp minor.
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
    """Whether a note outside the scale, ``above`` semitones over the tonic, is a raised one."""
    if above in _MAJOR_SCALE:
        return above != 5  # only Lydian lacks the fourth, which is then a lowered one
    if abs(step) == 1:
        return step > 0
    if above in (3, 10):  # blue notes: minor third and seventh
        return False
    return above == 6 or step > 0


class AccidentalTracker:
    """Keeps the accidentals that are in force in the current bar."""

    def __init__(self, key: Key) -> None:
        self._signature = key_signature(key)
        self._bar: dict[tuple[str, int], int] = {}

    def start_bar(self, key: Key | None = None) -> None:
        """Clear the accidentals of the bar before.

        Args:
            key: the key of the bar; None: as before.
        """
        self._bar.clear()
        if key is not None:
            self._signature = key_signature(key)

    def must_show(self, spelling: Spelling) -> bool:
        """Return whether a note must show its accidental, and put the accidental in force.

        Conventions differ on whether an accidental holds in other octaves: where that matters, the
        accidental is shown.

        Args:
            spelling: the next note of the bar.

        Returns:
            True when the accidental must be written.
        """
        position = (spelling.letter, spelling.octave)
        in_force = {value for (letter, _), value in self._bar.items() if letter == spelling.letter}
        in_force.add(self._bar.get(position, self._signature[spelling.letter]))
        self._bar[position] = spelling.alteration
        return in_force != {spelling.alteration}
